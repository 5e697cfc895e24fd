"""When a check falls due: a cron expression in a time zone, kept as Debian's cron does."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, timedelta
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

from dwatch.core.cronexpression import CronExpression, parse_cron
from dwatch.core.crontab import convert_crontab, is_crontab
from dwatch.core.walltime import every_occurrence, repetition, single_occurrence
from dwatch.core.wording import describe_cron
from dwatch.exceptions import ScheduleError

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import datetime, tzinfo

_INSTANT = timedelta(microseconds=1)
_EXAMPLE = 'Write a cron string such as "*/5 * * * *", or a Celery crontab.'


@dataclass(frozen=True, slots=True)
class Schedule:
    """A cron expression and its time zone; yields slots.

    Across daylight saving the rule is that of Debian's cron. Fixed-time jobs fall
    due exactly once: at the first of two occurrences in a repeated hour, and at the
    moment clocks go forward if their time is skipped. Wildcard jobs (minute or hour
    starts with ``*``) follow real time: in both passes of a repeated hour, not at
    all in a skipped one.

    All moments are aware; those returned are in UTC. ``day_and_weekday`` joins the
    two day fields with AND, as Celery does; cron itself joins them with OR.
    """

    expression: str
    zone: ZoneInfo | None
    day_and_weekday: bool = False

    @classmethod
    def parse(
        cls, run_every: object, *, slug: str, timezone: str | tzinfo | None = None
    ) -> Schedule:
        """Return the schedule for a check's ``run_every`` and ``timezone``.

        ``run_every`` is a cron string (five fields, or an alias such as ``@daily``)
        or a Celery ``crontab``. Raises :class:`ScheduleError`, naming the check,
        for everything else.
        """
        try:
            cron = _parse_run_every(run_every, slug)
            zone = _parse_zone(timezone)
        except ScheduleError as error:
            message = f"check {slug!r}: {error.message}"
            raise ScheduleError(message, error.hint) from error
        return cls(cron.text, zone, cron.day_and_weekday)

    def latest_slot(self, now: datetime, default_zone: tzinfo) -> datetime | None:
        """Return the newest slot at or before ``now``, None if croniter finds none.

        ``default_zone`` is the project's zone, for a schedule without its own.
        """
        local = self._local(now, default_zone)
        starts = {_wall(local)}
        if local.fold:
            # Wall-clock times up to the end of the repeated hour have been seen already.
            starts.add(_wall(local) + repetition(local))
        found = (self._newest(self._cron.at_or_before(start), now, local) for start in starts)
        return max((slot for slot in found if slot is not None), default=None)

    def next_slot(self, now: datetime, default_zone: tzinfo) -> datetime:
        """Return the first slot after ``now``."""
        local = self._local(now, default_zone)
        starts = {_wall(local)}
        if not local.fold:
            # Wall-clock times from the start of the repeated hour will be seen again.
            starts.add(_wall(local) - repetition(local))
        found = (self._oldest(self._cron.after(start), now, local) for start in starts)
        slot = min((slot for slot in found if slot is not None), default=None)
        if slot is None:
            message = f"cron expression {self.expression!r} has no moment after {now}"
            raise ScheduleError(message, "Look at the day and month fields together.")
        return slot

    def previous_slot(self, slot: datetime, default_zone: tzinfo) -> datetime | None:
        """Return the newest slot before ``slot``."""
        return self.latest_slot(slot.astimezone(UTC) - _INSTANT, default_zone)

    def describe(self) -> str:
        """Return the schedule in words, or the expression where words would not be clearer."""
        words = None if self.day_and_weekday else describe_cron(self.expression)
        both_days = ", day and weekday both" if self.day_and_weekday else ""
        zone = f" ({self.zone.key})" if self.zone else ""
        return (words or f"{self.expression}{both_days}") + zone

    def __str__(self) -> str:
        """Return the canonical cron expression."""
        return self.expression

    @property
    def _cron(self) -> CronExpression:
        return CronExpression(self.expression, self.day_and_weekday)

    def _local(self, now: datetime, default_zone: tzinfo) -> datetime:
        if now.utcoffset() is None:
            message = "a schedule needs an aware moment, not a naive one"
            raise ValueError(message)
        return now.astimezone(self.zone or default_zone)

    def _newest(self, walls: Iterable[datetime], now: datetime, local: datetime) -> datetime | None:
        slots = (slot for wall in walls for slot in reversed(self._slots(wall, local)))
        return next((slot for slot in slots if slot <= now), None)

    def _oldest(self, walls: Iterable[datetime], now: datetime, local: datetime) -> datetime | None:
        slots = (slot for wall in walls for slot in self._slots(wall, local))
        return next((slot for slot in slots if slot > now), None)

    def _slots(self, wall: datetime, local: datetime) -> list[datetime]:
        zone = local.tzinfo or UTC
        if self._cron.is_wildcard:
            return every_occurrence(wall, zone)
        return single_occurrence(wall, zone)


def _parse_run_every(run_every: object, slug: str) -> CronExpression:
    if isinstance(run_every, str):
        return parse_cron(run_every, slug=slug)
    if is_crontab(run_every):
        return convert_crontab(run_every)
    message = f"run_every is {_article(type(run_every).__name__)}, not a schedule"
    if run_every is None:
        raise ScheduleError(message, f"Leave run_every out to run it by hand only. {_EXAMPLE}")
    if isinstance(run_every, timedelta) or hasattr(run_every, "run_every"):
        hint = f"An interval has no fixed moments. {_EXAMPLE}"
        raise ScheduleError(message, hint)
    raise ScheduleError(message, _EXAMPLE)


def _parse_zone(timezone: str | tzinfo | None) -> ZoneInfo | None:
    if timezone is None or isinstance(timezone, ZoneInfo):
        return timezone
    name = "UTC" if timezone is UTC else getattr(timezone, "zone", timezone)
    hint = 'Use a name from the IANA database, such as "Europe/Berlin".'
    if not isinstance(name, str):
        message = f"timezone is {_article(type(timezone).__name__)}, not a named time zone"
        raise ScheduleError(message, hint)
    try:
        return ZoneInfo(name)
    except (LookupError, OSError, ValueError) as error:
        message = f"time zone {name[:100]!r} is unknown"
        raise ScheduleError(message, hint) from error


def _article(type_name: str) -> str:
    return type_name if type_name == "NoneType" else f"a value of type {type_name}"


def _wall(local: datetime) -> datetime:
    return local.replace(tzinfo=None, fold=0)
