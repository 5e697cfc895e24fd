"""The benchmark's arithmetic."""

from __future__ import annotations

from tests.bench.figures import HEADINGS, Measurement, cells, rows
from tests.bench.measure import Run


def measurement(tool: str, payloads: int, seconds: float, unchanged_seconds: float) -> Measurement:
    return Measurement(
        tool=tool,
        database="sqlite",
        payloads=payloads,
        before_mib=40.0,
        first=Run(seconds, queries=payloads * 2, critical=1, ok=payloads - 1, peak_mib=45.0),
        unchanged=Run(unchanged_seconds, queries=6, critical=1, ok=payloads - 1, peak_mib=50.0),
    )


def test_a_ratio_compares_payloads_per_second() -> None:
    old = measurement("old", payloads=100, seconds=1.0, unchanged_seconds=0.5)
    new = measurement("new", payloads=3_000, seconds=1.0, unchanged_seconds=1.0)

    _, row = rows([old, new], yardstick="old")

    assert (row.first_ratio, row.unchanged_ratio) == (30.0, 15.0)
    assert (row.first_queries, row.unchanged_queries) == (2_000.0, 2.0)


def test_the_median_of_the_rounds_counts() -> None:
    rounds = [measurement("new", 100, seconds, 1.0) for seconds in (1.0, 50.0, 2.0)]

    (row,) = rows(rounds, yardstick="old")

    assert row.first_per_second == 50.0


def test_without_the_yardstick_there_is_no_ratio() -> None:
    (row,) = rows([measurement("new", 1_000, 1.0, 1.0)], yardstick="old")

    assert row.first_ratio is None
    assert dict(zip(HEADINGS, cells(row), strict=True))["ratio"] == "-"
