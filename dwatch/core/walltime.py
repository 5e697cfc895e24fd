"""When a wall-clock time happens: never, once or twice, depending on daylight saving.

Rests on :pep:`495`: a wall-clock time whose offset differs between ``fold=0`` and
``fold=1`` is skipped (the offset grows) or repeated (it shrinks).
"""

from __future__ import annotations

from datetime import UTC, timedelta
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from datetime import datetime, tzinfo

_SECOND = timedelta(seconds=1)


def every_occurrence(wall: datetime, zone: tzinfo) -> list[datetime]:
    """Return the UTC moments at which clocks in the zone show ``wall``, oldest first."""
    first, second = _readings(wall, zone)
    change = _offset(second) - _offset(first)
    if change > timedelta(0):
        return []
    if change < timedelta(0):
        return [first.astimezone(UTC), second.astimezone(UTC)]
    return [first.astimezone(UTC)]


def single_occurrence(wall: datetime, zone: tzinfo) -> list[datetime]:
    """Return the one UTC moment that stands for ``wall``, even if skipped or repeated.

    A repeated time counts at its first occurrence, a skipped one at the moment at
    which clocks were put forward.
    """
    occurrences = every_occurrence(wall, zone)
    return occurrences[:1] or [_end_of_gap(wall, zone)]


def repetition(local: datetime) -> timedelta:
    """Return how far clocks are put back around a local time; zero if it is not repeated."""
    return _offset(local.replace(fold=0)) - _offset(local.replace(fold=1))


def _readings(wall: datetime, zone: tzinfo) -> tuple[datetime, datetime]:
    return wall.replace(tzinfo=zone, fold=0), wall.replace(tzinfo=zone, fold=1)


def _end_of_gap(wall: datetime, zone: tzinfo) -> datetime:
    with_old_offset, with_new_offset = _readings(wall, zone)
    before, after = with_new_offset.astimezone(UTC), with_old_offset.astimezone(UTC)
    while after - before > _SECOND:
        middle = before + (after - before) // _SECOND // 2 * _SECOND
        if _offset(middle.astimezone(zone)) == _offset(with_new_offset):
            after = middle
        else:
            before = middle
    return after


def _offset(moment: datetime) -> timedelta:
    return moment.utcoffset() or timedelta(0)
