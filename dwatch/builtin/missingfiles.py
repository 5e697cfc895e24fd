"""Rows whose files are not in the storage."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar

from django.db.models import FileField, Q

from dwatch.builtin.attributes import chosen_fields, refuse_source, refuse_status, rows_of
from dwatch.core.check import BaseCheck, field_keys
from dwatch.core.guard import Failure, attempt
from dwatch.core.response import CheckResponse
from dwatch.core.status import Status

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from django.db.models import QuerySet


class StorageFailedError(Exception):
    """The storage did not say whether a file is there."""


class MissingFiles(BaseCheck):
    """Looks whether each row's files are in their storage.

    Rows without a file are left out. A storage that raises makes the row unknown,
    with the error, unless another file of it is known to be missing.
    """

    queryset: ClassVar[Any] = None
    """The rows; by default all of ``model_class``."""
    status: ClassVar[Status] = Status.critical
    fields: ClassVar[Iterable[str]] = ()
    """File fields; by default all of the model."""

    def __init_subclass__(cls, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        if "queryset" in cls.__dict__ and "model_class" not in cls.__dict__:
            cls.model_class = getattr(cls.queryset, "model", None)

    def generate(self) -> QuerySet[Any]:
        """Return the rows that have a file."""
        rows = rows_of(self)
        named = Q(pk__in=[])
        for field in _fields(type(self), rows.model):
            named |= Q(**{f"{field.name}__gt": ""})
        return rows.filter(named)

    def get_payloads(self, identifiers: Iterable[str]) -> Mapping[str, Any]:
        """Return the rows with these primary keys that have a file."""
        keys = field_keys(self.model_class._meta.pk, identifiers)
        return {str(row.pk): row for row in self.generate().filter(pk__in=keys)}

    def check(self, payload: Any) -> CheckResponse | Status:
        """Ask the storages for the row's files."""
        missing: dict[str, str] = {}
        trouble = ""
        for field in _fields(type(self), type(payload)):
            file = getattr(payload, field.name)
            if not file:
                continue
            there = attempt(file.storage.exists, file.name)
            if isinstance(there, Failure):
                trouble = there.error
            elif not there:
                missing[field.name] = file.name
        if missing:
            return CheckResponse(self.status, **missing)
        if trouble:
            raise StorageFailedError(trouble)
        return Status.ok

    @classmethod
    def refuse_mistakes(cls) -> None:
        """Raise DefinitionError for attributes that cannot work."""
        super().refuse_mistakes()
        refuse_status(cls)
        _fields(cls, refuse_source(cls))


def _fields(kind: Any, model: Any) -> list[Any]:
    return chosen_fields(kind, model, lambda field: isinstance(field, FileField), "file field")
