"""Whatever a SELECT finds is wrong."""

from __future__ import annotations

import re
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar

from django.db import connections, transaction

from dwatch.builtin.attributes import refuse_status
from dwatch.core.check import BaseCheck
from dwatch.core.definition import name_of
from dwatch.core.identifier import identify
from dwatch.core.response import CheckResponse
from dwatch.core.status import Status
from dwatch.exceptions import DefinitionError
from dwatch.querysetcheck.sessionzone import stored_time

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

_BEFORE_THE_FIRST_WORD = re.compile(r"(?:\s+|--[^\n]*(?:\n|$)|/\*.*?\*/|\()*", re.DOTALL)
_LITERALS_AND_COMMENTS = re.compile(
    r"'(?:[^']|'')*'|\"[^\"]*\"|`[^`]*`|--[^\n]*(?:\n|$)|/\*.*?\*/", re.DOTALL
)


@dataclass(frozen=True, slots=True)
class BadRow:
    """One row of the answer."""

    identifier: Any
    columns: Mapping[str, Any]


class SqlCheck(BaseCheck):
    """Asks the database in SQL: each row of the answer is a payload with a problem.

    The columns become the data. A row that is no longer in the answer vanishes. The
    statement runs read-only on PostgreSQL, MariaDB, MySQL and SQLite, and its whole
    answer is held in memory.
    """

    sql: ClassVar[str] = ""
    """One SELECT (or WITH ... SELECT) that returns the bad rows."""
    identifier_column: ClassVar[str] = "id"
    description_column: ClassVar[str] = ""
    """The column with the words that people know a row by; default: the identifier."""
    status_column: ClassVar[str] = ""
    """The column that holds each row's status, by name or number; default: ``status``."""
    status: ClassVar[Status] = Status.critical
    using: ClassVar[str] = "default"
    """The alias of the database to ask."""

    def generate(self) -> list[BadRow]:
        """Return the rows of the answer."""
        return self._rows()

    def get_identifier(self, payload: BadRow) -> Any:
        """Return what names the row."""
        return payload.identifier

    def get_payload(self, identifier: str) -> Any:
        """Return the row as it is in the answer now, None if it is no longer there."""
        return self.get_payloads([identifier]).get(identifier)

    def get_payloads(self, identifiers: Any) -> Mapping[str, BadRow]:
        """Return those of the rows that are in the answer now."""
        wanted = set(identifiers)
        found: dict[str, BadRow] = {}
        for row in self._rows():
            name = identify(row.identifier).identifier
            if name in wanted and self._is_worse(row, found.get(name)):
                found[name] = row
        return found

    def get_payload_description(self, payload: BadRow) -> str:
        """Return the description column's value."""
        if not self.description_column:
            return str(payload.identifier)
        return str(payload.columns[self.description_column])

    def check(self, payload: BadRow) -> CheckResponse:
        """Return the row's status; raises ValueError for one that does not exist."""
        hidden = {self.identifier_column, self.description_column, self.status_column}
        data = {name: value for name, value in payload.columns.items() if name not in hidden}
        return CheckResponse(self._status(payload), **data)

    @classmethod
    def refuse_mistakes(cls) -> None:
        """Raise DefinitionError for what cannot be asked."""
        super().refuse_mistakes()
        name = name_of(cls)
        refuse_status(cls)
        _refuse_statement(cls.sql, name)
        for attribute in ("identifier_column", "description_column", "status_column"):
            if not isinstance(getattr(cls, attribute), str):
                raise DefinitionError(f"{name}.{attribute} is no text", "Name a column.")
        if cls.using not in connections:
            raise DefinitionError(
                f"{name}.using is {cls.using!r:.80}, which is no database of the settings",
                f"There are: {', '.join(connections)}.",
            )

    def _status(self, row: BadRow) -> Status:
        if not self.status_column:
            return self.status
        value = row.columns[self.status_column]
        if isinstance(value, str) and value in Status.__members__:
            return Status[value]
        # That something is true does not make it ok, whose number is 1.
        if isinstance(value, int) and not isinstance(value, bool) and value in set(Status):
            return Status(value)
        raise ValueError(f"{self.status_column} is {value!r:.80}, which is no status")

    def _is_worse(self, row: BadRow, other: BadRow | None) -> bool:
        return other is None or self._status(row).severity > self._status(other).severity

    def _rows(self) -> list[BadRow]:
        with stored_time(self.using), _read_only(self.using) as cursor:
            cursor.execute(self.sql)
            names = [column[0] for column in cursor.description]
            self._refuse_columns(names)
            rows = [dict(zip(names, values, strict=True)) for values in cursor.fetchall()]
        return [BadRow(row[self.identifier_column], row) for row in rows]

    def _refuse_columns(self, names: list[str]) -> None:
        for column in (self.identifier_column, self.description_column, self.status_column):
            if column and column not in names:
                raise DefinitionError(
                    f"the answer has no column {column!r}", f"It has: {', '.join(names)}."
                )
        twice = sorted({name for name in names if names.count(name) > 1})
        if twice:
            raise DefinitionError(
                f"the answer has several columns called {twice[0]!r}", "Name one with AS."
            )


def _refuse_statement(sql: object, name: str) -> None:
    if not isinstance(sql, str) or not sql.strip():
        raise DefinitionError(f"{name} has no sql", "Set it to a SELECT that returns the bad rows.")
    beginning = _BEFORE_THE_FIRST_WORD.match(sql)
    first = sql[beginning.end() if beginning else 0 :].partition(" ")[0].split()
    if not first or first[0].upper() not in {"SELECT", "WITH"}:
        raise DefinitionError(
            f"{name}.sql does not begin with SELECT or WITH", "A check only reads."
        )
    if ";" in _LITERALS_AND_COMMENTS.sub("", sql).rstrip().rstrip(";"):
        raise DefinitionError(f"{name}.sql holds several statements", "Ask one question.")


@contextmanager
def _read_only(alias: str) -> Iterator[Any]:
    """Give a cursor in a transaction in which nothing can be written."""
    connection = connections[alias]
    is_ours = not connection.in_atomic_block
    with connection.cursor() as cursor, transaction.atomic(using=alias):
        # MariaDB and MySQL say it of the next transaction, which begins with the next statement.
        if connection.vendor == "postgresql" or (connection.vendor == "mysql" and is_ours):
            cursor.execute("SET TRANSACTION READ ONLY")
        if connection.vendor != "sqlite":
            yield cursor
            return
        try:
            # Not before the transaction begins: it may want to be one that writes.
            cursor.execute("PRAGMA query_only = ON")
            yield cursor
        finally:
            cursor.execute("PRAGMA query_only = OFF")
