"""Transactions that get through: retried when the database says "not now" or went away."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeVar

from django.db import Error, connections, router, transaction

from dwatch.exceptions import DatabaseBusyError
from dwatch.models import Result
from dwatch.outages import PATIENCE_SECONDS, Outage, outage_of, persist
from dwatch.store.locks import bounded_waits, take_writers_place

if TYPE_CHECKING:
    from collections.abc import Callable

T = TypeVar("T")


def database() -> str:
    """Return the alias of the database that holds the results."""
    return router.db_for_write(Result)


def is_enclosed() -> bool:
    """Return whether we are within somebody else's transaction: only its end stores for good."""
    return connections[database()].in_atomic_block


def read(work: Callable[[], T]) -> T:
    """Return what the work reads, with a new connection if the old one was cut."""
    return persist(work, database())


def write(
    work: Callable[[], T],
    *,
    landed: Callable[[], bool] | None = None,
    patience: float = PATIENCE_SECONDS,
) -> T:
    """Run the work in a transaction and return its result.

    Deadlocks, lock timeouts, SQLite's "database is locked", lost connections and
    a row inserted by somebody else at the same moment are tried again, for
    ``patience`` seconds in all; the work must therefore do nothing but touch the
    database. After a COMMIT that nobody answered, ``landed`` is asked, within the
    next transaction, whether it arrived; without it, the work must be one that
    may be done twice. Raises DatabaseBusyError if others never let go.

    Within a transaction of the caller's there is one try, since only the caller
    can start that one again, and that raises the database's own error.
    """
    alias = database()
    if is_enclosed():
        with transaction.atomic(using=alias):
            take_writers_place(connections[alias])
            return work()
    sent: list[T] = []  # what the work returned, as long as its COMMIT may have been in vain

    def attempt() -> T:
        with transaction.atomic(using=alias), bounded_waits(connections[alias]):
            if not (sent and landed is not None and landed()):
                sent.clear()
                sent.append(work())
        return sent[0]

    try:
        return persist(attempt, alias, patience=patience)
    except Error as error:
        if outage_of(error) is Outage.busy:
            raise DatabaseBusyError(
                f"others have kept the database locked for {patience:.0f} seconds: "
                f"{' '.join(str(error).split()):.200}",
                "Look for a long transaction, or for a process that froze within one.",
            ) from error
        raise
