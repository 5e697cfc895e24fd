"""Read, validate and walk a cron expression on the wall clock, without time zones.

croniter decides which wall-clock moments an expression names. Only naive
datetimes are handed to it: daylight saving is the business of
:mod:`dwatch.core.walltime`, where it follows Debian's cron exactly.
"""

from __future__ import annotations

import copy
import re
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import lru_cache
from typing import TYPE_CHECKING

from dwatch.exceptions import ScheduleError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from croniter import croniter

MAX_LENGTH = 500
"""Characters a cron expression may have; every list of every field written out fits."""

ALIASES = {
    "@hourly": "0 * * * *",
    "@daily": "0 0 * * *",
    "@midnight": "0 0 * * *",
    "@weekly": "0 0 * * 0",
    "@monthly": "0 0 1 * *",
    "@yearly": "0 0 1 1 *",
    "@annually": "0 0 1 1 *",
}

_EXAMPLE = 'Use five fields: minute hour day month weekday, such as "*/5 * * * *".'
_FIELD_COUNT = 5
_MINUTE = timedelta(minutes=1)
_SOME_YEAR = datetime(2000, 1, 1)
_ALLOWED = re.compile(r"[0-9A-Za-z*,/#() -]*")
_EQUAL_RANGE = re.compile(r"(?<![\w-])(\w+)-\1(?:/[1-9]\d*)?(?=,|$)", re.IGNORECASE)
_NEAREST_WEEKDAY = re.compile(r"\dw|w\d", re.IGNORECASE)
_NTH_WEEKDAY = re.compile(r"#|\bl\d", re.IGNORECASE)
_CRONITER_FAILURES = (ArithmeticError, AttributeError, LookupError, TypeError, ValueError)


@dataclass(frozen=True, slots=True)
class CronExpression:
    """Five cron fields and how the two day fields combine.

    Day of month and weekday are joined as Debian's cron joins them (OR, unless
    one of them starts with ``*``) or, with ``day_and_weekday``, as Celery does
    (AND).
    """

    text: str
    day_and_weekday: bool = False

    @property
    def is_wildcard(self) -> bool:
        """Whether Debian's cron calls this a wildcard job: minute or hour starts with ``*``."""
        minute, hour, *_ = self.text.split(" ")
        return minute.startswith("*") or hour.startswith("*")

    def at_or_before(self, wall: datetime) -> Iterator[datetime]:
        """Yield the matching wall-clock minutes up to ``wall``, newest first."""
        return self._walk(_floor(wall) + _MINUTE, backwards=True)

    def after(self, wall: datetime) -> Iterator[datetime]:
        """Yield the matching wall-clock minutes after ``wall``, oldest first."""
        return self._walk(_floor(wall), backwards=False)

    def _walk(self, start: datetime, *, backwards: bool) -> Iterator[datetime]:
        from croniter import CroniterBadDateError

        # A walker carries its position, so each walk gets its own (shallow) copy.
        walker = copy.copy(_walker(self))
        walker.set_current(start)
        step = walker.get_prev if backwards else walker.get_next
        try:
            while True:
                yield step(datetime)
        except CroniterBadDateError:
            return


def parse_cron(source: str, *, slug: str) -> CronExpression:
    """Return the canonical form of a cron string or alias.

    ``H`` (Jenkins' hashed value) is resolved with the check's slug, once, so that
    the text shown is the moment meant; a bare ``H`` for the day picks one of 1-28,
    which every month has. Raises :class:`ScheduleError` for anything that is not
    five valid fields naming at least one moment.
    """
    text = _resolve_alias(_checked_text(source))
    fields = [_EQUAL_RANGE.sub(r"\1", field) for field in text.split(" ")]
    _refuse_unsupported(fields)
    return validated(CronExpression(_resolve_hashes(fields, slug)))


def validated(expression: CronExpression) -> CronExpression:
    """Return the expression if croniter can read it and some moment matches it."""
    try:
        _walker(expression)
    except _CRONITER_FAILURES as error:
        message = f"cron expression {expression.text!r} cannot be read: {_one_line(error)}"
        raise ScheduleError(message, _EXAMPLE) from error
    if next(expression.after(_SOME_YEAR), None) is None:
        message = f"cron expression {expression.text!r} never matches any date"
        raise ScheduleError(message, "Look at the day and month fields together.")
    return expression


@lru_cache(maxsize=1024)
def _walker(expression: CronExpression) -> croniter:
    from croniter import croniter

    return croniter(
        expression.text,
        _SOME_YEAR,
        ret_type=datetime,
        day_or=not expression.day_and_weekday,
        implement_cron_bug=True,
    )


def _checked_text(source: str) -> str:
    if len(source) > MAX_LENGTH:
        message = f"cron expression is too long: {len(source)} characters, at most {MAX_LENGTH}"
        raise ScheduleError(message, "Use ranges and steps instead of long lists.")
    text = " ".join(source.split())
    if not text:
        message = "cron expression is empty"
        raise ScheduleError(message, _EXAMPLE)
    return text


def _resolve_alias(text: str) -> str:
    if not text.startswith("@"):
        return text
    if text.lower() not in ALIASES:
        message = f"cron alias {text!r} is unknown"
        raise ScheduleError(message, f"Known are {', '.join(ALIASES)}.")
    return ALIASES[text.lower()]


def _refuse_unsupported(fields: list[str]) -> None:
    text = " ".join(fields)
    if len(fields) != _FIELD_COUNT:
        message = f"cron expression {text!r} has {len(fields)} fields instead of five"
        raise ScheduleError(message, f"Seconds and years are not supported. {_EXAMPLE}")
    if not _ALLOWED.fullmatch(text):
        message = f"cron expression {text!r} contains a character that cron does not know"
        raise ScheduleError(message, _EXAMPLE)
    if any(field[0] in "rR" for field in fields):
        message = f"cron expression {text!r} is random (R): it would change at each look"
        raise ScheduleError(message, "Use H, which picks a fixed value from the check's slug.")
    if _NEAREST_WEEKDAY.search(fields[2]):
        message = f"cron expression {text!r} uses W (nearest weekday), which is not supported"
        raise ScheduleError(message, "Name the days or weekdays.")
    if _NTH_WEEKDAY.search(fields[4]) and not fields[2].startswith("*"):
        message = f"cron expression {text!r} joins a day with a numbered weekday"
        raise ScheduleError(message, "Write * for the day, or a plain weekday.")


def _resolve_hashes(fields: list[str], slug: str) -> str:
    if not any(field[0] in "hH" for field in fields):
        return " ".join(fields)
    from croniter import croniter

    day = "H(1-28)" if fields[2] in {"h", "H"} else fields[2]
    text = " ".join([*fields[:2], day, *fields[3:]])
    try:
        expanded, _ = croniter.expand(text, hash_id=slug.encode(errors="backslashreplace"))
    except _CRONITER_FAILURES as error:
        message = f"cron expression {text!r} cannot be read: {_one_line(error)}"
        raise ScheduleError(message, 'Write H as "H", "H(1-5)", "H/15" or "H(0-29)/10".') from error
    return " ".join(
        ",".join(str(value) for value in values) if field[0] in "hH" else field
        for field, values in zip(fields, expanded, strict=True)
    )


def _floor(wall: datetime) -> datetime:
    return wall.replace(second=0, microsecond=0)


def _one_line(error: Exception) -> str:
    return " ".join(str(error).split()) or type(error).__name__
