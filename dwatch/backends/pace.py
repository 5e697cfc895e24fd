"""How many payloads a task should hold, so that all workers have something to do."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from dwatch.backends.supervisor import Task

_TASK_SECONDS = 0.1
"""Short, so that no worker has much left when the others are done."""
_FIRST_SIZE = 25
_MAX_SIZE = 1000


class Pace:
    """Learns from tasks how long a payload takes."""

    def __init__(self, workers: int) -> None:
        self._workers = workers
        self._seconds: float | None = None

    def saw(self, task: Task) -> None:
        """Learn from a task, if it is done."""
        if task.took is None:
            return
        seconds = task.took / len(task.items)
        self._seconds = seconds if self._seconds is None else (self._seconds * 3 + seconds) / 4

    def task_size(self, waiting: int) -> int:
        """Return how many of the payloads that wait the next task should take."""
        share = max(math.ceil(waiting / (2 * self._workers)), 1)
        if self._seconds is None:
            return min(share, _FIRST_SIZE)
        suits = int(_TASK_SECONDS / max(self._seconds, _TASK_SECONDS / _MAX_SIZE))
        return max(min(suits, waiting), 1)
