from __future__ import annotations

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from dwatch.core.walltime import every_occurrence, repetition, single_occurrence

BERLIN = ZoneInfo("Europe/Berlin")
LORD_HOWE = ZoneInfo("Australia/Lord_Howe")


@pytest.mark.parametrize(
    ("wall", "zone", "every", "single"),
    [
        ("2026-07-01T12:00", BERLIN, ["2026-07-01T10:00"], "2026-07-01T10:00"),
        ("2026-03-29T02:00", BERLIN, [], "2026-03-29T01:00"),
        ("2026-03-29T02:59", BERLIN, [], "2026-03-29T01:00"),
        ("2026-03-29T03:00", BERLIN, ["2026-03-29T01:00"], "2026-03-29T01:00"),
        (
            "2026-10-25T02:30",
            BERLIN,
            ["2026-10-25T00:30", "2026-10-25T01:30"],
            "2026-10-25T00:30",
        ),
        ("2026-10-25T03:00", BERLIN, ["2026-10-25T02:00"], "2026-10-25T02:00"),
        ("2026-10-04T02:15", LORD_HOWE, [], "2026-10-03T15:30"),
        (
            "2026-04-05T01:45",
            LORD_HOWE,
            ["2026-04-04T14:45", "2026-04-04T15:15"],
            "2026-04-04T14:45",
        ),
    ],
)
def test_occurrences(wall: str, zone: ZoneInfo, every: list[str], single: str) -> None:
    moment = datetime.fromisoformat(wall)
    expected = [datetime.fromisoformat(text).replace(tzinfo=UTC) for text in every]
    assert every_occurrence(moment, zone) == expected
    assert single_occurrence(moment, zone) == [datetime.fromisoformat(single).replace(tzinfo=UTC)]


def test_repetition() -> None:
    assert repetition(datetime(2026, 10, 25, 2, 30, tzinfo=BERLIN)) == timedelta(hours=1)
    assert repetition(datetime(2026, 4, 5, 1, 45, tzinfo=LORD_HOWE)) == timedelta(minutes=30)
    assert repetition(datetime(2026, 7, 1, 2, 30, tzinfo=BERLIN)) == timedelta(0)
