"""The one clock that all hosts share: the database's."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

from django.db import connections
from django.db.models import DateTimeField, Expression, Value

from dwatch.store.transactions import database

if TYPE_CHECKING:
    from decimal import Decimal

    from django.db.backends.base.base import BaseDatabaseWrapper

# Seconds since 1970 and UTC mean the same whatever the session's time zone is.
_QUESTIONS = {
    "postgresql": "SELECT EXTRACT(EPOCH FROM STATEMENT_TIMESTAMP())",
    "mysql": "SELECT UTC_TIMESTAMP(6)",
    "sqlite": "SELECT STRFTIME('%Y-%m-%d %H:%M:%f', 'now')",
}
_IN_SECONDS = {
    "postgresql": "STATEMENT_TIMESTAMP() + {} * INTERVAL '1 second'",
    "mysql": "UTC_TIMESTAMP(6) + INTERVAL {} SECOND",
    "sqlite": "STRFTIME('%%Y-%%m-%%d %%H:%%M:%%f', 'now', '{:+} seconds')",
}


def shared_now() -> datetime:
    """Return the present moment in UTC, as the database sees it.

    Leases go by it, so that a host whose clock is ahead does not take the leases
    of the others for expired.
    """
    connection = connections[database()]
    question = _QUESTIONS.get(connection.vendor)
    if question is None:
        return datetime.now(UTC)
    with connection.cursor() as cursor:
        cursor.execute(question)
        return _moment(cursor.fetchone()[0])


class InSeconds(Expression):
    """The moment that many seconds from now, computed by the database as it writes."""

    def __init__(self, seconds: int) -> None:
        super().__init__(output_field=DateTimeField())
        self._seconds = seconds

    def as_sql(self, compiler: Any, connection: BaseDatabaseWrapper) -> Any:
        """Return the expression; the moment itself where the columns are not in UTC."""
        in_utc = connection.vendor == "postgresql" or connection.timezone_name == "UTC"
        if in_utc and connection.vendor in _IN_SECONDS:
            return _IN_SECONDS[connection.vendor].format(self._seconds), []
        moment = Value(shared_now() + timedelta(seconds=self._seconds), DateTimeField())
        sql, params = compiler.compile(moment)
        return sql, list(params)


def _moment(answer: datetime | str | Decimal) -> datetime:
    if isinstance(answer, datetime):
        return answer.replace(tzinfo=UTC)
    if isinstance(answer, str):
        return datetime.fromisoformat(answer).replace(tzinfo=UTC)
    return datetime.fromtimestamp(float(answer), UTC)
