"""Evaluates in worker processes; this process draws payloads and stores outcomes."""

from __future__ import annotations

from typing import TYPE_CHECKING

from dwatch.backends import synchronous
from dwatch.backends.conveyor import Conveyor
from dwatch.backends.supervisor import Supervisor, WorkersCannotStartError
from dwatch.backends.worker import prepare
from dwatch.exceptions import BackendError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from dwatch.backends.base import Batches, Job
    from dwatch.core.outcome import OutcomeBatch


class Backend:
    """A pool of workers, started when the first check needs it and shared by all."""

    def __init__(self, workers: int) -> None:
        self.workers = workers
        self._supervisor = Supervisor(workers, prepare, preload="dwatch.backends.preload")

    def evaluate_batches(self, job: Job, batches: Batches) -> Iterator[OutcomeBatch]:
        """Yield the outcomes of each batch, in order as far as none has to wait for long.

        A check that the database judges leaves so little to do that it is done here.
        """
        if job.check.only_problems:
            yield from synchronous.Backend().evaluate_batches(job, batches)
            return
        try:
            yield from Conveyor(self._supervisor, job).run(batches)
        except WorkersCannotStartError as error:
            raise BackendError(
                f"the workers cannot start: {error}",
                "`--workers 1` does without them and shows more.",
            ) from error
        finally:
            self._supervisor.abandon()

    def close(self) -> None:
        """End the workers."""
        self._supervisor.close()
