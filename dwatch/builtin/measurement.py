"""What the ready-made checks have in common that judge a whole queryset at once."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar

from dwatch.builtin.attributes import refuse_source, rows_of
from dwatch.core.check import BaseCheck

if TYPE_CHECKING:
    from collections.abc import Mapping

    from django.db.models import Model, QuerySet

ONLY = "all"
"""The identifier of the one payload."""


class Measurement(BaseCheck):
    """A check with one payload: what ``measure()`` finds out about the rows."""

    queryset: ClassVar[Any] = None
    """The rows; by default all of ``model_class``."""

    def get_queryset(self) -> QuerySet[Any]:
        """Return the rows to measure; asked anew at each run."""
        return rows_of(self)

    def measure(self) -> Any:
        """Return the payload: it says in words (``str``) what was found."""
        raise NotImplementedError

    def generate(self) -> list[Any]:
        """Return the one payload."""
        return [self.measure()]

    def get_identifier(self, payload: Any) -> str:  # noqa: ARG002 - there is only one
        """Return the name of the one payload."""
        return ONLY

    def get_payload(self, identifier: str) -> Any:
        """Return the payload, measured anew; None under any other name."""
        return self.measure() if identifier == ONLY else None

    def get_payloads(self, identifiers: Any) -> Mapping[str, Any]:
        """Return the payload, measured anew, if it is asked for."""
        return {ONLY: self.measure()} if ONLY in identifiers else {}

    @classmethod
    def refuse_mistakes(cls) -> None:
        """Raise DefinitionError for attributes that cannot work."""
        super().refuse_mistakes()
        if cls.get_queryset is Measurement.get_queryset:
            cls.refuse_fields(refuse_source(cls))

    @classmethod
    def refuse_fields(cls, model: type[Model]) -> None:
        """Raise DefinitionError for fields that cannot be measured."""
