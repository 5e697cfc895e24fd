"""What to make of a database that says "not now", or that has gone away."""

from __future__ import annotations

import random
import time
from contextlib import suppress
from enum import Enum
from typing import TYPE_CHECKING, TypeVar

from django.db import Error, IntegrityError, InterfaceError, OperationalError, connections

if TYPE_CHECKING:
    from collections.abc import Callable

T = TypeVar("T")


class Outage(Enum):
    """Why a statement failed that may succeed when it is tried again."""

    busy = "busy"
    """Others hold what it needs: a lock, a deadlock, a serialisation failure."""
    lost = "lost"
    """The connection is gone; a new one has to be made."""
    collision = "collision"
    """Somebody else inserted the same row at the same moment."""


PATIENCE_SECONDS = 20.0
"""How long what others hold, or a server that restarts, is waited for in all."""
_PATIENCE = {
    Outage.busy: PATIENCE_SECONDS,
    Outage.lost: PATIENCE_SECONDS,
    Outage.collision: 3.0,  # then it is no collision, but a row that cannot be
}
_FIRST_DELAY, _LONGEST_DELAY = 0.05, 2.0

_POSTGRESQL_BUSY = {"40001", "40P01", "55P03"}  # serialisation, deadlock, lock timeout
# Connection exceptions; shut down, crashed, starting; idle, within a transaction or not; too many.
_POSTGRESQL_LOST = ("08", "57P01", "57P02", "57P03", "57P05", "25P03", "53300")
_MYSQL_BUSY = {1020, 1205, 1213}  # record changed, lock timeout, deadlock
# Too many connections, shutdown, killed, network; and the client's own: refused, gone, cut,
# out of step (2014) because a signal has torn the reader away from an answer.
_MYSQL_LOST = {
    *(1040, 1053, 1152, 1158, 1159, 1160, 1161, 1927),
    *(2002, 2003, 2006, 2013, 2014, 2055, 4031),
}
_SQLITE_BUSY = ("database is locked", "database table is locked", "database schema is locked")


def outage_of(error: Error) -> Outage | None:
    """Return what kind of outage the error tells of, None if trying again is no use."""
    if isinstance(error, IntegrityError):
        return Outage.collision
    cause = error.__cause__
    state = getattr(cause, "sqlstate", None) or getattr(cause, "pgcode", None)
    if state is not None:
        return _of_postgresql(state)
    if type(cause).__module__.startswith("psycopg"):
        # What has no code comes from the client's library: no server answers behind it.
        is_network = isinstance(error, (OperationalError, InterfaceError))
        return Outage.lost if is_network else None
    return _of_others(error)


def persist(work: Callable[[], T], alias: str, *, patience: float = PATIENCE_SECONDS) -> T:
    """Return what the work returns, trying again while the database has an outage.

    The delays grow, the connection is made anew if it was lost, and after
    ``patience`` seconds the last error is raised. Within a transaction there is
    one try, since only who began that one can start it again.
    """
    connection = connections[alias]
    if connection.in_atomic_block:
        return work()
    started, delay = time.monotonic(), _FIRST_DELAY
    collided: float | None = None
    while True:
        try:
            return work()
        except Error as error:
            outage = outage_of(error)
            since = started
            if outage is Outage.collision:
                # What took long before the rows met does not count: a second try is due.
                since = collided = collided or time.monotonic()
            waited = time.monotonic() - since
            if outage is None or waited >= min(patience, _PATIENCE[outage]):
                raise
        if outage is Outage.lost:
            with suppress(Error):
                connection.close()
        time.sleep(delay * random.uniform(0.5, 1.5))  # noqa: S311 - spreads retries, no secret
        delay = min(2 * delay, _LONGEST_DELAY)


def drop_broken_connections() -> bool:
    """Close the connections that an error has left unusable; return whether there were any.

    Their next use makes new ones. Else a payload during which the connection was cut
    would take all later ones with it.
    """
    dropped = False
    for connection in connections.all(initialized_only=True):
        if connection.connection is None or connection.in_atomic_block:
            continue
        if not connection.errors_occurred:
            continue
        if connection.is_usable():
            connection.errors_occurred = False
        else:
            dropped = True
            with suppress(Error):
                connection.close()
    return dropped


def _of_postgresql(state: str) -> Outage | None:
    if state in _POSTGRESQL_BUSY:
        return Outage.busy
    return Outage.lost if state.startswith(_POSTGRESQL_LOST) else None


def _of_others(error: Error) -> Outage | None:
    code = error.args[0] if error.args else None
    if code in _MYSQL_BUSY or str(error).startswith(_SQLITE_BUSY):
        return Outage.busy
    # 0 is what MySQL's driver says of a connection that is closed already.
    is_closed = isinstance(error, InterfaceError) and code == 0
    return Outage.lost if code in _MYSQL_LOST or is_closed else None
