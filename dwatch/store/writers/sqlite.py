"""SQLite: one statement compares a whole batch, a second one touches what is unchanged."""

from __future__ import annotations

from typing import TYPE_CHECKING

from dwatch.core.identifier import storage_key
from dwatch.store.writers.sql import RESULTS, SqlWriter

if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import Any

    from django.db.backends.base.base import BaseDatabaseWrapper

    from dwatch.core.outcome import Outcome
    from dwatch.store.writers.stamp import Compared

# The batch is one JSON object, so that no limit on the number of values applies.
# "+" and CROSS JOIN keep the planner to one search by identifier for each.
_UNCHANGED = (
    "r.digest = j.value AND +r.vanished_at IS NULL AND r.last_run IS NOT %s"
    " AND r.evaluated_at <= %s"
)
_DIFFERENT = (
    "SELECT j.key, r.id, r.status, r.digest, r.evaluated_at, r.vanished_at, r.last_run"  # noqa: S608 - our own table
    f" FROM json_each(%s) AS j LEFT JOIN {RESULTS} AS r"
    f" ON r.check_state_id = %s AND r.identifier = j.key WHERE ({_UNCHANGED}) IS NOT TRUE"
)
_TOUCH = (
    f"UPDATE {RESULTS} SET evaluated_at = %s, last_run = %s WHERE id IN ("  # noqa: S608 - as above
    f"SELECT r.id FROM json_each(%s) AS j CROSS JOIN {RESULTS} AS r"
    f" WHERE r.check_state_id = %s AND r.identifier = j.key AND {_UNCHANGED})"
)


class SqliteWriter(SqlWriter):
    """Writes to SQLite, which has one writer at a time: nothing changes in between."""

    @classmethod
    def suits(cls, connection: BaseDatabaseWrapper) -> bool:
        """Return whether SQLite was built with its JSON functions."""
        return bool(connection.features.supports_json_field)

    def touch_unchanged(self, outcomes: list[Outcome]) -> Compared:
        """Note that what is merely seen again was seen; return the other outcomes."""
        by_key = {storage_key(outcome.identifier): outcome for outcome in outcomes}
        contents = self._contents(by_key)
        stamp, loaded_at = self._stamp, self._loaded_at
        unless_judged = (stamp.run_id, loaded_at)
        with self._connection.cursor() as cursor:
            cursor.execute(_DIFFERENT, (contents, stamp.state_id, *unless_judged))
            rows: Sequence[tuple[Any, ...]] = cursor.fetchall()
            if len(rows) < len(by_key):
                touched = (loaded_at, stamp.run_id, contents, stamp.state_id, *unless_judged)
                cursor.execute(_TOUCH, touched)
        return self._compared(rows, by_key)
