"""Plain SQL: models, and statements built for them, take most of a run's time."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from dwatch.core.identifier import storage_key
from dwatch.core.outcome import Disposition
from dwatch.core.status import Status
from dwatch.core.transition import StoredResult
from dwatch.models import Result, StatusChange
from dwatch.store.writers.orm import OrmWriter
from dwatch.store.writers.stamp import Compared

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import datetime

    from django.db.backends.base.base import BaseDatabaseWrapper
    from django.db.backends.utils import CursorWrapper

    from dwatch.core.outcome import Outcome
    from dwatch.store.writers.stamp import Stamp

RESULTS = Result._meta.db_table
COLUMNS = (
    "check_state_id, identifier, long_identifier, status, since, first_seen, description,"
    " data, error, traceback, digest, evaluated_at, last_run"
)
_INSERT = (
    f"INSERT INTO {RESULTS} ({COLUMNS})"  # noqa: S608 - our own table
    f" VALUES ({', '.join(['%s'] * len(COLUMNS.split(',')))})"
)
# "+ 0" keeps planners from looking through all results of the check: the rows
# just inserted are those with a key above all earlier ones.
_FIRST_CHANGES = (
    f"INSERT INTO {StatusChange._meta.db_table}"  # noqa: S608 - names of our own tables
    " (result_id, from_status, to_status, changed_at, reason, run)"
    f" SELECT id, NULL, status, %s, %s, %s FROM {RESULTS}"
    " WHERE id > %s AND check_state_id + 0 = %s AND last_run + 0 = %s"
)


class SqlWriter(OrmWriter):
    """What the writers in plain SQL have in common."""

    def __init__(self, connection: BaseDatabaseWrapper, stamp: Stamp) -> None:
        super().__init__(connection, stamp)
        self._now = connection.ops.adapt_datetimefield_value(stamp.now)
        self._loaded_at = connection.ops.adapt_datetimefield_value(stamp.loaded_at)
        self._digests: Mapping[str, int] = {}
        """By storage key, of the outcomes that were compared."""

    def insert(self, outcomes: Sequence[Outcome]) -> None:
        """Insert new results with their first status change."""
        if not outcomes:
            return
        stamp = self._stamp
        with self._connection.cursor() as cursor:
            cursor.execute(f"SELECT COALESCE(MAX(id), 0) FROM {RESULTS}")  # noqa: S608 - our own table
            latest = cursor.fetchone()[0]
            self._insert(cursor, self._rows(outcomes))
            now = self._connection.ops.adapt_datetimefield_value(stamp.now)
            cursor.execute(
                _FIRST_CHANGES,
                (now, stamp.reason, stamp.run_id, latest, stamp.state_id, stamp.run_id),
            )
            recorded = cursor.rowcount
        if recorded != len(outcomes):
            self._add_forgotten(outcomes)

    def _add_forgotten(self, outcomes: Sequence[Outcome]) -> None:
        """Add first changes that are missing: keys do not grow if rows were loaded with theirs."""
        found = self.find(outcomes)
        changes = StatusChange.objects.using(self._connection.alias)
        present = changes.filter(result__in=[pk for pk, _ in found]).values_list(
            "result", flat=True
        )
        known = frozenset(present)
        self._add_changes((pk, None, outcome) for pk, outcome in found if pk not in known)

    def _insert(self, cursor: CursorWrapper, rows: Sequence[tuple[Any, ...]]) -> None:
        cursor.executemany(_INSERT, rows)

    def _rows(self, outcomes: Sequence[Outcome]) -> list[tuple[Any, ...]]:
        """Return the values of ``COLUMNS`` for each outcome."""
        stamp, now, loaded_at, digests = self._stamp, self._now, self._loaded_at, self._digests
        state_id, run_id, key_of = stamp.state_id, stamp.run_id, self._key
        rows = []
        for outcome in outcomes:
            identifier, status, description, data, error, traceback, *_ = outcome
            key = storage_key(identifier)
            digest = digests.get(key)
            rows.append(
                (
                    state_id,
                    key_of(key),
                    "" if key == identifier else identifier,
                    _NUMBERS[status],
                    now,
                    now,
                    description,
                    data,
                    error,
                    traceback,
                    outcome.digest() if digest is None else digest,
                    loaded_at,
                    run_id,
                )
            )
        return rows

    def _key(self, key: str) -> Any:
        """Return a storage key as the driver takes it."""
        return key

    def _contents(self, by_key: Mapping[str, Outcome]) -> str:
        """Return what to compare with as JSON: digest by key, null for what is no verdict."""
        judged = Disposition.judged
        self._digests = {
            key: outcome.digest() for key, outcome in by_key.items() if outcome[-1] is judged
        }
        if len(self._digests) == len(by_key):
            return json.dumps(self._digests, ensure_ascii=False)
        return json.dumps({key: self._digests.get(key) for key in by_key}, ensure_ascii=False)

    def _compared(self, rows: Sequence[tuple[Any, ...]], by_key: Mapping[str, Outcome]) -> Compared:
        """Return what is left to be dealt with, from keys and columns (all null without a row)."""
        stored: dict[str, StoredResult] = {}
        for key, *columns in rows:
            if columns[0] is not None:
                identifier = by_key[key].identifier
                stored[identifier] = self._stored(identifier, columns)
        if len(rows) == len(by_key):
            return Compared(list(by_key.values()), stored)
        different = {row[0] for row in rows}
        return Compared([one for key, one in by_key.items() if key in different], stored)

    def _stored(self, identifier: str, columns: Sequence[Any]) -> StoredResult:
        """Return a row from its columns: id, status, digest, and when evaluated, vanished, run."""
        pk, status, digest, evaluated_at, vanished_at, run_id = columns
        return StoredResult(
            pk,
            identifier,
            Status(status),
            digest,
            self._stamp.believed(self._moment(evaluated_at)),
            vanished_at is not None,
            run_id,
        )

    def _moment(self, value: Any) -> datetime:
        """Return what the driver gives for a moment as an aware datetime."""
        ops: Any = self._connection.ops
        moment: datetime = ops.convert_datetimefield_value(value, None, self._connection)
        return moment


_NUMBERS = {status: int(status) for status in Status}
