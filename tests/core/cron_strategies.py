"""Hypothesis strategies for cron expressions and for moments where clocks change."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

from hypothesis import strategies as st

CLOCK_CHANGES = {
    "Europe/Berlin": ("2026-03-29T01:00", "2026-10-25T01:00"),
    "America/New_York": ("2026-03-08T07:00", "2026-11-01T06:00"),
    "Australia/Lord_Howe": ("2026-04-04T15:00", "2026-10-03T15:30"),
    "America/Havana": ("2026-03-08T05:00", "2026-11-01T05:00"),
    "Antarctica/Troll": ("2026-03-29T01:00", "2026-10-25T01:00"),
    "Pacific/Chatham": ("2026-04-04T14:00", "2026-09-26T14:00"),
    "Asia/Kolkata": ("2026-03-29T01:00", "2026-10-25T01:00"),
    "UTC": ("2026-03-29T01:00", "2026-10-25T01:00"),
}
"""Both changes of one year in UTC; the last two zones have none."""

ALL_CHANGES = [
    (ZoneInfo(name), datetime.fromisoformat(moment).replace(tzinfo=UTC))
    for name, moments in CLOCK_CHANGES.items()
    for moment in moments
]

_SMALL_HOURS = 4


def _plain_field(low: int, high: int) -> st.SearchStrategy[str]:
    number = st.integers(low, high)
    span = st.tuples(number, number).map(lambda pair: f"{min(pair)}-{max(pair)}")
    step = st.integers(1, high + 1)
    return st.one_of(
        number.map(str),
        st.just("*"),
        step.map(lambda size: f"*/{size}"),
        span,
        st.tuples(span, step).map(lambda pair: f"{pair[0]}/{pair[1]}"),
        st.lists(number, min_size=2, max_size=4).map(lambda values: ",".join(map(str, values))),
    )


def expressions() -> st.SearchStrategy[str]:
    """Return expressions that often fall into the small hours, where clocks change."""
    hour = st.one_of(_plain_field(0, _SMALL_HOURS), _plain_field(0, 23))
    day, weekday = _plain_field(1, 31), _plain_field(0, 7)
    every = st.just("*")
    days = st.one_of(
        st.just(("*", "*", "*")),
        st.tuples(every, every, weekday),
        st.tuples(day, every, every),
        st.tuples(day, _plain_field(1, 12), weekday),
    )
    return st.tuples(_plain_field(0, 59), hour, days).map(
        lambda parts: " ".join([parts[0], parts[1], *parts[2]])
    )


def moments_near(change: datetime) -> st.SearchStrategy[datetime]:
    """Return moments within half a day of a clock change, to the microsecond."""
    half_day = timedelta(hours=12)
    exact = st.integers(-720, 720).map(lambda minutes: change + timedelta(minutes=minutes))
    anywhere = st.timedeltas(-half_day, half_day).map(lambda distance: change + distance)
    close = st.integers(-180, 180).map(lambda minutes: change + timedelta(minutes=minutes))
    return st.one_of(close, exact, anywhere)
