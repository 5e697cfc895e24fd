from __future__ import annotations

import pickle
from datetime import UTC, datetime, timedelta
from datetime import timezone as fixed_zone
from zoneinfo import ZoneInfo

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from dwatch.core.schedule import Schedule
from dwatch.exceptions import ScheduleError
from tests.core.cron_strategies import ALL_CHANGES, expressions, moments_near
from tests.core.debian_cron import fired

BERLIN = ZoneInfo("Europe/Berlin")
NEW_YORK = ZoneInfo("America/New_York")
KOLKATA = ZoneInfo("Asia/Kolkata")
LORD_HOWE = ZoneInfo("Australia/Lord_Howe")
APIA = ZoneInfo("Pacific/Apia")


def schedule(expression: str) -> Schedule:
    return Schedule.parse(expression, slug="wallet-balance")


def utc(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


def slots_between(
    expression: str, zone: ZoneInfo, start: datetime, end: datetime
) -> list[datetime]:
    found, now = [], start - timedelta(microseconds=1)
    while (now := schedule(expression).next_slot(now, zone)) < end:
        found.append(now)
    return found


def handled_by_ticks(expression: str, zone: ZoneInfo, start: datetime, end: datetime) -> list[str]:
    """Return the slots that a tick each minute would handle, in local time."""
    handled, found, now = schedule(expression).latest_slot(start, zone), [], start
    while now < end:
        now += timedelta(minutes=1)
        slot = schedule(expression).latest_slot(now, zone)
        if slot != handled:
            found.append(f"{slot:%d}T{slot.astimezone(zone):%H:%M%z}" if slot else "lost")
            handled = slot
    return found


@pytest.mark.parametrize(
    ("expression", "zone", "now", "latest", "following"),
    [
        ("*/5 * * * *", BERLIN, "2026-07-01T12:03", "2026-07-01T12:00", "2026-07-01T12:05"),
        ("0 6 * * *", BERLIN, "2026-07-01T12:00", "2026-07-01T04:00", "2026-07-02T04:00"),
        ("0 6 * * *", BERLIN, "2026-01-15T12:00", "2026-01-15T05:00", "2026-01-16T05:00"),
        ("0 6 * * *", NEW_YORK, "2026-07-01T12:00", "2026-07-01T10:00", "2026-07-02T10:00"),
        ("0 6 * * *", KOLKATA, "2026-07-01T12:00", "2026-07-01T00:30", "2026-07-02T00:30"),
        ("0 6 * * *", LORD_HOWE, "2026-07-01T12:00", "2026-06-30T19:30", "2026-07-01T19:30"),
        ("0 6 * * *", LORD_HOWE, "2026-01-15T12:00", "2026-01-14T19:00", "2026-01-15T19:00"),
        ("0 2 29 2 *", BERLIN, "2026-07-01T12:00", "2024-02-29T01:00", "2028-02-29T01:00"),
        ("0 0 30 2 1", UTC, "2026-02-10T00:00", "2026-02-09T00:00", "2026-02-16T00:00"),
        ("0 0 1-31 * 1", UTC, "2026-07-01T12:00", "2026-07-01T00:00", "2026-07-02T00:00"),
        ("0 0 13 * 5", UTC, "2026-07-11T12:00", "2026-07-10T00:00", "2026-07-13T00:00"),
        ("0 0 */2 * 5", UTC, "2026-07-11T12:00", "2026-07-03T00:00", "2026-07-17T00:00"),
        ("0 0 L * *", UTC, "2026-07-11T12:00", "2026-06-30T00:00", "2026-07-31T00:00"),
        ("0 0 * * 1#1", UTC, "2026-07-11T12:00", "2026-07-06T00:00", "2026-08-03T00:00"),
        ("0 0 * * sun", UTC, "2026-07-11T12:00", "2026-07-05T00:00", "2026-07-12T00:00"),
        ("0 0 * * 7", UTC, "2026-07-11T12:00", "2026-07-05T00:00", "2026-07-12T00:00"),
        ("@monthly", UTC, "2026-07-11T12:00", "2026-07-01T00:00", "2026-08-01T00:00"),
        ("0 6-6 * * *", UTC, "2026-07-11T12:00", "2026-07-11T06:00", "2026-07-12T06:00"),
    ],
)
def test_slots(expression: str, zone: ZoneInfo, now: str, latest: str, following: str) -> None:
    assert schedule(expression).latest_slot(utc(now), zone) == utc(latest)
    assert schedule(expression).next_slot(utc(now), zone) == utc(following)


def test_latest_slot__now_is_a_slot_to_the_microsecond() -> None:
    daily, slot = schedule("0 6 * * *"), utc("2026-07-01T06:00")
    instant = timedelta(microseconds=1)
    assert daily.latest_slot(slot, UTC) == slot
    assert daily.latest_slot(slot - instant, UTC) == slot - timedelta(days=1)
    assert daily.next_slot(slot - instant, UTC) == slot
    assert daily.next_slot(slot, UTC) == slot + timedelta(days=1)
    assert daily.previous_slot(slot, UTC) == slot - timedelta(days=1)


def test_slots__are_utc_whatever_the_zone_of_now() -> None:
    now = datetime(2026, 7, 1, 12, 0, tzinfo=NEW_YORK)
    latest = schedule("0 6 * * *").latest_slot(now, BERLIN)
    assert latest == utc("2026-07-01T04:00")
    assert latest is not None
    assert latest.tzinfo is UTC
    assert schedule("0 6 * * *").next_slot(now, BERLIN).tzinfo is UTC


def test_slots__refuse_a_naive_moment() -> None:
    naive = utc("2026-07-01T12:00").replace(tzinfo=None)
    with pytest.raises(ValueError, match="aware"):
        schedule("0 6 * * *").latest_slot(naive, BERLIN)
    with pytest.raises(ValueError, match="aware"):
        schedule("0 6 * * *").next_slot(naive, BERLIN)


def test_slots__the_checks_own_zone_wins() -> None:
    own = Schedule.parse("0 6 * * *", slug="x", timezone="Asia/Kolkata")
    assert own.latest_slot(utc("2026-07-01T12:00"), BERLIN) == utc("2026-07-01T00:30")
    assert own.next_slot(utc("2026-07-01T12:00"), BERLIN) == utc("2026-07-02T00:30")


def test_slots__in_a_zone_with_a_fixed_offset() -> None:
    zone = fixed_zone(timedelta(hours=-3))
    assert schedule("0 6 * * *").latest_slot(utc("2026-07-01T12:00"), zone) == utc(
        "2026-07-01T09:00"
    )


@pytest.mark.parametrize(
    ("expression", "zone", "day", "handled"),
    [
        pytest.param("30 2 * * *", BERLIN, "2026-03-28T12:00", ["29T03:00+0200"], id="Berlin-gap"),
        pytest.param("30 2 * * *", BERLIN, "2026-10-24T12:00", ["25T02:30+0200"], id="Berlin-fold"),
        pytest.param(
            "30 2 * * *", NEW_YORK, "2026-03-07T12:00", ["08T03:00-0400"], id="New-York-gap"
        ),
        pytest.param(
            "30 1 * * *", NEW_YORK, "2026-10-31T12:00", ["01T01:30-0400"], id="New-York-fold"
        ),
        pytest.param(
            "15 2 * * *", LORD_HOWE, "2026-10-03T03:00", ["03T02:30+1100"], id="Lord-Howe-gap"
        ),
        pytest.param(
            "45 1 * * *", LORD_HOWE, "2026-04-04T03:00", ["04T01:45+1100"], id="Lord-Howe-fold"
        ),
        pytest.param(
            "10,50 2 * * *", BERLIN, "2026-03-28T12:00", ["29T03:00+0200"], id="gap-coalesces"
        ),
        pytest.param(
            "0 3 * * *", BERLIN, "2026-03-28T12:00", ["29T03:00+0200"], id="gap-ends-on-slot"
        ),
        pytest.param(
            "*/15 2 * * *", BERLIN, "2026-03-28T12:00", [], id="wildcard-has-no-skipped-hour"
        ),
    ],
)
def test_dst_nights__as_a_tick_each_minute_sees_them(
    expression: str, zone: ZoneInfo, day: str, handled: list[str]
) -> None:
    start = utc(day)
    assert handled_by_ticks(expression, zone, start, start + timedelta(hours=23)) == handled


def test_dst_fold__wildcard_job_runs_in_both_hours() -> None:
    start, end = utc("2026-10-25T00:00"), utc("2026-10-25T02:00")
    expected = [start + timedelta(minutes=15 * step) for step in range(8)]
    assert slots_between("*/15 * * * *", BERLIN, start, end) == expected
    assert {slot.astimezone(BERLIN).hour for slot in expected} == {2}


def test_dst_gap__wildcard_job_follows_real_time() -> None:
    start, end = utc("2026-03-29T00:00"), utc("2026-03-29T02:00")
    expected = [start + timedelta(minutes=15 * step) for step in range(8)]
    assert slots_between("*/15 * * * *", BERLIN, start, end) == expected
    assert [slot.astimezone(BERLIN).hour for slot in expected] == [1] * 4 + [3] * 4


def test_a_skipped_day__fixed_job_runs_once_when_the_next_begins() -> None:
    start, end = utc("2011-12-29T12:00"), utc("2011-12-31T12:00")
    slots = slots_between("0 6 * * *", APIA, start, end)
    assert [f"{slot.astimezone(APIA):%m-%d %H:%M}" for slot in slots] == [
        "12-29 06:00",
        "12-31 00:00",
        "12-31 06:00",
    ]


@given(st.sampled_from(ALL_CHANGES), expressions())
@settings(max_examples=150, deadline=None)
def test_clock_changes__agree_with_debians_cron(
    change: tuple[ZoneInfo, datetime], expression: str
) -> None:
    zone, moment = change
    start, end = moment - timedelta(hours=5), moment + timedelta(hours=5)
    assume(_is_possible(expression))
    assert slots_between(expression, zone, start, end) == fired(expression, zone, start, end)


@given(st.data(), st.sampled_from(ALL_CHANGES), expressions())
@settings(max_examples=300, deadline=None)
def test_next_and_latest_slot_agree(
    data: st.DataObject, change: tuple[ZoneInfo, datetime], expression: str
) -> None:
    zone, moment = change
    assume(_is_possible(expression))
    cron, now = schedule(expression), data.draw(moments_near(moment))
    latest, following = cron.latest_slot(now, zone), cron.next_slot(now, zone)
    assert latest is not None
    assert latest <= now < following
    assert cron.latest_slot(following, zone) == following
    assert cron.previous_slot(following, zone) == latest
    assert cron.next_slot(latest, zone) == following
    between = now + (following - now) * data.draw(st.floats(0, 0.999))
    assert cron.latest_slot(between, zone) == latest


@given(st.data(), st.sampled_from(ALL_CHANGES), expressions())
@settings(max_examples=150, deadline=None)
def test_latest_slot__never_goes_back(
    data: st.DataObject, change: tuple[ZoneInfo, datetime], expression: str
) -> None:
    zone, moment = change
    assume(_is_possible(expression))
    first, second = sorted([data.draw(moments_near(moment)), data.draw(moments_near(moment))])
    earlier = schedule(expression).latest_slot(first, zone)
    later = schedule(expression).latest_slot(second, zone)
    assert earlier is not None
    assert later is not None
    assert earlier <= later


def _is_possible(expression: str) -> bool:
    try:
        schedule(expression)
    except ScheduleError as error:
        if "never matches" in error.message:
            return False
        raise
    return True


@pytest.mark.parametrize(
    ("timezone", "name"),
    [
        (None, None),
        ("Europe/Berlin", "Europe/Berlin"),
        (KOLKATA, "Asia/Kolkata"),
        (UTC, "UTC"),
    ],
)
def test_parse__time_zone(timezone: str | ZoneInfo | None, name: str | None) -> None:
    zone = Schedule.parse("@daily", slug="x", timezone=timezone).zone
    assert (zone.key if zone else None) == name


@pytest.mark.parametrize(
    "timezone",
    ["Mars/Olympus", "", "../etc/passwd", "/etc/passwd", "Europe", "a\0b", "x" * 10_000, "\ud800"],
)
def test_parse__refuses_an_unknown_time_zone(timezone: str) -> None:
    with pytest.raises(ScheduleError, match=r"time zone .* is unknown") as caught:
        Schedule.parse("@daily", slug="x", timezone=timezone)
    assert "Europe/Berlin" in caught.value.hint


def test_parse__refuses_a_time_zone_without_a_name() -> None:
    with pytest.raises(ScheduleError, match="not a named time zone"):
        Schedule.parse("@daily", slug="x", timezone=fixed_zone(timedelta(hours=1)))


@pytest.mark.parametrize(
    ("run_every", "hint"),
    [
        (None, "Leave run_every out"),
        (5, "cron string"),
        (True, "cron string"),
        (b"* * * * *", "cron string"),
        (["*", "*", "*", "*", "*"], "cron string"),
        (timedelta(minutes=5), "interval has no fixed moments"),
        (object(), "cron string"),
    ],
)
def test_parse__refuses_what_is_no_schedule(run_every: object, hint: str) -> None:
    with pytest.raises(ScheduleError, match="'wallet-balance': run_every is") as caught:
        Schedule.parse(run_every, slug="wallet-balance")
    assert hint in caught.value.hint


def test_parse__errors_name_the_check_on_one_line() -> None:
    with pytest.raises(ScheduleError) as caught:
        Schedule.parse("0 0\n31 2 *", slug="wallet-balance")
    assert caught.value.message == (
        "check 'wallet-balance': cron expression '0 0 31 2 *' never matches any date"
    )
    assert caught.value.hint


def test_schedules__are_values() -> None:
    one = Schedule.parse(" 0  6 * * *", slug="one", timezone="Europe/Berlin")
    other = Schedule.parse("0 6 * * *", slug="other", timezone=BERLIN)
    assert one == other
    assert hash(one) == hash(other)
    assert pickle.loads(pickle.dumps(one)) == one  # noqa: S301 - our own bytes
    assert one != Schedule("0 6 * * *", BERLIN, day_and_weekday=True)
    assert one != schedule("0 6 * * *")
    assert str(one) == "0 6 * * *"


def test_describe() -> None:
    assert schedule("0 6 * * *").describe() == "daily at 06:00"
    assert schedule("7 */5 * * *").describe() == "7 */5 * * *"


def test_describe__names_the_checks_own_zone() -> None:
    own = Schedule.parse("0 6 * * *", slug="x", timezone="Asia/Kolkata")
    assert own.describe() == "daily at 06:00 (Asia/Kolkata)"


def test_describe__says_when_both_days_must_match() -> None:
    both = Schedule("0 0 13 * 5", None, day_and_weekday=True)
    assert both.describe() == "0 0 13 * 5, day and weekday both"
