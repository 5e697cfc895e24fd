"""The one clock that all hosts share: the database's."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING

from django.db import connections

from dwatch.store.transactions import database

if TYPE_CHECKING:
    from decimal import Decimal

# Seconds since 1970 and UTC mean the same whatever the session's time zone is.
_QUESTIONS = {
    "postgresql": "SELECT EXTRACT(EPOCH FROM STATEMENT_TIMESTAMP())",
    "mysql": "SELECT UTC_TIMESTAMP(6)",
    "sqlite": "SELECT STRFTIME('%Y-%m-%d %H:%M:%f', 'now')",
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


def _moment(answer: datetime | str | Decimal) -> datetime:
    if isinstance(answer, datetime):
        return answer.replace(tzinfo=UTC)
    if isinstance(answer, str):
        return datetime.fromisoformat(answer).replace(tzinfo=UTC)
    return datetime.fromtimestamp(float(answer), UTC)
