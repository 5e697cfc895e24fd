"""A cron expression in words, for people who do not read cron."""

from __future__ import annotations

import re
from calendar import day_name, month_name

_MOST_TIMES_IN_WORDS = 4
_DAY_ABBREVIATIONS = {name[:3].lower(): number for number, name in enumerate(day_name, start=1)}
_MONTH_ABBREVIATIONS = {name[:3].lower(): n for n, name in enumerate(month_name) if name}


def describe_cron(expression: str) -> str | None:
    """Return the five fields in words, or None where the expression itself is clearer."""
    minute, hour, day, month, weekday = expression.lower().split(" ")
    days = _days(day, month, weekday)
    if days is None:
        return None
    frequency = _frequency(minute, hour)
    if frequency:
        return f"{frequency} {days}".rstrip()
    times = _times(minute, hour)
    if times is None:
        return None
    if days.startswith("on day") or month != "*" or day == "l":
        return f"at {times} {days}"
    return f"{days.removeprefix('on ') or 'daily'} at {times}"


def _frequency(minute: str, hour: str) -> str | None:
    if hour == "*":
        return _every(minute, "minute", 60) or _hourly(minute, "hourly")
    hours = _every(hour, "hour", 24)
    return _hourly(minute, hours) if hours else None


def _every(field: str, unit: str, length: int) -> str | None:
    if field in {"*", "*/1"}:
        return f"every {unit}"
    match = re.fullmatch(r"\*/(\d+)", field)
    # "*/7" restarts each hour, so it is not "every 7 minutes".
    if match and length % int(match[1]) == 0:
        return f"every {match[1]} {unit}s" if int(match[1]) < length else None
    return None


def _hourly(minute: str, prefix: str) -> str | None:
    minutes = _numbers(minute)
    if minutes is None or len(minutes) > _MOST_TIMES_IN_WORDS:
        return None
    if minutes == [0]:
        return prefix
    return f"{prefix} at {_joined([f':{number:02}' for number in minutes])}"


def _times(minute: str, hour: str) -> str | None:
    minutes, hours = _numbers(minute), _numbers(hour)
    if minutes is None or hours is None or len(minutes) * len(hours) > _MOST_TIMES_IN_WORDS:
        return None
    return _joined([f"{at_hour:02}:{at_minute:02}" for at_hour in hours for at_minute in minutes])


def _days(day: str, month: str, weekday: str) -> str | None:
    if (day, month, weekday) == ("*", "*", "*"):
        return ""
    if day == "*" and month == "*":
        return _weekdays(weekday)
    if weekday != "*":
        return None
    return _days_of_month(day) if month == "*" else _dates(day, month)


def _weekdays(field: str) -> str | None:
    first, dash, last = field.partition("-")
    if dash:
        start, end = _weekday(first), _weekday(last)
        return f"on {start}s to {end}s" if start and end else None
    names = [_weekday(part) for part in field.split(",")]
    known = [f"{name}s" for name in names if name]
    return f"on {_joined(known)}" if len(known) == len(names) else None


def _weekday(field: str) -> str | None:
    number = _DAY_ABBREVIATIONS.get(field, int(field) if re.fullmatch("[0-7]", field) else None)
    return None if number is None else day_name[(number - 1) % 7]


def _days_of_month(field: str) -> str | None:
    if field == "l":
        return "on the last day of the month"
    days = _numbers(field)
    if days is None:
        return None
    word = "day" if len(days) == 1 else "days"
    return f"on {word} {_joined([str(number) for number in days])} of the month"


def _dates(day: str, month: str) -> str | None:
    days = _numbers(day)
    months = _MONTH_ABBREVIATIONS.get(month) or (int(month) if month.isdecimal() else None)
    if days is None or months is None:
        return None
    return f"on {_joined([str(number) for number in days])} {month_name[months]}"


def _numbers(field: str) -> list[int] | None:
    if re.fullmatch(r"\d+(,\d+)*", field):
        return sorted({int(part) for part in field.split(",")})
    return None


def _joined(words: list[str]) -> str:
    return " and ".join(filter(None, [", ".join(words[:-1]), words[-1]]))
