"""Turn a Celery ``crontab`` into a cron expression, without importing Celery."""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING

from dwatch.core.cronexpression import CronExpression, validated
from dwatch.exceptions import ScheduleError

if TYPE_CHECKING:
    from collections.abc import Iterable

_RANGES = {
    "minute": (0, 59),
    "hour": (0, 23),
    "day_of_month": (1, 31),
    "month_of_year": (1, 12),
    "day_of_week": (0, 6),
}
"""Celery's attribute names in the order of cron's fields, with their bounds (Sunday is 0)."""

_SHORTEST_STEP_SERIES = 3
_SHORTEST_RANGE = 3


def is_crontab(candidate: object) -> bool:
    """Tell whether the object has the five sets of values of a Celery ``crontab``."""
    return all(isinstance(getattr(candidate, name, None), set | frozenset) for name in _RANGES)


def convert_crontab(crontab: object) -> CronExpression:
    """Return the expression with the same moments as the Celery ``crontab``.

    Celery joins day of month AND weekday. Its time zone and its clock are ignored
    on purpose: a check follows the project's zone, or its own ``timezone``. Celery
    keeps sets, not text, so a field is called a wildcard (see
    :attr:`CronExpression.is_wildcard`) when it holds every value or at least three
    evenly spaced ones from the first to the end. Raises :class:`ScheduleError` when
    a set is empty or holds something that is no value of its field.
    """
    fields = [_field(name, getattr(crontab, name)) for name in _RANGES]
    both_days_restricted = not (fields[2].startswith("*") or fields[4].startswith("*"))
    return validated(CronExpression(" ".join(fields), day_and_weekday=both_days_restricted))


def _field(name: str, values: Iterable[object]) -> str:
    low, high = _RANGES[name]
    numbers = [value for value in values if isinstance(value, int) and low <= value <= high]
    if not numbers or len(numbers) != len(list(values)):
        message = f"crontab has no usable {name}: {sorted(map(repr, values))}"
        raise ScheduleError(message, f"Each value must be a number from {low} to {high}.")
    return _stepped(sorted(numbers), low, high) or _listed(sorted(numbers))


def _stepped(numbers: list[int], low: int, high: int) -> str | None:
    if len(numbers) < _SHORTEST_STEP_SERIES or numbers[0] != low:
        return None
    step = numbers[1] - numbers[0]
    if numbers != list(range(low, high + 1, step)):
        return None
    return "*" if step == 1 else f"*/{step}"


def _listed(numbers: list[int]) -> str:
    starts = [numbers[0], *(after for before, after in pairwise(numbers) if after != before + 1)]
    ends = [*(before for before, after in pairwise(numbers) if after != before + 1), numbers[-1]]
    return ",".join(_run(start, end) for start, end in zip(starts, ends, strict=True))


def _run(start: int, end: int) -> str:
    if end - start + 1 >= _SHORTEST_RANGE:
        return f"{start}-{end}"
    return ",".join(str(number) for number in range(start, end + 1))
