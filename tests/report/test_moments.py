from __future__ import annotations

from datetime import timedelta
from zoneinfo import ZoneInfo

import pytest

from dwatch.report.moments import absolute, both, duration, relative
from tests.report.values import NOW


@pytest.mark.parametrize(
    ("seconds", "expected"),
    [
        (0, "just now"),
        (-1, "just now"),
        (1, "in a moment"),
        (-30, "30 s ago"),
        (45, "in 45 s"),
        (60, "in 1 min"),
        (-179, "2 min ago"),
        (3 * 3600, "in 3 h"),
        (-86400, "1 day ago"),
        (-3 * 86400, "3 days ago"),
        (45 * 86400, "in 1 month"),
        (-800 * 86400, "2 years ago"),
    ],
)
def test_relative(seconds: int, expected: str) -> None:
    assert relative(NOW + timedelta(seconds=seconds), NOW) == expected


def test_absolute__is_in_the_zone() -> None:
    assert absolute(NOW, ZoneInfo("Europe/Berlin")) == "2026-11-24 07:00"
    assert both(NOW, NOW, ZoneInfo("Asia/Kolkata")) == "just now (2026-11-24 11:30)"


@pytest.mark.parametrize(
    ("seconds", "expected"),
    [
        (0, "0 ms"),
        (0.0123, "12 ms"),
        (0.424, "0.42 s"),
        (12.34, "12.3 s"),
        (59.96, "1 min 00 s"),
        (185, "3 min 05 s"),
        (7500, "2 h 05 min"),
    ],
)
def test_duration(seconds: float, expected: str) -> None:
    assert duration(seconds) == expected
