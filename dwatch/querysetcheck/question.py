"""What one check asks the database."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeVar

from django.db.models import F

from dwatch.outages import persist
from dwatch.querysetcheck.conditions import STATUS, judge, multiplies
from dwatch.querysetcheck.sessionzone import stored_time

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from django.db.models import QuerySet

    from dwatch.core.status import Status

T = TypeVar("T")

VALUE = "dwatch_value_{}"
"""The annotation that holds a column of an instance, by its number."""


@dataclass(frozen=True, slots=True)
class Question:
    """A queryset with conditions, asked for some columns of its rows."""

    queryset: QuerySet[Any]
    conditions: Mapping[Status, Any]
    columns: tuple[str, ...]
    """Fields whose values are wanted of each row."""

    def failing(self, *, status: Status | None = None) -> QuerySet[Any]:
        """Return the rows with a problem; only those with this status, if one is given."""
        rows = judge(self.queryset, self.conditions)[1]
        return rows if status is None else rows.filter(**{STATUS: status})

    def among(self, field: str, keys: Iterable[Any]) -> QuerySet[Any]:
        """Return the rows named by these keys with their status, be it ok."""
        return judge(self.queryset, self.conditions)[0].filter(**{f"{field}__in": list(keys)})

    def total(self) -> int:
        """Return how many rows there are in all."""
        return self._count(self.queryset)

    def count(self, status: Status) -> int:
        """Return how many rows have this status."""
        return self._count(self.failing(status=status))

    def as_tuples(self, rows: QuerySet[Any]) -> list[tuple[Any, ...]]:
        """Return (primary key, status, column, column, ...) of each row."""
        return _asked(rows, lambda: list(rows.values_list("pk", STATUS, *self.columns)))

    def as_instances(self, rows: QuerySet[Any]) -> list[Any]:
        """Return the rows as instances that carry their status and columns."""
        values = {VALUE.format(n): F(column) for n, column in enumerate(self.columns)}
        return _asked(rows, lambda: list(rows.annotate(**values)))

    def _count(self, rows: QuerySet[Any]) -> int:
        ordered = rows.order_by()
        counted = ordered.values("pk").distinct() if multiplies(rows) else ordered
        return _asked(rows, lambda: counted.all().count())


def _asked(rows: QuerySet[Any], ask: Callable[[], T]) -> T:
    """Ask in the time zone that moments are stored in; anew if the connection was cut."""

    def work() -> T:
        with stored_time(rows.db):
            return ask()

    return persist(work, rows.db)
