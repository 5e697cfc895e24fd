"""Decide whether a check is due: its schedule, the slot handled last, and the clock."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, timedelta
from enum import StrEnum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from datetime import datetime, tzinfo

    from dwatch.core.schedule import Schedule

MAX_CLOCK_SKEW = timedelta(minutes=10)
"""How far the clocks of two hosts may differ before a slot handled "later" is not believed."""


class DueState(StrEnum):
    """Where a check stands on its schedule."""

    never = "never"
    """It never ran, so it is due."""
    due = "due"
    """One slot has passed since the last one handled."""
    overdue = "overdue"
    """At least one earlier slot was missed too; one run makes up for all."""
    waiting = "waiting"
    """The latest slot is handled."""
    manual = "manual"
    """It has no schedule and runs only when asked."""


@dataclass(frozen=True, slots=True)
class Plan:
    """What the schedule asks of a check now.

    ``slot`` is the slot to handle now, None unless the check is due; ``next_slot``
    the next moment after now that will make it due (None without a schedule).
    ``clock_stepped_back`` says that the slot handled last lies further in the
    future than :data:`MAX_CLOCK_SKEW`: the clock had jumped ahead and is right again.
    """

    state: DueState
    slot: datetime | None
    next_slot: datetime | None
    clock_stepped_back: bool

    @property
    def is_due(self) -> bool:
        """Whether there is a slot to handle now."""
        return self.slot is not None


def plan(
    schedule: Schedule | None, handled_slot: datetime | None, now: datetime, default_zone: tzinfo
) -> Plan:
    """Return the plan for a check whose newest handled slot is ``handled_slot``.

    All moments are aware; ``default_zone`` is the project's time zone. Slots missed
    meanwhile coalesce into the latest one. A slot never lies in the future when it is
    handled, so a handled slot ahead of ``now`` means that clocks disagree: by at most
    :data:`MAX_CLOCK_SKEW` another host handled it and it is not run twice; beyond
    that the clock stepped back and the check falls due again.
    """
    if schedule is None:
        return Plan(DueState.manual, None, None, clock_stepped_back=False)
    stepped_back = handled_slot is not None and handled_slot - now > MAX_CLOCK_SKEW
    handled = None if stepped_back else handled_slot
    latest = schedule.latest_slot(now, default_zone)
    state = _state(schedule, handled_slot, latest, default_zone, stepped_back=stepped_back)
    is_due = state is not DueState.waiting
    # A slot another host handled ahead of our clock will not fall due here again.
    from_here = now if handled is None else max(now, handled)
    return Plan(
        state=state,
        slot=latest if is_due else None,
        next_slot=schedule.next_slot(from_here.astimezone(UTC), default_zone),
        clock_stepped_back=stepped_back,
    )


def _state(
    schedule: Schedule,
    handled_slot: datetime | None,
    latest: datetime | None,
    default_zone: tzinfo,
    *,
    stepped_back: bool,
) -> DueState:
    if latest is None:
        return DueState.waiting
    if handled_slot is None:
        return DueState.never
    if stepped_back:
        return DueState.due
    if latest <= handled_slot:
        return DueState.waiting
    before = schedule.previous_slot(latest, default_zone)
    return DueState.overdue if before is not None and before > handled_slot else DueState.due
