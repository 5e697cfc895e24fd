"""A simulation of Debian's cron, minute by minute: the oracle for schedules.

Follows the main loop of cron.c and the matching of entry.c, and shares nothing with
dwatch: its own field parser, its own walk over real minutes.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import datetime
    from zoneinfo import ZoneInfo

MINUTE = timedelta(minutes=1)
LARGEST_SKEW = 180
SMALLEST_SKEW = 5


@dataclass(frozen=True)
class Entry:
    """One line of a crontab."""

    minutes: frozenset[int]
    hours: frozenset[int]
    days: frozenset[int]
    months: frozenset[int]
    weekdays: frozenset[int]
    is_wild: bool
    day_star: bool

    @classmethod
    def read(cls, expression: str) -> Entry:
        minute, hour, day, month, weekday = expression.split()
        return cls(
            minutes=_values(minute, 0, 59),
            hours=_values(hour, 0, 23),
            days=_values(day, 1, 31),
            months=_values(month, 1, 12),
            weekdays=frozenset(value % 7 for value in _values(weekday, 0, 7)),
            is_wild=minute[0] == "*" or hour[0] == "*",
            day_star=day[0] == "*" or weekday[0] == "*",
        )

    def matches(self, wall: datetime) -> bool:
        day, weekday = wall.day in self.days, wall.isoweekday() % 7 in self.weekdays
        return (
            wall.minute in self.minutes
            and wall.hour in self.hours
            and wall.month in self.months
            and (day and weekday if self.day_star else day or weekday)
        )


def fired(expression: str, zone: ZoneInfo, start: datetime, end: datetime) -> list[datetime]:
    """Return the real moments in [start, end) at which cron starts the job at least once."""
    entry = Entry.read(expression)
    virtual = _clock(start, zone) - MINUTE
    moments = []
    for now in _minutes(start, end):
        clock = _clock(now, zone)
        walls, virtual = _jobs_to_look_at(entry, clock, virtual)
        if any(entry.matches(wall) for wall in walls):
            moments.append(now)
    return moments


def _jobs_to_look_at(
    entry: Entry, clock: datetime, virtual: datetime
) -> tuple[list[datetime], datetime]:
    skew = (clock - virtual) // MINUTE
    if skew > LARGEST_SKEW or skew <= -LARGEST_SKEW:  # the clock was corrected
        return [clock], clock
    if skew <= 0:  # put back: wildcard jobs only, until the virtual clock is reached
        return ([clock] if entry.is_wild else []), virtual
    if skew > SMALLEST_SKEW and entry.is_wild:  # put forward: wildcard jobs once
        return [clock], clock
    return [virtual + step * MINUTE for step in range(1, skew + 1)], clock


def _minutes(start: datetime, end: datetime) -> Iterator[datetime]:
    while start < end:
        yield start
        start += MINUTE


def _clock(now: datetime, zone: ZoneInfo) -> datetime:
    return now.astimezone(zone).replace(tzinfo=None, fold=0)


def _values(field: str, low: int, high: int) -> frozenset[int]:
    found: set[int] = set()
    for part in field.split(","):
        span, _, step = part.partition("/")
        first, dash, last = span.partition("-")
        if span == "*":
            first, last = str(low), str(high)
        elif not dash:
            last = first
        found.update(range(int(first), int(last) + 1, int(step or 1)))
    return frozenset(found)
