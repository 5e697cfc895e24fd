"""Rows that share what should be unique."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar

from django.db.models import Count, F, Q, Window
from django.db.models.functions import Lower

from dwatch.builtin.attributes import chosen_fields
from dwatch.builtin.defects import DefectiveRows, exactly, is_text
from dwatch.core.definition import name_of
from dwatch.exceptions import DefinitionError
from dwatch.querysetcheck.conditions import multiplies

if TYPE_CHECKING:
    from collections.abc import Iterable

    from django.db.models import Model, QuerySet


class Duplicates(DefectiveRows):
    """Finds rows that have the values of all ``fields`` in common with another row.

    Each such row is a result of its own, and fine again once it is the only one. As
    for a unique constraint, rows with a NULL among the values are left out.
    """

    fields: ClassVar[Iterable[str]] = ()
    """The fields that should be unique together."""
    ignore_case: ClassVar[bool] = False
    """Whether ``A`` and ``a`` are the same, as the database's LOWER() has it."""

    def __init_subclass__(cls, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        if not cls.data_fields:
            cls.data_fields = tuple(cls.fields)

    def condition(self, rows: QuerySet[Any]) -> Q:
        """Return that the row is one of several."""
        fields = _fields(type(self), rows.model)
        compared = [self._compared(field, rows) for field in fields]
        rows = rows.order_by()
        if multiplies(rows):  # a row that a join repeats is no other row
            rows = rows.model._base_manager.using(rows.db).filter(pk__in=rows.values("pk"))
        given = rows.filter(**{f"{field.name}__isnull": False for field in fields})
        counted = given.annotate(dwatch_same=Window(Count("pk"), partition_by=compared))
        return Q(pk__in=counted.filter(dwatch_same__gt=1).values("pk"))

    def _compared(self, field: Any, rows: QuerySet[Any]) -> Any:
        folds = self.ignore_case and is_text(field)
        return exactly(field, rows, Lower(field.name) if folds else F(field.name))

    @classmethod
    def refuse_fields(cls, model: type[Model]) -> None:
        """Raise DefinitionError unless there are fields to compare."""
        if not cls.fields:
            raise DefinitionError(
                f"{name_of(cls)} names no fields", "Set fields to what should be unique together."
            )
        _fields(cls, model)


def _fields(kind: Any, model: type[Model]) -> list[Any]:
    return chosen_fields(kind, model, lambda _field: True, "field of its table")
