"""PostgreSQL: one statement compares and touches a batch, COPY inserts it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from dwatch.core.identifier import storage_key
from dwatch.store.writers.sql import COLUMNS, RESULTS, SqlWriter

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from django.db.backends.base.base import BaseDatabaseWrapper
    from django.db.backends.utils import CursorWrapper

    from dwatch.core.outcome import Outcome
    from dwatch.store.writers.stamp import Compared, Stamp

# The planner may know nothing of a table that is being filled: LATERAL with LIMIT,
# and ARRAY, leave it no choice but one search by identifier, then one by key.
_UNCHANGED = (
    "c.stored = c.digest AND c.vanished_at IS NULL"
    " AND c.last_run IS DISTINCT FROM %(run)s AND c.evaluated_at <= %(loaded_at)s"
)
_TOUCH = (
    "WITH c AS MATERIALIZED ("  # noqa: S608 - our own table
    "SELECT j.key, j.value::bigint AS digest, r.*"
    " FROM json_each_text(%(contents)s::json) AS j LEFT JOIN LATERAL ("
    "SELECT id, status, digest AS stored, evaluated_at, vanished_at, last_run"
    f" FROM {RESULTS} WHERE check_state_id = %(state)s AND identifier = j.key"
    " LIMIT 1 FOR NO KEY UPDATE) AS r ON TRUE"
    "), touched AS ("
    f"UPDATE {RESULTS} SET evaluated_at = %(loaded_at)s, last_run = %(run)s"
    f" WHERE id = ANY(ARRAY(SELECT c.id FROM c WHERE {_UNCHANGED}))"
    ") SELECT key, id, status, stored, evaluated_at, vanished_at, last_run"
    f" FROM c WHERE ({_UNCHANGED}) IS NOT TRUE"
)
_COPY = f"COPY {RESULTS} ({COLUMNS}) FROM STDIN"


class PostgresqlWriter(SqlWriter):
    """Writes to PostgreSQL through psycopg 3."""

    def __init__(self, connection: BaseDatabaseWrapper, stamp: Stamp) -> None:
        super().__init__(connection, stamp)
        # Text, as it is all the same for COPY and need not be made for each row.
        self._now = stamp.now.isoformat()
        self._loaded_at = stamp.loaded_at.isoformat()

    @classmethod
    def suits(cls, connection: BaseDatabaseWrapper) -> bool:
        """Return whether the driver is psycopg 3: psycopg2 has another way to COPY."""
        driver: Any = connection
        return hasattr(driver.Database, "Copy")

    def touch_unchanged(self, outcomes: list[Outcome]) -> Compared:
        """Note that what is merely seen again was seen; return the other outcomes."""
        # In one order, so that two writers never wait for each other.
        by_key = {storage_key(outcome.identifier): outcome for outcome in outcomes}
        by_key = {key: by_key[key] for key in sorted(by_key)}
        with self._connection.cursor() as cursor:
            cursor.execute(
                _TOUCH,
                {
                    "contents": self._contents(by_key),
                    "state": self._stamp.state_id,
                    "run": self._stamp.run_id,
                    "loaded_at": self._stamp.loaded_at,
                },
            )
            return self._compared(cursor.fetchall(), by_key)

    def _moment(self, value: Any) -> datetime:
        moment: datetime = value
        return moment

    def _insert(self, cursor: CursorWrapper, rows: Sequence[tuple[Any, ...]]) -> None:
        # Django lets COPY through to the driver, and the driver's errors with it.
        with self._connection.wrap_database_errors, cursor.copy(_COPY) as copy:
            for row in rows:
                copy.write_row(row)
