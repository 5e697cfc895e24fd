"""What a batch's rows have in common, and what reading them gave."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, NamedTuple

from dwatch.core.plan import MAX_CLOCK_SKEW

if TYPE_CHECKING:
    from dwatch.core.outcome import Outcome
    from dwatch.core.transition import StoredResult

_LONG_AGO = datetime.min.replace(tzinfo=UTC)


class Stamp(NamedTuple):
    """What all rows of a batch have in common."""

    state_id: int
    run_id: int
    reason: str
    now: datetime
    loaded_at: datetime

    def believed(self, evaluated_at: datetime) -> datetime:
        """Return when a result was judged; long ago if a clock that was ahead says otherwise.

        Else nothing could replace that result until the future it comes from.
        """
        return evaluated_at if evaluated_at <= self.now + MAX_CLOCK_SKEW else _LONG_AGO


class Compared(NamedTuple):
    """The outcomes that are still to be dealt with, and what is stored of them."""

    outcomes: list[Outcome]
    stored: dict[str, StoredResult]
    """By identifier; locked where the database can."""
