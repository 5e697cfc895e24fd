from __future__ import annotations

import pytest

from dwatch.backends.pace import Pace
from dwatch.backends.supervisor import Task


def task(items: int, took: float | None) -> Task:
    return Task([None] * items, lambda _items: b"", took=took)


@pytest.mark.parametrize(
    ("workers", "waiting", "size"), [(1, 500, 25), (16, 500, 16), (4, 3, 1), (2, 40, 10)]
)
def test_first_task__is_small_and_leaves_something_for_everybody(
    workers: int, waiting: int, size: int
) -> None:
    assert Pace(workers).task_size(waiting) == size


@pytest.mark.parametrize(
    ("seconds_each", "size"), [(0.01, 10), (10, 1), (0.00001, 500), (0, 500), (0.001, 100)]
)
def test_later_tasks__take_a_tenth_of_a_second(seconds_each: float, size: int) -> None:
    pace = Pace(2)
    pace.saw(task(10, seconds_each * 10))
    assert pace.task_size(500) == size


def test_pace__follows_slowly_and_ignores_what_is_not_done() -> None:
    pace = Pace(1)
    pace.saw(task(1, 0.01))
    pace.saw(task(1, None))
    assert pace.task_size(500) == 10
    pace.saw(task(1, 0.05))
    assert pace.task_size(500) == 5
