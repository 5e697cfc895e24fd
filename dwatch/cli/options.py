"""What option values mean, for ``dwatch`` and ``manage.py`` alike."""

from __future__ import annotations

import re
from datetime import timedelta
from enum import StrEnum
from typing import Literal

from dwatch.core.status import Status
from dwatch.exceptions import UsageError

NEVER = "never"
MAX_WORKERS = 256


class OutputFormat(StrEnum):
    """How a report is written."""

    table = "table"
    plain = "plain"
    json = "json"


class StatusName(StrEnum):
    """A status as it is typed."""

    critical = "critical"
    warning = "warning"
    unknown = "unknown"
    ok = "ok"

    @property
    def status(self) -> Status:
        """The status that is meant."""
        return Status[self.value]


class FailOn(StrEnum):
    """The gate's threshold as it is typed."""

    critical = "critical"
    warning = "warning"
    unknown = "unknown"
    never = "never"

    @property
    def status(self) -> Status | None:
        """The least severe status that fails; None if none does."""
        return None if self is FailOn.never else Status[self.value]


_UNITS = {"m": "minutes", "h": "hours", "d": "days", "w": "weeks"}
_OLDEST = timedelta(days=36_525)
_AGE = re.compile(r"(\d{1,6})\s*([mhdw])", re.IGNORECASE)


def parse_age(text: str) -> timedelta | None:
    """Read an age such as ``90m``, ``12h``, ``30d`` or ``2w``; ``never`` is None.

    Raises UsageError for anything else, zero and more than 100 years included.
    """
    if text.strip().lower() == NEVER:
        return None
    match = _AGE.fullmatch(text.strip())
    age = timedelta(**{_UNITS[match[2].lower()]: int(match[1])}) if match else timedelta()
    if not timedelta() < age <= _OLDEST:
        raise UsageError(
            f"{text!r} is not an age of at most 100 years.",
            "Write a number with m, h, d or w, as in 12h, 30d or 2w, or `never`.",
        )
    return age


def parse_workers(text: str) -> int | Literal["auto"]:
    """Read a number of workers; ``auto`` is one for each core. Raises UsageError."""
    if text.strip().lower() == "auto":
        return "auto"
    number = int(text) if re.fullmatch(r"[0-9]{1,3}", text) else 0
    if not 1 <= number <= MAX_WORKERS:
        raise UsageError(
            f"{text!r:.80} is not a number of workers.",
            f"Write a number from 1 to {MAX_WORKERS}, or `auto` for one per core.",
        )
    return number
