"""What a comparison found, as plain values and as rows of a table."""

from __future__ import annotations

from dataclasses import dataclass
from statistics import median
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tests.bench.measure import Run


@dataclass(frozen=True, slots=True)
class Measurement:
    """One process: one tool, one database, one round."""

    tool: str
    database: str
    payloads: int
    before_mib: float
    first: Run
    unchanged: Run


@dataclass(frozen=True, slots=True)
class Row:
    """One line of the table: the medians of all rounds of one tool on one database."""

    database: str
    tool: str
    payloads: int
    first_per_second: float
    unchanged_per_second: float
    first_ratio: float | None
    """How many times as fast as the yardstick; None where that was not measured."""
    unchanged_ratio: float | None
    first_queries: float
    """Queries per 1,000 payloads."""
    unchanged_queries: float
    before_mib: float
    """Resident memory before the first run."""
    peak_mib: float


def rows(measurements: Sequence[Measurement], yardstick: str) -> list[Row]:
    """Return one row per database and tool, in the order in which they were measured."""
    keys = list(dict.fromkeys((one.database, one.tool) for one in measurements))
    return [_row(measurements, database, tool, yardstick) for database, tool in keys]


def _row(measurements: Sequence[Measurement], database: str, tool: str, yardstick: str) -> Row:
    mine = [one for one in measurements if (one.database, one.tool) == (database, tool)]
    theirs = [one for one in measurements if (one.database, one.tool) == (database, yardstick)]
    first, unchanged = _first_speed(mine), _unchanged_speed(mine)
    return Row(
        database=database,
        tool=tool,
        payloads=mine[0].payloads,
        first_per_second=first,
        unchanged_per_second=unchanged,
        first_ratio=first / _first_speed(theirs) if theirs else None,
        unchanged_ratio=unchanged / _unchanged_speed(theirs) if theirs else None,
        first_queries=median(one.first.queries * 1_000 / one.payloads for one in mine),
        unchanged_queries=median(one.unchanged.queries * 1_000 / one.payloads for one in mine),
        before_mib=median(one.before_mib for one in mine),
        peak_mib=median(one.unchanged.peak_mib for one in mine),
    )


def _first_speed(measurements: Sequence[Measurement]) -> float:
    return median(one.payloads / one.first.seconds for one in measurements)


def _unchanged_speed(measurements: Sequence[Measurement]) -> float:
    return median(one.payloads / one.unchanged.seconds for one in measurements)


HEADINGS = (
    "database",
    "tool",
    "payloads",
    "first run/s",
    "ratio",
    "unchanged/s",
    "ratio",
    "queries/1,000",
    "unchanged",
    "memory before",
    "peak MiB",
)


def cells(row: Row) -> tuple[str, ...]:
    """Return the row as it stands in the table."""
    return (
        row.database,
        row.tool,
        f"{row.payloads:,}",
        f"{row.first_per_second:,.0f}",
        _ratio(row.first_ratio),
        f"{row.unchanged_per_second:,.0f}",
        _ratio(row.unchanged_ratio),
        f"{row.first_queries:,.1f}",
        f"{row.unchanged_queries:,.1f}",
        f"{row.before_mib:,.0f}",
        f"{row.peak_mib:,.0f}",
    )


def _ratio(ratio: float | None) -> str:
    return "-" if ratio is None else f"{ratio:,.1f}"
