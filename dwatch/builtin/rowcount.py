"""Tables with too few or too many rows."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

from dwatch.builtin.measurement import Measurement
from dwatch.core.definition import name_of
from dwatch.core.response import CheckResponse
from dwatch.core.status import Status
from dwatch.exceptions import DefinitionError

_BOUNDS = ("minimum", "warning_minimum", "warning_maximum", "maximum")
"""In the order in which their values have to be."""


@dataclass(frozen=True, slots=True)
class Amount:
    """How many rows there are."""

    rows: int
    what: str

    def __str__(self) -> str:
        return f"{self.rows:,} {self.what}"


class RowCount(Measurement):
    """Counts the rows: critical outside of minimum and maximum, a warning close to them."""

    minimum: ClassVar[int | None] = None
    """Fewer rows are critical."""
    maximum: ClassVar[int | None] = None
    """More rows are critical."""
    warning_minimum: ClassVar[int | None] = None
    warning_maximum: ClassVar[int | None] = None

    def measure(self) -> Amount:
        """Return the number of rows."""
        rows = self.get_queryset()
        return Amount(rows.count(), str(rows.model._meta.verbose_name_plural))

    def check(self, payload: Amount) -> CheckResponse:
        """Compare the number with the bounds."""
        if _is_outside(payload.rows, self.minimum, self.maximum):
            return CheckResponse(Status.critical, rows=payload.rows)
        if _is_outside(payload.rows, self.warning_minimum, self.warning_maximum):
            return CheckResponse(Status.warning, rows=payload.rows)
        return CheckResponse(Status.ok, rows=payload.rows)

    @classmethod
    def refuse_mistakes(cls) -> None:
        """Raise DefinitionError for bounds that cannot work."""
        super().refuse_mistakes()
        bounds: dict[str, Any] = {name: getattr(cls, name) for name in _BOUNDS}
        given = {name: bound for name, bound in bounds.items() if bound is not None}
        for name, bound in given.items():
            if type(bound) is not int or bound < 0:
                raise DefinitionError(
                    f"{name_of(cls)}.{name} is {bound!r:.80}", "Set it to a number of rows."
                )
        if not given:
            raise DefinitionError(
                f"{name_of(cls)} has no bound", f"Set one of {', '.join(_BOUNDS)}."
            )
        if list(given.values()) != sorted(given.values()):
            raise DefinitionError(
                f"{name_of(cls)}: the bounds are in the wrong order",
                f"They must not fall in this order: {', '.join(given)}.",
            )


def _is_outside(rows: int, least: int | None, most: int | None) -> bool:
    return (least is not None and rows < least) or (most is not None and rows > most)
