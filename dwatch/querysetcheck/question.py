"""What one check asks the database."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from django.db.models import F

from dwatch.querysetcheck.conditions import STATUS, judge, multiplies
from dwatch.querysetcheck.sessionzone import stored_time

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from django.db.models import QuerySet

    from dwatch.core.status import Status

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
        with stored_time(rows.db):
            return list(rows.values_list("pk", STATUS, *self.columns))

    def as_instances(self, rows: QuerySet[Any]) -> list[Any]:
        """Return the rows as instances that carry their status and columns."""
        values = {VALUE.format(n): F(column) for n, column in enumerate(self.columns)}
        with stored_time(rows.db):
            return list(rows.annotate(**values))

    def _count(self, rows: QuerySet[Any]) -> int:
        with stored_time(rows.db):
            if multiplies(rows):
                return rows.order_by().values("pk").distinct().count()
            return rows.order_by().count()
