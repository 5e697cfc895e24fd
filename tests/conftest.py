"""What every test gets."""

from __future__ import annotations

from typing import TYPE_CHECKING

import hypothesis
import pytest

from dwatch.core.registry import registry
from tests.project import make_project

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.project import Project

# A slow machine is no wrong answer.
hypothesis.settings.register_profile("dwatch", deadline=None)
hypothesis.settings.load_profile("dwatch")


@pytest.fixture(autouse=True)
def _restored_registry() -> Iterator[None]:
    """Undo what a test registers."""
    before = registry.snapshot()
    yield
    registry.restore(before)


@pytest.fixture
def project(tmp_path: Path, transactional_db: None) -> Iterator[Project]:  # noqa: ARG001
    """Give a project on the test database; what it starts is killed at the end."""
    made = make_project(tmp_path)
    yield made
    made.end()
