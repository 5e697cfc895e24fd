"""Transactions that get through: retried when the database says "not now"."""

from __future__ import annotations

import random
import time
from typing import TYPE_CHECKING, TypeVar

from django.db import IntegrityError, OperationalError, connections, router, transaction

from dwatch.models import CheckState, Result

if TYPE_CHECKING:
    from collections.abc import Callable

    from django.db.utils import DatabaseError

T = TypeVar("T")

_DELAYS = (0.05, 0.1, 0.2, 0.4, 0.8, 1.6)
_POSTGRESQL_TRANSIENT = {"40001", "40P01", "55P03"}  # serialisation, deadlock, lock timeout
_MYSQL_TRANSIENT = {1020, 1205, 1213}  # record changed, lock timeout, deadlock


def database() -> str:
    """Return the alias of the database that holds the results."""
    return router.db_for_write(Result)


def write(work: Callable[[], T]) -> T:
    """Run the work in a transaction and return its result.

    Deadlocks, lock timeouts, SQLite's "database is locked" and a row inserted
    by somebody else at the same moment are tried again, for three seconds in
    all; the work must therefore do nothing but touch the database. Within a
    transaction of the caller's there is one try, since only the caller can
    start that one again.
    """
    alias = database()
    for delay in _DELAYS if not connections[alias].in_atomic_block else ():
        try:
            return _try(work, alias)
        except (OperationalError, IntegrityError) as error:
            if not _is_transient(error):
                raise
        time.sleep(delay * random.uniform(0.5, 1.5))  # noqa: S311 - spreads retries, no secret
    return _try(work, alias)


def _try(work: Callable[[], T], alias: str) -> T:
    with transaction.atomic(using=alias):
        if connections[alias].vendor == "sqlite":
            # Asks for the one writer's place first and waits for it: SQLite refuses
            # at once, without waiting, to make a writer of who has begun as a reader.
            CheckState.objects.using(alias).filter(pk=0).update(lease_token="")
        return work()


def _is_transient(error: DatabaseError) -> bool:
    if isinstance(error, IntegrityError):
        return True
    cause = error.__cause__
    if getattr(cause, "sqlstate", None) in _POSTGRESQL_TRANSIENT:
        return True
    code = error.args[0] if error.args else None
    return code in _MYSQL_TRANSIENT or "database is locked" in str(error)
