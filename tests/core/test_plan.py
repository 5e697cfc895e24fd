from __future__ import annotations

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dwatch.core.plan import MAX_CLOCK_SKEW, DueState, Plan, plan
from dwatch.core.schedule import Schedule
from tests.core.cron_strategies import ALL_CHANGES, moments_near

BERLIN = ZoneInfo("Europe/Berlin")
HOURLY = Schedule.parse("@hourly", slug="wallet-balance")


def utc(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


NOW = utc("2026-07-01T12:20")


def test_manual__no_schedule() -> None:
    for handled in (None, utc("2026-07-01T12:00")):
        manual = plan(None, handled, NOW, UTC)
        assert manual == Plan(DueState.manual, None, None, clock_stepped_back=False)
        assert not manual.is_due


@pytest.mark.parametrize(
    ("handled", "state", "slot"),
    [
        pytest.param(None, "never", "2026-07-01T12:00", id="never-ran"),
        pytest.param("2026-07-01T11:00", "due", "2026-07-01T12:00", id="one-slot"),
        pytest.param("2026-07-01T11:30", "due", "2026-07-01T12:00", id="schedule-was-edited"),
        pytest.param("2026-07-01T10:00", "overdue", "2026-07-01T12:00", id="one-missed"),
        pytest.param("2026-07-01T09:00", "overdue", "2026-07-01T12:00", id="outage-coalesces"),
        pytest.param("2016-01-01T00:00", "overdue", "2026-07-01T12:00", id="years-coalesce"),
        pytest.param("2026-07-01T12:00", "waiting", None, id="handled"),
        pytest.param("2026-07-01T12:20", "waiting", None, id="handled-now"),
    ],
)
def test_states(handled: str | None, state: str, slot: str | None) -> None:
    found = plan(HOURLY, utc(handled) if handled else None, NOW, UTC)
    assert found == Plan(
        DueState(state),
        utc(slot) if slot else None,
        utc("2026-07-01T13:00"),
        clock_stepped_back=False,
    )
    assert found.is_due is (slot is not None)


def test_three_hours_outage__one_run_then_waiting() -> None:
    missed = plan(HOURLY, utc("2026-07-01T09:00"), NOW, UTC)
    assert missed.state is DueState.overdue
    assert plan(HOURLY, missed.slot, NOW, UTC).state is DueState.waiting


@pytest.mark.parametrize("skew", [timedelta(minutes=2), MAX_CLOCK_SKEW])
def test_another_hosts_clock_is_ahead__no_slot_twice(skew: timedelta) -> None:
    slot = utc("2026-07-01T13:00")
    found = plan(HOURLY, slot, slot - skew, UTC)
    assert found == Plan(DueState.waiting, None, utc("2026-07-01T14:00"), clock_stepped_back=False)


@pytest.mark.parametrize(
    "ahead", [MAX_CLOCK_SKEW + timedelta(seconds=1), timedelta(hours=3), timedelta(days=365)]
)
def test_clock_stepped_back__due_again_and_said(ahead: timedelta) -> None:
    found = plan(HOURLY, NOW + ahead, NOW, UTC)
    assert found == Plan(
        DueState.due, utc("2026-07-01T12:00"), utc("2026-07-01T13:00"), clock_stepped_back=True
    )
    assert found.is_due
    resumed = plan(HOURLY, found.slot, NOW, UTC)
    assert resumed.state is DueState.waiting
    assert not resumed.clock_stepped_back


def test_zone__of_the_project_or_the_check() -> None:
    handled, now = utc("2026-07-01T04:00"), utc("2026-07-01T05:00")
    project = Schedule.parse("0 6 * * *", slug="x")
    own = Schedule.parse("0 6 * * *", slug="x", timezone="UTC")
    assert plan(project, handled, now, BERLIN).state is DueState.waiting
    assert plan(project, handled, now, BERLIN).next_slot == utc("2026-07-02T04:00")
    assert plan(own, handled, now, BERLIN).next_slot == utc("2026-07-01T06:00")


@pytest.mark.parametrize("night", ["2026-03-28T20:00", "2026-10-24T20:00"])
def test_dst_night__fixed_time_is_handled_once(night: str) -> None:
    nightly, now = Schedule.parse("30 2 * * *", slug="x"), utc(night)
    handled, runs = nightly.latest_slot(now, BERLIN), 0
    for minute in range(12 * 60):
        found = plan(nightly, handled, now + timedelta(minutes=minute), BERLIN)
        if found.is_due:
            assert found.state is DueState.due
            handled, runs = found.slot, runs + 1
    assert runs == 1


@given(st.data(), st.sampled_from(ALL_CHANGES), st.timedeltas(timedelta(0), timedelta(hours=30)))
@settings(max_examples=200, deadline=None)
def test_handling_the_slot_is_enough(
    data: st.DataObject, change: tuple[ZoneInfo, datetime], outage: timedelta
) -> None:
    zone, moment = change
    expression = data.draw(st.sampled_from(["30 2 * * *", "*/15 * * * *", "0 */2 * * *", "@daily"]))
    schedule, now = Schedule.parse(expression, slug="x"), data.draw(moments_near(moment))
    handled = schedule.latest_slot(now - outage, zone)
    found = plan(schedule, handled, now, zone)
    missed = _count(schedule, now - outage, now, zone)
    expected = [DueState.waiting, DueState.due][missed] if missed < 2 else DueState.overdue
    assert found.state is expected
    assert plan(schedule, found.slot or handled, now, zone).state is DueState.waiting


def _count(schedule: Schedule, start: datetime, end: datetime, zone: ZoneInfo) -> int:
    count, slot = 0, schedule.next_slot(start, zone)
    while slot <= end:
        count, slot = count + 1, schedule.next_slot(slot, zone)
    return count
