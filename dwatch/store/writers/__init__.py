"""How result rows are read and written in bulk, in each database's quickest way.

:mod:`~dwatch.store.writers.orm` defines what a batch needs and does it with plain
Django, on any database; the others replace what measured slow there.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.db import connections

from dwatch.store.transactions import database
from dwatch.store.writers.mysql import MysqlWriter
from dwatch.store.writers.orm import OrmWriter
from dwatch.store.writers.postgresql import PostgresqlWriter
from dwatch.store.writers.sqlite import SqliteWriter

if TYPE_CHECKING:
    from django.db.backends.base.base import BaseDatabaseWrapper

    from dwatch.store.writers.stamp import Stamp

_WRITERS: dict[str, type[OrmWriter]] = {
    "sqlite": SqliteWriter,
    "postgresql": PostgresqlWriter,
    "mysql": MysqlWriter,
}


def writer_for(stamp: Stamp) -> OrmWriter:
    """Return the writer of one batch, for the database that holds the results."""
    connection = connections[database()]
    return kind_for(connection)(connection, stamp)


def kind_for(connection: BaseDatabaseWrapper) -> type[OrmWriter]:
    """Return the kind of writer that suits a database."""
    kind = _WRITERS.get(connection.vendor, OrmWriter)
    return kind if kind.suits(connection) else OrmWriter
