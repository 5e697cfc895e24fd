"""Rows with values that their fields do not offer."""

from __future__ import annotations

from functools import reduce
from operator import or_
from typing import TYPE_CHECKING, Any, ClassVar

from django.db.models import Q
from django.db.models.lookups import In

from dwatch.builtin.attributes import chosen_fields
from dwatch.builtin.defects import Bytes, DefectiveRows, exactly, is_text

if TYPE_CHECKING:
    from collections.abc import Iterable

    from django.db.models import Model, QuerySet


class InvalidChoices(DefectiveRows):
    """Finds rows whose value is none of the field's ``choices``.

    NULL is no invalid choice, nor is "" where the field may be blank.
    """

    fields: ClassVar[Iterable[str]] = ()
    """Fields with choices; by default all of the model."""

    def __init_subclass__(cls, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        if cls.model_class is not None and not cls.data_fields:
            cls.data_fields = tuple(
                field.name
                for field in cls.model_class._meta.concrete_fields
                if field.choices and (not cls.fields or field.name in cls.fields)
            )

    def condition(self, rows: QuerySet[Any]) -> Q:
        """Return that any of the fields has a value that it does not offer."""
        return reduce(or_, (_is_invalid(field, rows) for field in _fields(type(self), rows.model)))

    @classmethod
    def refuse_fields(cls, model: type[Model]) -> None:
        """Raise DefinitionError for a field without choices."""
        _fields(cls, model)


def _fields(kind: Any, model: type[Model]) -> list[Any]:
    return chosen_fields(kind, model, lambda field: bool(field.choices), "field with choices")


def _is_invalid(field: Any, rows: QuerySet[Any]) -> Q:
    offered = {value for value, _ in field.flatchoices if value is not None}
    if field.blank and is_text(field):
        offered.add("")
    value = exactly(field, rows)
    values: list[Any] = sorted(offered, key=str)
    if isinstance(value, Bytes):
        # Not str(): that of a text that is an Enum, too, is the member's name.
        values = [(str.__str__(v) if isinstance(v, str) else str(v)).encode() for v in values]
    return Q(**{f"{field.name}__isnull": False}) & ~Q(In(value, values))
