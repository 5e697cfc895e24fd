"""Tables into which nothing new has come for too long."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, ClassVar

from django.core.exceptions import FieldDoesNotExist
from django.db.models import DateField, DateTimeField, Max
from django.utils import timezone

from dwatch.builtin.attributes import refuse_age, refuse_status
from dwatch.builtin.measurement import Measurement
from dwatch.core.definition import name_of
from dwatch.core.response import CheckResponse
from dwatch.core.status import Status
from dwatch.exceptions import DefinitionError

if TYPE_CHECKING:
    from datetime import date, timedelta

    from django.db.models import Model


@dataclass(frozen=True, slots=True)
class Newest:
    """The newest moment (or day) among the rows, None without any."""

    what: str
    moment: date | datetime | None
    age: timedelta | None

    def __str__(self) -> str:
        if self.age is None:
            return f"no {self.what} at all"
        if isinstance(self.moment, datetime):
            moment = timezone.localtime(self.moment, timezone.get_default_timezone())
            return f"newest {self.what}: {moment:%Y-%m-%d %H:%M %Z}"
        return f"newest {self.what}: {self.moment}"


class Freshness(Measurement):
    """Looks how old the newest row is.

    Rows from the future are left out: one of them would hide for years that nothing
    else comes in.
    """

    field: ClassVar[str] = ""
    """The field that says when a row came: a date, or a date and time."""
    warning_after: ClassVar[timedelta | None] = None
    critical_after: ClassVar[timedelta | None] = None
    empty: ClassVar[Status] = Status.critical
    """What it is if there is no row at all."""

    def measure(self) -> Newest:
        """Return the newest row's moment and age."""
        rows = self.get_queryset()
        field = rows.model._meta.get_field(self.field)
        what = str(rows.model._meta.verbose_name)
        now: Any = datetime.now(UTC) if isinstance(field, DateTimeField) else timezone.localdate()
        past = rows.order_by().filter(**{f"{self.field}__lte": now})
        newest = past.aggregate(newest=Max(self.field))["newest"]
        return Newest(what, newest, None if newest is None else now - newest)

    def check(self, payload: Newest) -> CheckResponse:
        """Compare the age with the limits."""
        if payload.age is None:
            return CheckResponse(self.empty, newest=None)
        if self.critical_after is not None and payload.age > self.critical_after:
            return CheckResponse(Status.critical, newest=payload.moment)
        if self.warning_after is not None and payload.age > self.warning_after:
            return CheckResponse(Status.warning, newest=payload.moment)
        return CheckResponse(Status.ok, newest=payload.moment)

    @classmethod
    def refuse_mistakes(cls) -> None:
        """Raise DefinitionError for attributes that cannot work."""
        super().refuse_mistakes()
        refuse_status(cls, "empty", ok_too=True)
        warning, critical = refuse_age(cls, "warning_after"), refuse_age(cls, "critical_after")
        if warning is None and critical is None:
            raise DefinitionError(
                f"{name_of(cls)} has no limit", "Set warning_after or critical_after, or both."
            )
        if warning is not None and critical is not None and warning >= critical:
            raise DefinitionError(
                f"{name_of(cls)}.warning_after is not below critical_after",
                "It would never be a warning.",
            )

    @classmethod
    def refuse_fields(cls, model: type[Model]) -> None:
        """Raise DefinitionError unless the field is one with moments or days."""
        try:
            field = model._meta.get_field(cls.field)
        except FieldDoesNotExist:
            field = None
        if not isinstance(field, DateField):  # a DateTimeField is one, too
            raise DefinitionError(
                f"{name_of(cls)}.field is {cls.field!r}, no date field of {model.__name__}",
                "Name the field that says when a row came.",
            )
