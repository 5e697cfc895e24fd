"""Writes result rows and their history in bulk."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

from django.db import connections

from dwatch.core.identifier import storage_key
from dwatch.fields import EncodedJSON
from dwatch.models import Result, StatusChange
from dwatch.store.transactions import database

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from datetime import datetime

    from django.db.backends.base.base import BaseDatabaseWrapper
    from django.db.backends.utils import CursorWrapper

    from dwatch.core.outcome import Outcome
    from dwatch.core.transition import StoredResult

_STATEMENT_CHARACTERS = 4_000_000
"""MariaDB takes statements of up to 16 MB by default, and escaping makes texts longer."""
_OTHER_CHARACTERS = 2000
"""Room for a result's other columns."""
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
    run_id: int
    reason: str
    now: datetime
    loaded_at: datetime


def insert(outcomes: Sequence[Outcome], stamp: Stamp) -> None:
    """Insert new results with their first status change.

    In plain SQL: building model instances and statements for them takes most of
    the time of a first run. The history is made from the rows just inserted,
    which are those of this check and run with a key above all earlier ones.
    """
    if not outcomes:
        return
    connection = connections[database()]
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT COALESCE(MAX(id), 0) FROM {_RESULTS}")  # noqa: S608 - our own table
        latest = cursor.fetchone()[0]
        encode = _Encoder(connection, stamp)
        _insert_many(cursor, connection.vendor, [encode.row(outcome) for outcome in outcomes])
        cursor.execute(_FIRST_CHANGES, encode.first_changes(latest))


def find(outcomes: Sequence[Outcome], stamp: Stamp) -> list[tuple[int, Outcome]]:
    """Return the primary keys of the results of these outcomes."""
    by_key = {storage_key(outcome.identifier): outcome for outcome in outcomes}
    rows = Result.objects.using(database()).filter(
        check_state=stamp.state_id, identifier__in=list(by_key)
    )
    return [(pk, by_key[key]) for pk, key in rows.values_list("pk", "identifier")]


def rewrite(pairs: Sequence[tuple[StoredResult, Outcome]], stamp: Stamp) -> None:
    """Rewrite the results whose content changed; ``since`` only with the status."""
    moved = [pair for pair in pairs if pair[0].status != pair[1].status]
    same = [pair for pair in pairs if pair[0].status == pair[1].status]
    _upsert(moved, stamp, [*_CONTENT, "since"])
    _upsert(same, stamp, _CONTENT)


def record_changes(changed: Iterable[tuple[StoredResult, Outcome]], stamp: Stamp) -> None:
    """Add the history of results whose status changed."""
    StatusChange.objects.using(database()).bulk_create(
        StatusChange(
            result_id=row.pk,
            from_status=row.status,
            to_status=outcome.status,
            changed_at=stamp.now,
            reason=stamp.reason,
            run=stamp.run_id,
        )
        for row, outcome in changed
    )


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
    largest = max(
        len(outcome.identifier) + len(outcome.data) + len(outcome.traceback) for _, outcome in pairs
    )
    targets = connections[database()].features.supports_update_conflicts_with_target
    Result.objects.using(database()).bulk_create(
        results,
        batch_size=max(1, _STATEMENT_CHARACTERS // (largest + _OTHER_CHARACTERS)),
        update_conflicts=True,
        update_fields=columns,
        unique_fields=["pk"] if targets else None,
    )


def _result(outcome: Outcome, stamp: Stamp, pk: int) -> Result:
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


_RESULTS = Result._meta.db_table
_COLUMNS = (
    "check_state_id, identifier, long_identifier, status, since, first_seen, description,"
    " data, error, traceback, digest, evaluated_at, last_run"
)
_PLACEHOLDERS = f"({', '.join(['%s'] * len(_COLUMNS.split(',')))})"
_FIRST_CHANGES = (
    f"INSERT INTO {StatusChange._meta.db_table}"  # noqa: S608 - names of our own tables
    " (result_id, from_status, to_status, changed_at, reason, run)"
    f" SELECT id, NULL, status, %s, %s, %s FROM {_RESULTS}"
    " WHERE id > %s AND check_state_id = %s AND last_run = %s"
)


class _Encoder:
    """Encodes outcomes as the database's driver takes them."""

    def __init__(self, connection: BaseDatabaseWrapper, stamp: Stamp) -> None:
        self._stamp = stamp
        self._now = connection.ops.adapt_datetimefield_value(stamp.now)
        self._loaded_at = connection.ops.adapt_datetimefield_value(stamp.loaded_at)
        self._as_bytes = connection.vendor == "mysql"

    def row(self, outcome: Outcome) -> tuple[Any, ...]:
        """Return the values of ``_COLUMNS``."""
        key = storage_key(outcome.identifier)
        return (
            self._stamp.state_id,
            key.encode() if self._as_bytes else key,
            "" if key == outcome.identifier else outcome.identifier,
            int(outcome.status),
            self._now,
            self._now,
            outcome.description,
            outcome.data,
            outcome.error,
            outcome.traceback,
            outcome.digest(),
            self._loaded_at,
            self._stamp.run_id,
        )

    def first_changes(self, latest: int) -> tuple[Any, ...]:
        """Return the parameters of ``_FIRST_CHANGES``."""
        stamp = self._stamp
        return (self._now, stamp.reason, stamp.run_id, latest, stamp.state_id, stamp.run_id)


def _insert_many(cursor: CursorWrapper, vendor: str, rows: Sequence[tuple[Any, ...]]) -> None:
    head = f"INSERT INTO {_RESULTS} ({_COLUMNS}) VALUES "  # noqa: S608 - our own table
    if vendor == "postgresql":
        # Its driver would send the rows one by one.
        values = [value for row in rows for value in row]
        cursor.execute(head + ", ".join([_PLACEHOLDERS] * len(rows)), values)
    else:
        cursor.executemany(head + _PLACEHOLDERS, rows)
