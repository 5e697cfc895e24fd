from __future__ import annotations

from datetime import timedelta

import pytest

from dwatch.cli.options import FailOn, StatusName, parse_age, parse_workers
from dwatch.core.status import Status
from dwatch.exceptions import UsageError


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("90m", timedelta(minutes=90)),
        ("12h", timedelta(hours=12)),
        ("30d", timedelta(days=30)),
        ("2w", timedelta(weeks=2)),
        (" 30 D ", timedelta(days=30)),
        ("never", None),
        ("Never", None),
    ],
)
def test_parse_age(text: str, expected: timedelta | None) -> None:
    assert parse_age(text) == expected


@pytest.mark.parametrize(
    "text", ["", "30", "d", "0d", "-1d", "1.5d", "30y", "9999999d", "2w3d", "999999w"]
)
def test_parse_age__refuses(text: str) -> None:
    with pytest.raises(UsageError) as refused:
        parse_age(text)
    assert repr(text) in refused.value.message
    assert "30d" in refused.value.hint


@pytest.mark.parametrize(
    ("text", "expected"), [("1", 1), ("16", 16), ("256", 256), ("auto", "auto"), (" AUTO", "auto")]
)
def test_parse_workers(text: str, expected: int | str) -> None:
    assert parse_workers(text) == expected


@pytest.mark.parametrize("text", ["", "0", "-1", "257", "1.5", "many", "9" * 5000, "\u0663"])
def test_parse_workers__refuses(text: str) -> None:
    with pytest.raises(UsageError) as refused:
        parse_workers(text)
    assert repr(text)[:20] in refused.value.message
    assert "auto" in refused.value.hint


def test_names_stand_for_statuses() -> None:
    assert {name.status for name in StatusName} == set(Status)
    assert [gate.status for gate in FailOn] == [
        Status.critical,
        Status.warning,
        Status.unknown,
        None,
    ]
