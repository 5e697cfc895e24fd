"""The record of each execution of a check."""

from __future__ import annotations

import os
import socket
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from django.db.models import Q

from dwatch import __version__
from dwatch.core.plan import MAX_CLOCK_SKEW
from dwatch.core.status import Status
from dwatch.models import CheckState, Result, Run
from dwatch.store import unconfirmed
from dwatch.store.states import write_fenced
from dwatch.store.transactions import database, read, write

if TYPE_CHECKING:
    from collections.abc import Mapping

    from dwatch.querysets import ResultQuerySet
    from dwatch.store.batches import BatchWritten
    from dwatch.store.states import Lease


@dataclass(frozen=True, slots=True)
class RunEnd:
    """How a run ended."""

    state: Run.State
    error: str = ""
    traceback: str = ""
    vanished: int = 0


def start_run(
    lease: Lease, *, reason: str, slot: datetime | None, now: datetime, user: Any = None
) -> Run:
    """Record that a run began."""
    run = Run(
        check_state_id=lease.state_id,
        reason=reason,
        slot=slot,
        started_at=now,
        host=socket.gethostname()[:200],
        pid=os.getpid(),
        version=__version__,
        user=user,
    )
    rows = Run.objects.using(database()).filter(check_state=lease.state_id, started_at=now)

    def work() -> None:
        # It is there already if an earlier COMMIT arrived and was not answered.
        if not rows.filter(pk=run.pk).exists():
            run.pk = None
            run.save(using=database(), force_insert=True)

    write(work)
    return run


def finish_run(run: Run, written: BatchWritten, end: RunEnd) -> None:
    """Record how a run ended and what it found."""
    values = {
        "state": end.state,
        "finished_at": datetime.now(UTC),
        "errors": written.errors + bool(end.error),
        "skipped": written.skipped,
        "vanished": end.vanished,
        "duplicates": written.duplicates,
        "status_changes": written.status_changes,
        "error": end.error,
        "traceback": end.traceback,
        **{status.name: written.counts[status] for status in Status},
    }
    rows = Run.objects.using(database()).filter(pk=run.pk)
    write(lambda: rows.update(**values))


def hide_unseen(lease: Lease, run: Run) -> int:
    """Mark results that a complete run no longer produced as vanished; return how many.

    Those judged since the run began (by a trigger) are there, whatever it saw,
    unless it was by a clock that was far ahead.
    """

    def work() -> int:
        now = datetime.now(UTC)
        hidden = unseen_results(lease, run).update(vanished_at=now)
        if hidden:
            unconfirmed.forget_vanished(lease.state_id, now)
        return hidden

    return write_fenced(lease, work)


def unseen_results(lease: Lease, run: Run) -> ResultQuerySet:
    """Return the visible results that the run has not judged, nor a trigger since it began."""
    return (
        Result.objects.using(database())
        .visible()
        .filter(
            Q(last_run__isnull=True) | ~Q(last_run=run.pk),
            Q(evaluated_at__lt=run.started_at)
            | Q(evaluated_at__gt=datetime.now(UTC) + MAX_CLOCK_SKEW),
            check_state=lease.state_id,
        )
    )


def has_results(lease: Lease) -> bool:
    """Return whether the check has any result, be it vanished."""
    results = Result.objects.using(database()).filter(check_state=lease.state_id)
    return read(results.exists)


def left_out_only_what_is_fine(lease: Lease) -> bool:
    """Return whether a run of the check, refreshes apart, was complete, and no cap hid a problem.

    Then a payload without a result was fine when it was looked at last.
    """
    state = read(CheckState.objects.using(database()).filter(pk=lease.state_id).first)
    if state is None:  # deleted by a cleanup that does not know the check; the fence will tell
        return False
    if any(state.unstored[status] for status in Status if status.is_problem):
        return False
    complete = Run.objects.using(database()).filter(
        check_state=lease.state_id, state=Run.State.COMPLETE
    )
    return read(complete.exclude(reason=Run.Reason.REFRESH).exists)


def note_unstored(lease: Lease, counts: Mapping[Status, int]) -> None:
    """Remember how many payloads of each status a complete run made no results of.

    Raises LeaseLostError if another run took the check over.
    """
    state = CheckState.objects.using(database()).filter(pk=lease.state_id)
    values = {f"unstored_{status.name}": counts.get(status, 0) for status in Status}

    write_fenced(lease, lambda: state.update(**values))
