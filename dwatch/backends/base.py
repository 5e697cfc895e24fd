"""What a backend is: the way in which batches reach their evaluation."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator
    from datetime import datetime

    from dwatch.core.check import BaseCheck
    from dwatch.core.evaluate import NamedPayload
    from dwatch.core.interrupt import StopRequest
    from dwatch.core.outcome import OutcomeBatch

    Batches = Iterable[tuple[list[NamedPayload], datetime]]
    """Payloads under their names, and when they were loaded."""


@dataclass(frozen=True, slots=True)
class Job:
    """One check's evaluation, and who is to know of it."""

    check: BaseCheck
    state_id: int | None
    """None for a check that never stored anything."""
    stop: StopRequest
    note: Callable[[str], None]
    """Takes a sentence that people should read beside the check's results."""


class Backend(Protocol):
    """Evaluates batches somewhere; made once a run, with the number of workers wanted."""

    def __init__(self, workers: int) -> None: ...

    def evaluate_batches(self, job: Job, batches: Batches) -> Iterator[OutcomeBatch]:
        """Yield one outcome for each payload, however they are grouped.

        Draws batches as it needs them. When asked to stop it yields what is judged
        and ends. Raises BackendError if it cannot work at all.
        """

    def close(self) -> None:
        """End what was started; called once, whatever happened."""
