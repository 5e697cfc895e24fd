from __future__ import annotations

import random
from datetime import UTC, datetime, timedelta
from types import SimpleNamespace
from zoneinfo import ZoneInfo

import pytest
from celery.schedules import crontab, schedule

from dwatch.core.crontab import convert_crontab, is_crontab
from dwatch.core.schedule import Schedule
from dwatch.exceptions import ScheduleError

MONDAY = datetime(2026, 6, 1, 12, 3, tzinfo=UTC)


@pytest.mark.parametrize(
    ("celery", "text"),
    [
        (crontab(), "* * * * *"),
        (crontab(minute="*/5"), "*/5 * * * *"),
        (crontab(minute="*/1"), "* * * * *"),
        (crontab(minute="*/7"), "*/7 * * * *"),
        (crontab(minute=15, hour=3, day_of_week="monday"), "15 3 * * 1"),
        (crontab(minute=0, hour="9-17", day_of_week="mon-fri"), "0 9-17 * * 1-5"),
        (crontab(minute=0, hour="*/12"), "0 0,12 * * *"),
        (crontab(minute="0,30"), "0,30 * * * *"),
        (crontab(minute={59, 1, 2, 3, 10}), "1-3,10,59 * * * *"),
        (crontab(minute=0, hour=0, day_of_week="sunday"), "0 0 * * 0"),
        (crontab(minute=0, hour=0, day_of_month=1, month_of_year="*/3"), "0 0 1 */3 *"),
        (crontab(minute=0, hour=0, day_of_week="*/2"), "0 0 * * */2"),
    ],
)
def test_convert__text(celery: crontab, text: str) -> None:
    assert Schedule.parse(celery, slug="x") == Schedule.parse(text, slug="x")
    assert str(Schedule.parse(celery, slug="x")) == text


def test_convert__day_and_weekday_must_both_match() -> None:
    friday_13th = Schedule.parse(
        crontab(minute=0, hour=0, day_of_month=13, day_of_week="friday"), slug="x"
    )
    assert friday_13th.next_slot(MONDAY, UTC) == datetime(2026, 11, 13, tzinfo=UTC)
    assert friday_13th.latest_slot(MONDAY, UTC) == datetime(2026, 3, 13, tzinfo=UTC)
    assert friday_13th != Schedule.parse("0 0 13 * 5", slug="x")
    assert friday_13th.describe() == "0 0 13 * 5, day and weekday both"


def test_convert__29_february_on_a_monday_is_found_28_years_on() -> None:
    rare = Schedule.parse(
        crontab(minute=0, hour=0, day_of_month=29, month_of_year=2, day_of_week=1), slug="x"
    )
    assert rare.next_slot(MONDAY, UTC) == datetime(2044, 2, 29, tzinfo=UTC)
    assert rare.latest_slot(MONDAY, UTC) == datetime(2016, 2, 29, tzinfo=UTC)


def test_convert__ignores_celerys_clock_and_zone() -> None:
    celery = crontab(minute=0, hour=6, nowfun=lambda: datetime(1999, 1, 1, tzinfo=UTC))
    slot = Schedule.parse(celery, slug="x").latest_slot(MONDAY, ZoneInfo("Europe/Berlin"))
    assert slot == datetime(2026, 6, 1, 4, 0, tzinfo=UTC)


def test_convert__any_object_of_the_shape() -> None:
    shape = SimpleNamespace(
        minute=frozenset({0}),
        hour=frozenset({6}),
        day_of_month=frozenset(range(1, 32)),
        month_of_year=frozenset(range(1, 13)),
        day_of_week=frozenset(range(7)),
    )
    assert is_crontab(shape)
    assert convert_crontab(shape).text == "0 6 * * *"


@pytest.mark.parametrize(
    ("minute", "message"),
    [(set(), "no usable minute"), ({60}, "60"), ({"5"}, "'5'"), ({0, None}, "None")],
)
def test_convert__refuses_unusable_values(minute: set[object], message: str) -> None:
    celery = crontab(minute=0)
    celery.minute = minute
    with pytest.raises(ScheduleError, match=message) as caught:
        Schedule.parse(celery, slug="x")
    assert "from 0 to 59" in caught.value.hint


def test_convert__refuses_days_that_never_come() -> None:
    celery = crontab(minute=0, hour=0, day_of_month=30, month_of_year="2,4")
    celery.month_of_year = {2}
    with pytest.raises(ScheduleError, match="never matches"):
        Schedule.parse(celery, slug="x")


def test_parse__refuses_celerys_interval() -> None:
    with pytest.raises(ScheduleError) as caught:
        Schedule.parse(schedule(timedelta(minutes=5)), slug="x")
    assert "interval" in caught.value.hint


@pytest.mark.parametrize("seed", range(60))
def test_convert__same_moments_as_celery(seed: int) -> None:
    celery = _random_crontab(random.Random(seed))  # noqa: S311 - test data
    ours = Schedule.parse(celery, slug="x")
    last = MONDAY
    for _ in range(20):
        last_run, delta, _ = celery.remaining_delta(last, tz=UTC)
        due = last_run + delta
        assert ours.next_slot(last, UTC) == due
        assert ours.latest_slot(due, UTC) == due
        celery.nowfun = lambda due=due: due
        assert celery.is_due(last).is_due
        celery.nowfun = lambda due=due: due - timedelta(seconds=1)
        assert not celery.is_due(last).is_due
        last = due


def _random_crontab(rng: random.Random) -> crontab:
    def some(low: int, high: int) -> set[int]:
        return set(rng.sample(range(low, high + 1), rng.randint(1, 4)))

    return crontab(
        minute=rng.choice(["*", "*/5", "*/7", "10-20", some(0, 59)]),
        hour=rng.choice(["*", "*/6", "9-17", some(0, 23)]),
        day_of_month=rng.choice(["*", "*/2", "1-7", some(1, 28)]),
        month_of_year=rng.choice(["*", "*/3", some(1, 12)]),
        day_of_week=rng.choice(["*", "mon-fri", "*/2", some(0, 6)]),
        nowfun=lambda: MONDAY,
    )
