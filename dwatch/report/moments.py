"""Moments, distances and durations in the words people use."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from datetime import datetime, tzinfo

MINUTE = 60
HOUR = 60 * MINUTE
DAY = 24 * HOUR
_UNITS = ((365 * DAY, "year"), (30 * DAY, "month"), (DAY, "day"), (HOUR, "h"), (MINUTE, "min"))


def relative(moment: datetime, now: datetime) -> str:
    """Return the distance, as in ``in 3 min``, ``2 h ago`` or ``just now``."""
    seconds = (moment - now).total_seconds()
    distance = _distance(abs(seconds))
    if not distance:
        return "just now" if seconds <= 0 else "in a moment"
    return f"in {distance}" if seconds > 0 else f"{distance} ago"


def absolute(moment: datetime, zone: tzinfo) -> str:
    """Return the moment in the zone, to the minute: ``2026-11-24 06:00``."""
    return moment.astimezone(zone).strftime("%Y-%m-%d %H:%M")


def both(moment: datetime, now: datetime, zone: tzinfo) -> str:
    """Return distance and moment: ``in 3 min (2026-11-24 06:00)``."""
    return f"{relative(moment, now)} ({absolute(moment, zone)})"


def duration(seconds: float) -> str:
    """Return a duration, as in ``12 ms``, ``0.42 s``, ``3 min 05 s``."""
    if seconds < 0.1:  # noqa: PLR2004 - below this, milliseconds read better
        return f"{seconds * 1000:.0f} ms"
    if seconds < 10:  # noqa: PLR2004 - two digits that mean something
        return f"{seconds:.2f} s"
    if seconds < MINUTE - 0.05:
        return f"{seconds:.1f} s"
    whole = round(seconds)
    if whole < HOUR:
        return f"{whole // MINUTE} min {whole % MINUTE:02d} s"
    return f"{whole // HOUR} h {whole % HOUR // MINUTE:02d} min"


def _distance(seconds: float) -> str:
    for size, name in _UNITS:
        count = int(seconds // size)
        if count:
            plural = "s" if count > 1 and name in {"year", "month", "day"} else ""
            return f"{count} {name}{plural}"
    return f"{round(seconds)} s" if round(seconds) > 1 else ""
