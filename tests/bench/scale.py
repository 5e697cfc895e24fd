"""Scale: whether time grows in step with the number of payloads, and memory not at all.

dwatch alone. The first run stores every result, the second finds them unchanged. The
exponent is the slope of a straight line through the logarithms: 1 means twice the
payloads take twice the time.
"""

from __future__ import annotations

import json
import math
import sys
from dataclasses import asdict, dataclass
from itertools import groupby
from typing import TYPE_CHECKING

from tests.bench import rows, sites
from tests.bench.findings import Findings, say
from tests.bench.sites import VENDORS, BenchError, Tool

if TYPE_CHECKING:
    import argparse
    from collections.abc import Sequence

SOURCES = ("model", "generator")
HEADINGS = (
    "database",
    "source",
    "payloads",
    "first s",
    "unchanged s",
    "peak MiB, first",
    "peak MiB, unchanged",
    "exponent, first",
    "exponent, unchanged",
)


@dataclass(frozen=True, slots=True)
class Measurement:
    """One process that ran a check twice."""

    database: str
    source: str
    payloads: int
    first_seconds: float
    unchanged_seconds: float
    first_peak_mib: float
    """The highest resident memory of the whole process so far, Python and Django included."""
    unchanged_peak_mib: float


def add_options(parser: argparse.ArgumentParser) -> None:
    """Declare what can be chosen."""
    parser.add_argument(
        "--payloads",
        type=_numbers,
        default=(10_000, 100_000, 1_000_000),
        metavar="N,M",
        help="sizes to measure (default: 10000,100000,1000000)",
    )
    sites.add_databases_option(parser, VENDORS)


def measure(options: argparse.Namespace) -> Findings:
    """Measure each size with each source of payloads on each database."""
    found: list[Measurement] = []
    failures: list[str] = []
    for vendor in options.databases:
        for source in SOURCES:
            try:
                for payloads in options.payloads:
                    found.append(_measure(vendor, source, payloads))
                    say(", ".join(_cells(found[-1])))
            except BenchError as error:
                failures.append(str(error))
    return Findings(
        HEADINGS, table_rows(found), {"measurements": [asdict(one) for one in found]}, failures
    )


def table_rows(found: Sequence[Measurement]) -> list[tuple[str, ...]]:
    """Return a row for each measurement; the last of each kind has the exponents."""
    lines = []
    for _, group in groupby(found, key=lambda one: (one.database, one.source)):
        sizes = list(group)
        lines += [(*_cells(one), "", "") for one in sizes[:-1]]
        first = exponent([(one.payloads, one.first_seconds) for one in sizes])
        unchanged = exponent([(one.payloads, one.unchanged_seconds) for one in sizes])
        lines.append((*_cells(sizes[-1]), first, unchanged))
    return lines


def exponent(points: Sequence[tuple[float, float]]) -> str:
    """Return the power of the size with which the seconds grow; a dash for a single size."""
    logarithms = [(math.log(size), math.log(seconds)) for size, seconds in points]
    middle = sum(x for x, _ in logarithms) / len(points)
    spread = sum((x - middle) ** 2 for x, _ in logarithms)
    if not spread:
        return "-"
    return f"{sum((x - middle) * y for x, y in logarithms) / spread:.2f}"


def _numbers(text: str) -> tuple[int, ...]:
    return tuple(int(number) for number in text.split(","))


def _measure(vendor: str, source: str, payloads: int) -> Measurement:
    tool = Tool(source, sys.executable, payloads)
    with sites.new_site(vendor, tool) as site:
        site.process(tool, "database", "prepare")
        printed = json.loads(site.process(tool, "measure"))
    first, unchanged = printed["first"], printed["unchanged"]
    for run in (first, unchanged):
        if run["critical"] != rows.failing(payloads) or run["critical"] + run["ok"] != payloads:
            raise BenchError(f"{source} of {payloads} on {vendor}: {run} is not right")
    return Measurement(
        vendor,
        source,
        payloads,
        first["seconds"],
        unchanged["seconds"],
        first["peak_mib"],
        unchanged["peak_mib"],
    )


def _cells(one: Measurement) -> tuple[str, ...]:
    return (
        one.database,
        one.source,
        f"{one.payloads:,}",
        f"{one.first_seconds:,.1f}",
        f"{one.unchanged_seconds:,.1f}",
        f"{one.first_peak_mib:,.0f}",
        f"{one.unchanged_peak_mib:,.0f}",
    )
