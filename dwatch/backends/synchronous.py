"""Evaluates in this process, one batch after the other."""

from __future__ import annotations

from typing import TYPE_CHECKING

from dwatch.work import evaluate_batch

if TYPE_CHECKING:
    from collections.abc import Iterator

    from dwatch.backends.base import Batches, Job
    from dwatch.core.outcome import OutcomeBatch

_LATE_SECONDS = 1.0


class Backend:
    """Has no workers; honours a check's timeout as far as Python can interrupt its code."""

    def __init__(self, workers: int = 1) -> None:
        del workers  # more would have made it another backend

    def evaluate_batches(self, job: Job, batches: Batches) -> Iterator[OutcomeBatch]:
        """Yield the outcomes of each batch, in order."""
        timeout = job.check.timeout
        limit = job.stop.time_limit(timeout) if timeout else None
        if timeout and limit is None:
            job.note(
                f"Its timeout of {timeout:g} s was not watched: only the main thread can be "
                "interrupted, or a worker (--workers)."
            )
        for payloads, loaded_at in batches:
            yield from evaluate_batch(
                job.check,
                payloads,
                loaded_at=loaded_at,
                state_id=job.state_id,
                stop=job.stop,
                limit=limit,
            )
            if job.stop:
                break
        if limit and limit.longest > limit.seconds + _LATE_SECONDS:
            job.note(
                f"A payload took {limit.longest:.1f} s, over its timeout of {limit.seconds:g} s: "
                "Python could not interrupt it. Workers (--workers) are killed instead."
            )

    def close(self) -> None:
        """Do nothing: nothing was started."""
