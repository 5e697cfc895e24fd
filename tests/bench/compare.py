"""Compare dwatch with django-datawatch: the same check, the same data, the same databases.

See README.md beside this file.
"""

from __future__ import annotations

import json
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from tests.bench import rows, sites
from tests.bench.figures import HEADINGS, Measurement, cells
from tests.bench.figures import rows as table_rows
from tests.bench.findings import Findings, say
from tests.bench.measure import Run
from tests.bench.sites import DWATCH, VENDORS, YARDSTICK, BenchError, Tool

if TYPE_CHECKING:
    import argparse
    from collections.abc import Iterator, Sequence

    from tests.bench.sites import Site

TITLES = {YARDSTICK: "django-datawatch", DWATCH: "dwatch"}


def add_options(parser: argparse.ArgumentParser) -> None:
    """Declare what can be chosen."""
    parser.add_argument("--payloads", type=int, default=100_000, metavar="N", help="for dwatch")
    parser.add_argument(
        "--yardstick-payloads", type=int, default=5_000, metavar="N", help="for django-datawatch"
    )
    sites.add_databases_option(parser, VENDORS)
    parser.add_argument("--rounds", type=int, default=3, help="of which medians are taken")
    parser.add_argument(
        "--yardstick-python",
        "--predecessor",
        metavar="PATH",
        help="Python of the environment with django-datawatch; without it only dwatch is measured",
    )
    parser.add_argument(
        "--only-yardstick", action="store_true", help="leave dwatch out, to know the yardstick"
    )


def measure(options: argparse.Namespace) -> Findings:
    """Measure each tool on each database, round by round."""
    tools = _tools(options)
    measurements: list[Measurement] = []
    failures: list[str] = []
    for vendor in options.databases:
        try:
            measurements += _measure_vendor(vendor, tools, options.rounds)
        except BenchError as error:
            failures.append(str(error))
    compared = table_rows(measurements, TITLES[YARDSTICK])
    figures = {
        "rows": [asdict(row) for row in compared],
        "measurements": [asdict(one) for one in measurements],
    }
    return Findings(HEADINGS, [cells(row) for row in compared], figures, failures)


def _tools(options: argparse.Namespace) -> list[Tool]:
    tools = []
    if options.yardstick_python:
        tools.append(Tool(YARDSTICK, options.yardstick_python, options.yardstick_payloads))
    if not options.only_yardstick:
        tools.append(sites.dwatch(options.payloads))
    if not tools:
        raise SystemExit("--only-yardstick needs --yardstick-python")
    return tools


def _measure_vendor(vendor: str, tools: Sequence[Tool], rounds: int) -> list[Measurement]:
    return [
        measurement
        for number in range(rounds)
        for measurement in _measure_round(vendor, tools, number)
    ]


def _measure_round(vendor: str, tools: Sequence[Tool], number: int) -> Iterator[Measurement]:
    with sites.new_site(vendor, tools[0], number) as site:
        for tool in tools:
            site.process(tool, "database", "prepare")
        # Who goes first changes from round to round.
        for tool in tools if number % 2 == 0 else tools[::-1]:
            yield _measure(site, tool)


def _measure(site: Site, tool: Tool) -> Measurement:
    printed: dict[str, Any] = json.loads(site.process(tool, "measure"))
    measurement = Measurement(
        tool=TITLES[tool.name],
        database=site.vendor,
        payloads=tool.payloads,
        before_mib=printed["before_mib"],
        first=Run(**printed["first"]),
        unchanged=Run(**printed["unchanged"]),
    )
    _demand_the_right_answer(measurement)
    say(_progress(measurement))
    return measurement


def _demand_the_right_answer(measurement: Measurement) -> None:
    """Raise BenchError unless each run found every overdrawn wallet and nothing else."""
    critical = rows.failing(measurement.payloads)
    expected = (critical, measurement.payloads - critical)
    for run in (measurement.first, measurement.unchanged):
        if (run.critical, run.ok) != expected:
            raise BenchError(
                f"{measurement.tool} on {measurement.database} found {run.critical} critical and "
                f"{run.ok} ok where there are {expected[0]} and {expected[1]}"
            )


def _progress(one: Measurement) -> str:
    first, unchanged = one.payloads / one.first.seconds, one.payloads / one.unchanged.seconds
    return f"{one.database}, {one.tool}: {first:,.0f}/s, unchanged {unchanged:,.0f}/s"
