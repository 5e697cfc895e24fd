"""The garbage collector at start-up."""

from __future__ import annotations

import gc
from typing import TYPE_CHECKING

import pytest

from dwatch.cli import collector

if TYPE_CHECKING:
    from collections.abc import Iterator


@pytest.fixture(autouse=True)
def _usual_collector() -> Iterator[None]:
    yield
    gc.enable()
    gc.unfreeze()


def test_postponed__until_resumed() -> None:
    with collector.postponed():
        assert not gc.isenabled()
        collector.resume()
        assert gc.isenabled()
        assert gc.get_freeze_count() > 0


def test_postponed__leaves_everything_at_the_end() -> None:
    with collector.postponed():
        pass

    assert gc.get_freeze_count() > 0


def test_resume__in_a_process_of_others_sets_nothing_aside() -> None:
    collector.resume()

    assert gc.get_freeze_count() == 0
