from __future__ import annotations

from datetime import datetime, timedelta
from itertools import islice

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from dwatch.core.cronexpression import MAX_LENGTH, CronExpression, parse_cron
from dwatch.exceptions import ScheduleError
from tests.core.cron_strategies import expressions
from tests.core.debian_cron import Entry

NOON = datetime(2026, 7, 1, 12, 0)  # noqa: DTZ001 - wall-clock time on purpose


def parse(source: str, slug: str = "wallet-balance") -> str:
    return parse_cron(source, slug=slug).text


def parsed_or_refused(source: str, slug: str) -> CronExpression | ScheduleError:
    try:
        return parse_cron(source, slug=slug)
    except ScheduleError as error:
        return error


@pytest.mark.parametrize(
    ("source", "text"),
    [
        ("*/5 * * * *", "*/5 * * * *"),
        ("  0\t6  * * * \n", "0 6 * * *"),
        ("@hourly", "0 * * * *"),
        ("@daily", "0 0 * * *"),
        ("@Midnight", "0 0 * * *"),
        ("@weekly", "0 0 * * 0"),
        ("@monthly", "0 0 1 * *"),
        ("@yearly", "0 0 1 1 *"),
        ("@annually", "0 0 1 1 *"),
        ("0 6 * * MON-FRI", "0 6 * * MON-FRI"),
        ("0 6-6 * mar-Mar 1-1/2", "0 6 * mar 1"),
        ("0 0 30 2 1", "0 0 30 2 1"),
        ("0 2 29 2 *", "0 2 29 2 *"),
        ("0 0 L * *", "0 0 L * *"),
    ],
)
def test_parse__canonical_text(source: str, text: str) -> None:
    assert parse(source) == text


@pytest.mark.parametrize(
    ("source", "message", "hint"),
    [
        ("", "is empty", "five fields"),
        (" \n ", "is empty", "five fields"),
        ("0 0 31 2 *", "never matches any date", "day and month"),
        ("0 0 30 2 */2", "never matches any date", "day and month"),
        ("0 0 31 4,6,9,11 *", "never matches any date", "day and month"),
        ("R * * * *", "is random", "Use H"),
        ("0 r(0-5) * * *", "is random", "Use H"),
        ("* * * * * *", "has 6 fields", "Seconds and years"),
        ("0 0 1 1 * 0 2026", "has 7 fields", "Seconds and years"),
        ("0 0 1 1 2026", "cannot be read", "five fields"),
        ("5 4", "has 2 fields", "five fields"),
        ("every day", "has 2 fields", "five fields"),
        ("x" * 100_000, "too long: 100000 characters", "ranges"),
        ("* " * MAX_LENGTH, "too long", "ranges"),
        ("@reboot", "alias '@reboot' is unknown", "@daily"),
        ("@every 5m", "alias '@every 5m' is unknown", "@daily"),
        ("60 * * * *", "cannot be read", "five fields"),
        ("* 24 * * *", "cannot be read", "five fields"),
        ("* * 0 * *", "cannot be read", "five fields"),
        ("* * 32 * *", "cannot be read", "five fields"),
        ("* * * 13 *", "cannot be read", "five fields"),
        ("* * * * 8", "cannot be read", "five fields"),
        ("*/0 * * * *", "cannot be read", "five fields"),
        ("-5 * * * *", "cannot be read", "five fields"),
        ("a b c d e", "cannot be read", "five fields"),
        ("* * * foo *", "cannot be read", "five fields"),
        ("1,,2 * * * *", "cannot be read", "five fields"),
        ("0\0 * * * *", "a character that cron does not know", "five fields"),
        ("\u0665 * * * *", "a character that cron does not know", "five fields"),
        ("\ud800 * * * *", "a character that cron does not know", "five fields"),
        ("0 0 15W * *", "nearest weekday", "weekdays"),
        ("0 0 1-7 * 1#1", "numbered weekday", "plain weekday"),
        ("0 0 1-7 * L5", "numbered weekday", "plain weekday"),
        ("H(5 * * * *", "cannot be read", "H(1-5)"),
        ("H(0-99) * * * *", "cannot be read", "H(1-5)"),
    ],
)
def test_parse__refuses(source: str, message: str, hint: str) -> None:
    with pytest.raises(ScheduleError) as caught:
        parse(source)
    assert message in caught.value.message
    assert hint in caught.value.hint
    assert "\n" not in caught.value.message
    assert len(caught.value.message) < 2 * MAX_LENGTH


def test_parse__hash_is_fixed_by_the_slug() -> None:
    assert parse("H H * * *", "one") == parse("h h * * *", "one")
    spread = {parse("H H * * *", f"check-{number}") for number in range(50)}
    assert len(spread) > 40
    assert not any("H" in text for text in spread)


def test_parse__hash_keeps_its_bounds() -> None:
    for number in range(200):
        minute, hour, day, _, weekday = parse("H/15 H(3-5) H * H", f"check-{number}").split()
        assert len(minute.split(",")) == 4
        assert 3 <= int(hour) <= 5
        assert 1 <= int(day) <= 28
        assert 0 <= int(weekday) <= 6


def test_parse__hash_leaves_the_other_fields_as_written() -> None:
    assert parse("H 9-17 * * mon-fri").split()[1:] == ["9-17", "*", "*", "mon-fri"]


def test_parse__hash_of_any_slug() -> None:
    assert parse("H * * * *", "\ud800").split()[1:] == ["*"] * 4


@pytest.mark.parametrize(
    ("text", "is_wildcard"),
    [
        ("* * * * *", True),
        ("*/15 2 * * *", True),
        ("30 * * * *", True),
        ("0 */6 * * *", True),
        ("30 2 * * *", False),
        ("0-59 0-23 * * *", False),
    ],
)
def test_is_wildcard(text: str, *, is_wildcard: bool) -> None:
    assert CronExpression(text).is_wildcard is is_wildcard


def test_walks_do_not_disturb_each_other() -> None:
    hourly = CronExpression("0 * * * *")
    forwards, backwards = hourly.after(NOON), hourly.at_or_before(NOON)
    mixed = [next(walk) for walk in (forwards, backwards, forwards, backwards)]
    assert [wall.hour for wall in mixed] == [13, 12, 14, 11]


@given(expressions(), st.integers(0, 525_600))
@settings(max_examples=150, deadline=None)
def test_walks_meet_only_what_debians_cron_matches(expression: str, minutes: int) -> None:
    start, entry = NOON + timedelta(minutes=minutes), Entry.read(expression)
    cron = parsed_or_refused(expression, "x")
    if isinstance(cron, ScheduleError):
        assert "never matches" in cron.message
        return
    for wall in islice(cron.after(start), 3):
        assert entry.matches(wall)
        assert wall > start
    for wall in islice(cron.at_or_before(start), 3):
        assert entry.matches(wall)
        assert wall <= start


CRON_LIKE = st.text("0123456789*/-,#?@() LHRWlhrwmonfebsun", max_size=40)
FIVE_FIELDS = st.lists(
    st.text("0123456789*/-,#?()LHRWmonfeb", min_size=1, max_size=6), min_size=5, max_size=5
).map(" ".join)


@given(st.one_of(st.text(), CRON_LIKE, FIVE_FIELDS), st.text())
@example("0 0 1-5/99999999999999999999999999 * *", "")
@example(f"{'9' * 400} * * * *", "")
@settings(max_examples=1500, deadline=None)
def test_parse__any_text_is_a_schedule_or_refused(source: str, slug: str) -> None:
    cron = parsed_or_refused(source, slug)
    if isinstance(cron, ScheduleError):
        assert cron.message
        assert cron.hint
        return
    assert next(cron.after(NOON)) > NOON
    assert parse_cron(cron.text, slug="another") == cron
