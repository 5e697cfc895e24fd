"""What every test gets."""

from __future__ import annotations

from typing import TYPE_CHECKING

import hypothesis
import pytest

from dwatch.core.registry import registry

if TYPE_CHECKING:
    from collections.abc import Iterator

# A slow machine is no wrong answer.
hypothesis.settings.register_profile("dwatch", deadline=None)
hypothesis.settings.load_profile("dwatch")


@pytest.fixture(autouse=True)
def _restored_registry() -> Iterator[None]:
    """Undo what a test registers."""
    before = registry.snapshot()
    yield
    registry.restore(before)
