"""How long our statements wait for the locks of others: seconds, where servers wait for ever."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from dwatch import conf
from dwatch.models import CheckState

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from django.db.backends.base.base import BaseDatabaseWrapper

LOCK_SECONDS = 3
"""PostgreSQL waits for ever by default, InnoDB for 50 s; SQLite's own default of 5 s is left."""
_LEAST_IDLE_SECONDS = 5
_POSTGRESQL = (
    "SELECT set_config('lock_timeout', %s, true),"
    " set_config('idle_in_transaction_session_timeout', %s, true)"
)
_WAITING_STATEMENTS = ("UPDATE", "DELETE", "INSERT")


@contextmanager
def bounded_waits(connection: BaseDatabaseWrapper) -> Iterator[None]:
    """Bound the waits of the transaction just begun; nothing outlives it.

    MySQL has no setting for a single statement or transaction and waits as its
    ``innodb_lock_wait_timeout`` says.
    """
    if connection.vendor == "postgresql":
        # Who is frozen in mid-transaction is cut off too, so that its locks end.
        idle = max(_LEAST_IDLE_SECONDS, conf.lease_seconds())
        with connection.cursor() as cursor:
            cursor.execute(_POSTGRESQL, [f"{LOCK_SECONDS}s", f"{idle}s"])
    take_writers_place(connection)
    if getattr(connection, "mysql_is_mariadb", False):
        with connection.execute_wrapper(_bound):
            yield
    else:
        yield


def take_writers_place(connection: BaseDatabaseWrapper) -> None:
    """Ask SQLite for the one writer's place at once, and wait for it.

    It refuses, without waiting, to make a writer of who has begun as a reader.
    """
    if connection.vendor == "sqlite":
        CheckState.objects.using(connection.alias).filter(pk=0).update(lease_token="")


def _bound(
    execute: Callable[..., Any], sql: str, params: Any, many: Any, context: Mapping[str, Any]
) -> Any:
    """Let one statement of MariaDB wait for a few seconds only, at no round trip."""
    # The driver sends many rows at once only if it finds its own words at the beginning.
    if not many and (sql.startswith(_WAITING_STATEMENTS) or sql.endswith("FOR UPDATE")):
        sql = f"SET STATEMENT innodb_lock_wait_timeout={LOCK_SECONDS} FOR {sql}"
    return execute(sql, params, many, context)
