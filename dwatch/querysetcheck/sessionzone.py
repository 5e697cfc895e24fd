"""Makes the database's clock tell the time in which moments are stored."""

from __future__ import annotations

from contextlib import contextmanager
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from django.db import connections

if TYPE_CHECKING:
    from collections.abc import Iterator


@contextmanager
def stored_time(alias: str) -> Iterator[None]:
    """Let ``Now()`` in queries be comparable with stored moments.

    MariaDB and MySQL answer it in the session's zone, which is the server's unless
    somebody says otherwise; Django stores UTC (or the database's ``TIME_ZONE``).
    """
    connection = connections[alias]
    if connection.vendor != "mysql":
        yield
        return
    with connection.cursor() as cursor:
        cursor.execute("SELECT @@SESSION.time_zone")
        (before,) = cursor.fetchone()
    try:
        with connection.cursor() as cursor:
            cursor.execute("SET SESSION time_zone = %s", [_offset(connection)])
        yield
    finally:
        with connection.cursor() as cursor:
            cursor.execute("SET SESSION time_zone = %s", [before])


def _offset(connection: Any) -> str:
    """Return the offset as +02:00; servers need not know the names of zones."""
    text = datetime.now(UTC).astimezone(connection.timezone or UTC).strftime("%z")
    return f"{text[:3]}:{text[3:5]}"
