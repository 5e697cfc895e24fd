"""What the ready-made checks have in common whose conditions follow from the model."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar

from django.db import connections
from django.db.models import BinaryField, CharField, F, Func, TextField

from dwatch.builtin.attributes import refuse_source, refuse_status
from dwatch.core.definition import name_of
from dwatch.core.status import Status
from dwatch.exceptions import DefinitionError
from dwatch.querysetcheck import QuerySetCheck

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from django.db.models import Model, QuerySet


class DefectiveRows(QuerySetCheck):
    """A QuerySetCheck with one condition, which it makes itself, and one status."""

    status: ClassVar[Status] = Status.critical
    """What a row with the defect is."""
    fields: ClassVar[Iterable[str]] = ()

    def condition(self, rows: QuerySet[Any]) -> Any:
        """Return what must hold for a row to have the defect."""
        raise NotImplementedError

    def get_conditions(self) -> Mapping[Status, Any]:
        """Return the one condition under the one status."""
        return {self.status: self.condition(self.get_queryset())}

    @classmethod
    def refuse_mistakes(cls) -> None:
        """Raise DefinitionError for attributes that cannot work."""
        refuse_status(cls)
        for attribute in ("critical", "warning", "unknown"):
            if getattr(cls, attribute) is not None:
                raise DefinitionError(
                    f"{name_of(cls)} sets {attribute}, but knows its condition itself",
                    "Set status to say how bad it is, and queryset to leave rows out.",
                )
        if cls.get_queryset is QuerySetCheck.get_queryset:
            cls.refuse_fields(refuse_source(cls))
        super().refuse_mistakes()

    @classmethod
    def refuse_fields(cls, model: type[Model]) -> None:
        """Raise DefinitionError for fields that cannot have the defect."""


class Bytes(Func):
    """The bytes of a text, which MariaDB and MySQL compare one by one."""

    template = "CAST(%(expressions)s AS BINARY)"
    arity = 1
    output_field = BinaryField()


def exactly(field: Any, rows: QuerySet[Any], expression: Any = None) -> Any:
    """Return the field's value in a form that is compared byte by byte.

    By MariaDB's usual collations ``A``, ``a`` and ``á`` are one.
    """
    value = F(field.name) if expression is None else expression
    if is_text(field) and connections[rows.db].vendor == "mysql":
        return Bytes(value)
    return value


def is_text(field: Any) -> bool:
    """Return whether the field holds text."""
    return isinstance(field, (CharField, TextField))
