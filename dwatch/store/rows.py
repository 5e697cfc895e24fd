"""Writes result rows and their history in bulk, through Django's ORM on any database."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from django.db import connections

from dwatch.core.identifier import storage_key
from dwatch.fields import EncodedJSON
from dwatch.models import Result, StatusChange
from dwatch.store.transactions import database

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from datetime import datetime

    from dwatch.core.outcome import Outcome
    from dwatch.core.transition import StoredResult

_CONTENT = [
    "status",
    "description",
    "data",
    "error",
    "traceback",
    "digest",
    "evaluated_at",
    "last_run",
    "vanished_at",
]


class Stamp(NamedTuple):
    """What all rows of a batch have in common."""

    state_id: int
    run_id: int | None
    reason: str
    now: datetime
    loaded_at: datetime


def insert(outcomes: Sequence[Outcome], stamp: Stamp) -> list[tuple[int, Outcome]]:
    """Insert new results; return each with its primary key."""
    if not outcomes:
        return []
    results = [_result(outcome, stamp) for outcome in outcomes]
    Result.objects.using(database()).bulk_create(results)
    if not connections[database()].features.can_return_rows_from_bulk_insert:
        return _find(outcomes, stamp)
    return [(result.pk, outcome) for result, outcome in zip(results, outcomes, strict=True)]


def rewrite(pairs: Sequence[tuple[StoredResult, Outcome]], stamp: Stamp) -> None:
    """Rewrite the results whose content changed; ``since`` only with the status."""
    moved = [pair for pair in pairs if pair[0].status != pair[1].status]
    same = [pair for pair in pairs if pair[0].status == pair[1].status]
    _upsert(moved, stamp, [*_CONTENT, "since"])
    _upsert(same, stamp, _CONTENT)


def record_changes(
    created: Iterable[tuple[int, Outcome]],
    changed: Iterable[tuple[StoredResult, Outcome]],
    stamp: Stamp,
) -> None:
    """Add the history of new results and of those whose status changed."""
    rows = [_status_change(pk, None, outcome, stamp) for pk, outcome in created]
    rows += [_status_change(row.pk, row.status, outcome, stamp) for row, outcome in changed]
    StatusChange.objects.using(database()).bulk_create(rows)


def touch(unchanged: Sequence[StoredResult], stale: Sequence[StoredResult], stamp: Stamp) -> None:
    """Note that these were seen; nothing else of them is written."""
    results = Result.objects.using(database())
    if unchanged:
        results.filter(pk__in=[row.pk for row in unchanged]).update(
            evaluated_at=stamp.loaded_at, last_run=stamp.run_id
        )
    if stale:
        # They were judged from a newer copy: only their being there is news.
        results.filter(pk__in=[row.pk for row in stale]).update(last_run=stamp.run_id)


def hide(vanishing: Sequence[StoredResult], now: datetime) -> None:
    """Mark results as vanished."""
    if vanishing:
        keys = [row.pk for row in vanishing]
        Result.objects.using(database()).filter(pk__in=keys).update(vanished_at=now)


def _upsert(
    pairs: Sequence[tuple[StoredResult, Outcome]], stamp: Stamp, columns: list[str]
) -> None:
    if not pairs:
        return
    results = [_result(outcome, stamp, pk=row.pk) for row, outcome in pairs]
    targets = connections[database()].features.supports_update_conflicts_with_target
    Result.objects.using(database()).bulk_create(
        results,
        update_conflicts=True,
        update_fields=columns,
        unique_fields=["pk"] if targets else None,
    )


def _result(outcome: Outcome, stamp: Stamp, pk: int | None = None) -> Result:
    key = storage_key(outcome.identifier)
    return Result(
        pk=pk,
        check_state_id=stamp.state_id,
        identifier=key,
        long_identifier="" if key == outcome.identifier else outcome.identifier,
        status=outcome.status,
        since=stamp.now,
        first_seen=stamp.now,
        description=outcome.description,
        data=EncodedJSON(outcome.data),
        error=outcome.error,
        traceback=outcome.traceback,
        digest=outcome.digest(),
        evaluated_at=stamp.loaded_at,
        last_run=stamp.run_id,
        vanished_at=None,
    )


def _status_change(
    result_id: int, before: int | None, outcome: Outcome, stamp: Stamp
) -> StatusChange:
    return StatusChange(
        result_id=result_id,
        from_status=before,
        to_status=outcome.status,
        changed_at=stamp.now,
        reason=stamp.reason,
        run=stamp.run_id,
    )


def _find(outcomes: Sequence[Outcome], stamp: Stamp) -> list[tuple[int, Outcome]]:
    """Return new results' keys where the database does not tell them (MySQL)."""
    by_key = {storage_key(outcome.identifier): outcome for outcome in outcomes}
    rows = Result.objects.using(database()).filter(
        check_state=stamp.state_id, identifier__in=list(by_key)
    )
    return [(pk, by_key[key]) for pk, key in rows.values_list("pk", "identifier")]
