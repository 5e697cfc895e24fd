"""Any text and any clock: a schedule is refused with a hint, or yields slots."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

from hypothesis import example, given, settings
from hypothesis import strategies as st

from dwatch.core.cronexpression import ALIASES
from dwatch.core.plan import MAX_CLOCK_SKEW, DueState, plan
from dwatch.core.schedule import Schedule
from dwatch.exceptions import ScheduleError

ZONES = [
    ZoneInfo(name)
    for name in (
        "UTC",
        "Europe/Berlin",
        "Australia/Lord_Howe",
        "America/Havana",
        "Pacific/Apia",
        "Antarctica/Troll",
    )
]
MOMENTS = st.datetimes(
    datetime(1990, 1, 1),  # noqa: DTZ001 - hypothesis adds the zone
    datetime(2150, 1, 1),  # noqa: DTZ001 - as above
    timezones=st.just(UTC),
)

NUMBERS = st.integers(0, 70).map(str) | st.sampled_from(["00", "007", "-1", "1e3", "9" * 30, "²"])
NAMES = st.sampled_from(["mon", "SUN", "feb", "Dec", "l", "L", "l5", "?", "*", "h", "H", "r", "w"])
ATOMS = NUMBERS | NAMES
PARTS = st.one_of(
    ATOMS,
    st.tuples(ATOMS, st.sampled_from("-/#,~"), ATOMS).map("".join),
    st.tuples(ATOMS, st.just("-"), ATOMS, st.just("/"), ATOMS).map("".join),
    st.tuples(st.just("H("), ATOMS, st.just("-"), ATOMS, st.just(")/"), ATOMS).map("".join),
)
FIELDS = st.lists(PARTS, min_size=1, max_size=3).map(",".join)
GRAMMATICAL = st.lists(st.just("*") | FIELDS, min_size=4, max_size=7).map(" ".join)
PLAIN = st.tuples(
    *(
        st.just("*") | st.integers(low, high).map(str) | st.integers(1, high).map("*/{}".format)
        for low, high in ((0, 59), (0, 23), (1, 31), (1, 12), (0, 7))
    )
).map(" ".join)
ANYTHING = st.one_of(
    PLAIN,
    GRAMMATICAL,
    st.sampled_from(sorted(ALIASES)),
    st.sampled_from(
        ["@reboot", "@every 5m", "@DAILY ", "* * * * * *", "\t* *\n* * *", "0 0 31 2 *"]
    ),
    st.text(),
    st.text().map(lambda text: f"* * {text} * *"),
)
TIME_ZONES = st.one_of(
    st.none(),
    st.sampled_from(["Europe/Berlin", "UTC", "", "Nowhere", "../etc/passwd", "/etc/localtime"]),
    st.text(),
)


def parsed(run_every: object, slug: str, timezone: str | None) -> Schedule | None:
    """Return the schedule, None if it is refused in words."""
    try:
        return Schedule.parse(run_every, slug=slug, timezone=timezone)
    except ScheduleError as error:
        refusal = error
    _assert_in_words(refusal, slug)
    return None


def _assert_in_words(refusal: ScheduleError, slug: str) -> None:
    assert refusal.message.startswith(f"check {slug!r}: ")
    for line in (refusal.message, refusal.hint):
        assert line
        assert len(line.splitlines()) == 1


@given(ANYTHING, st.text(max_size=20), TIME_ZONES, MOMENTS, st.sampled_from(ZONES))
@example("0 0 29 2 1", "x", None, datetime(2096, 3, 1, tzinfo=UTC), ZONES[0])
@example("0 0 30 12 *", "x", None, datetime(2011, 12, 30, 12, tzinfo=UTC), ZONES[4])
@example("0 12 * * l5", "x", None, datetime(2026, 11, 24, tzinfo=UTC), ZONES[1])
@settings(max_examples=600)
def test_any_text__is_refused_in_words_or_yields_slots(
    run_every: str, slug: str, timezone: str | None, now: datetime, zone: ZoneInfo
) -> None:
    schedule = parsed(run_every, slug, timezone)
    if schedule is None:
        return
    following = schedule.next_slot(now, zone)
    assert following > now
    assert following.second == following.microsecond == 0
    latest = schedule.latest_slot(now, zone)
    if latest is not None:
        assert latest <= now
        before = schedule.previous_slot(latest, zone)
        assert before is None or before < latest
    assert schedule.describe()
    assert str(schedule)


@given(PLAIN | GRAMMATICAL, MOMENTS, st.sampled_from(ZONES))
@settings(max_examples=200)
def test_any_schedule__is_due_until_its_slot_is_handled(
    run_every: str, now: datetime, zone: ZoneInfo
) -> None:
    schedule = parsed(run_every, "x", None)
    if schedule is None:
        return
    first = plan(schedule, None, now, zone)
    if first.slot is None:
        assert schedule.latest_slot(now, zone) is None
        return
    assert first.state is DueState.never
    handled = plan(schedule, first.slot, now, zone)
    assert handled.state is DueState.waiting
    assert handled.next_slot is not None
    following = plan(schedule, first.slot, handled.next_slot, zone)
    assert following.is_due
    assert following.slot == handled.next_slot
    # One that was handled in a future that never came does not stop it for ever.
    ahead = plan(schedule, now + MAX_CLOCK_SKEW + timedelta(days=1), now, zone)
    assert ahead.clock_stepped_back
    assert ahead.slot == first.slot


@given(st.none() | st.integers() | st.binary() | st.timedeltas() | st.lists(st.text()), st.text())
def test_what_is_no_text__is_refused_in_words(run_every: object, slug: str) -> None:
    assert parsed(run_every, slug, None) is None
