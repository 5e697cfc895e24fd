"""MariaDB and MySQL: rows are compared here, without a model for each."""

from __future__ import annotations

from typing import TYPE_CHECKING

from dwatch.core.identifier import storage_key
from dwatch.core.outcome import Disposition
from dwatch.store.writers.sql import RESULTS, SqlWriter
from dwatch.store.writers.stamp import Compared

if TYPE_CHECKING:
    from dwatch.core.outcome import Outcome
    from dwatch.core.transition import StoredResult

# One order, so that two writers never wait for each other.
_READ = (
    "SELECT identifier, vanished_at IS NULL AND evaluated_at <= %s AND NOT (last_run <=> %s),"  # noqa: S608 - our own table
    " id, status, digest, evaluated_at, vanished_at, last_run"
    f" FROM {RESULTS} WHERE check_state_id = %s AND identifier IN (?)"
    " ORDER BY identifier FOR UPDATE"
)
_TOUCH = f"UPDATE {RESULTS} SET evaluated_at = %s, last_run = %s WHERE id IN (?)"  # noqa: S608 - as above


class MysqlWriter(SqlWriter):
    """Writes to MariaDB and MySQL, whose identifiers are bytes (see ``KeyField``)."""

    def touch_unchanged(self, outcomes: list[Outcome]) -> Compared:
        """Note that what is merely seen again was seen; return the other outcomes."""
        stamp = self._stamp
        by_key = {storage_key(outcome.identifier): outcome for outcome in outcomes}
        seen: list[int] = []
        unchanged: set[str] = set()
        stored: dict[str, StoredResult] = {}
        digests = self._digests = {
            key: outcome.digest()
            for key, outcome in by_key.items()
            if outcome.disposition is Disposition.judged
        }
        with self._connection.cursor() as cursor:
            keys = [key.encode() for key in by_key]
            statement = _READ.replace("?", ", ".join(["%s"] * len(keys)))
            cursor.execute(statement, (self._loaded_at, stamp.run_id, stamp.state_id, *keys))
            for key_bytes, is_comparable, *columns in cursor.fetchall():
                key, digest = key_bytes.decode(), columns[2]
                if is_comparable and digests.get(key) == digest:
                    seen.append(columns[0])
                    unchanged.add(key)
                else:
                    identifier = by_key[key].identifier
                    stored[identifier] = self._stored(identifier, columns)
            if seen:
                statement = _TOUCH.replace("?", ", ".join(map(str, seen)))
                cursor.execute(statement, (self._loaded_at, stamp.run_id))
        return Compared([one for key, one in by_key.items() if key not in unchanged], stored)

    def _key(self, key: str) -> bytes:
        return key.encode()
