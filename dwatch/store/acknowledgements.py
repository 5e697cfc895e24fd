"""Acknowledgements: given, withdrawn, and ended when the problem changes."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.db.models import F

from dwatch.core.status import Status
from dwatch.core.transition import less_severe
from dwatch.models import Acknowledgement, Result
from dwatch.store.transactions import database, write

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from datetime import datetime

    from dwatch.core.outcome import Outcome
    from dwatch.core.transition import StoredResult


def end_overtaken(changes: Sequence[tuple[StoredResult, Outcome]], now: datetime) -> None:
    """End what a recovery or a worsening makes void; at most one query per status.

    Worse means worse than the status that was acknowledged, so an acknowledged
    critical that is unknown for a while and critical again stays acknowledged.
    """
    for status in Status:
        if status is Status.unknown:  # neither a recovery nor worse than any problem
            continue
        results = [row.pk for row, outcome in changes if outcome.status is status]
        if not results:
            continue
        affected = _open().filter(result__in=results)
        if status.is_problem:
            affected = affected.filter(status__in=less_severe(status))
        ended = (
            Acknowledgement.Ended.WORSENED if status.is_problem else Acknowledgement.Ended.RECOVERED
        )
        affected.update(ended_at=now, ended=ended)


def replace_acknowledgement(
    result_id: int,
    decide: Callable[[Result, Acknowledgement | None], Acknowledgement],
    now: datetime,
) -> Acknowledgement:
    """Store what ``decide`` makes of the locked result and its open acknowledgement.

    Whatever ``decide`` raises leaves everything as it was.
    """

    def work() -> Acknowledgement:
        result = _locked_result(result_id)
        current = _open().filter(result=result_id, until__gt=now).first()
        replacement = decide(result, current)
        _open().filter(result=result_id).update(ended_at=now, ended=Acknowledgement.Ended.REPLACED)
        replacement.save(using=database())
        return replacement

    return write(work)


def withdraw_acknowledgement(result_id: int, now: datetime) -> bool:
    """End the result's open acknowledgement; return whether there was one."""
    return bool(
        write(
            lambda: (
                _open()
                .filter(result=result_id, until__gt=now)
                .update(ended_at=now, ended=Acknowledgement.Ended.WITHDRAWN)
            )
        )
    )


def _locked_result(result_id: int) -> Result:
    # The write comes first: SQLite cannot turn a reader into a writer safely, and
    # everywhere else it locks the row as a run's batch does.
    results = Result.objects.using(database()).filter(pk=result_id)
    results.update(last_run=F("last_run"))
    return results.select_related("check_state").get()


def _open() -> Any:
    return Acknowledgement.objects.using(database()).filter(ended_at__isnull=True)
