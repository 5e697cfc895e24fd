"""Rows that their own model would not accept."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar

from django.core.exceptions import ValidationError

from dwatch.builtin.attributes import refuse_source, refuse_status, rows_of
from dwatch.core.check import BaseCheck, field_keys
from dwatch.core.definition import name_of
from dwatch.core.response import CheckResponse
from dwatch.core.status import Status
from dwatch.exceptions import DefinitionError

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from django.db.models import QuerySet


class ModelClean(BaseCheck):
    """Calls ``full_clean()`` for each row; what it refuses becomes the data.

    What would take queries for each row is left out unless ``ask_database`` is set:
    foreign keys (see Orphans), uniqueness (see Duplicates) and constraints.
    """

    queryset: ClassVar[Any] = None
    """The rows; by default all of ``model_class``."""
    status: ClassVar[Status] = Status.critical
    exclude: ClassVar[Iterable[str]] = ()
    """Fields that are not looked at."""
    ask_database: ClassVar[bool] = False

    def __init_subclass__(cls, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        if "queryset" in cls.__dict__ and "model_class" not in cls.__dict__:
            cls.model_class = getattr(cls.queryset, "model", None)

    def generate(self) -> QuerySet[Any]:
        """Return the rows."""
        return rows_of(self)

    def get_payloads(self, identifiers: Iterable[str]) -> Mapping[str, Any]:
        """Return the rows with these primary keys."""
        keys = field_keys(self.model_class._meta.pk, identifiers)
        return {str(row.pk): row for row in rows_of(self).filter(pk__in=keys)}

    def check(self, payload: Any) -> CheckResponse | Status:
        """Ask the model."""
        excluded = set(self.exclude)
        if not self.ask_database:
            excluded |= {f.name for f in payload._meta.concrete_fields if f.is_relation}
        try:
            payload.full_clean(
                exclude=excluded,
                validate_unique=self.ask_database,
                validate_constraints=self.ask_database,
            )
        except ValidationError as error:
            return CheckResponse(self.status, errors=error.message_dict)
        return Status.ok

    @classmethod
    def refuse_mistakes(cls) -> None:
        """Raise DefinitionError for attributes that cannot work."""
        super().refuse_mistakes()
        refuse_status(cls)
        model = refuse_source(cls)
        known = {field.name for field in model._meta.get_fields()}
        if isinstance(cls.exclude, str) or not set(cls.exclude) <= known:
            raise DefinitionError(
                f"{name_of(cls)}.exclude is {cls.exclude!r:.100}",
                f"Name fields of {model.__name__} in a tuple.",
            )
