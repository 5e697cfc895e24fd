"""Compare dwatch with django-datawatch: the same check, the same data, the same databases.

See README.md beside this file.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

CHECKOUT = Path(__file__).resolve().parents[2]
if __package__ in {None, ""}:  # started as a file
    sys.path.insert(0, str(CHECKOUT))

from tests.bench import rows  # noqa: E402
from tests.bench.figures import Measurement, table  # noqa: E402
from tests.bench.figures import rows as table_rows  # noqa: E402
from tests.bench.measure import Run  # noqa: E402

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

VENDORS = ("sqlite", "postgresql", "mariadb")
YARDSTICK, DWATCH = "datawatch", "dwatch"
TITLES = {YARDSTICK: "django-datawatch", DWATCH: "dwatch"}


class BenchError(Exception):
    """A process of the benchmark failed, or a tool found the wrong defects."""


@dataclass(frozen=True, slots=True)
class Tool:
    """One of the two tools: which Python has it, and how much it is given to do."""

    name: str
    python: str
    payloads: int


@dataclass(frozen=True, slots=True)
class Site:
    """One database of one round, shared by both tools."""

    vendor: str
    name: str

    def process(self, tool: Tool, module: str, *arguments: str) -> str:
        """Run a module of the benchmark in the tool's environment; return what it prints."""
        finished = subprocess.run(
            [tool.python, "-m", f"tests.bench.{module}", *arguments],
            cwd=CHECKOUT,
            env=os.environ | self._environment(tool),
            capture_output=True,
            text=True,
            check=False,
        )
        if finished.returncode:
            lines = finished.stderr.strip().splitlines() or ["no word"]
            raise BenchError(f"{tool.name}, {module} on {self.vendor}: {lines[-1]}")
        return finished.stdout

    def _environment(self, tool: Tool) -> dict[str, str]:
        return {
            "BENCH_TOOL": tool.name,
            "BENCH_DATABASE": self.vendor,
            "BENCH_DATABASE_NAME": self.name,
            "BENCH_PAYLOADS": str(tool.payloads),
            "DJANGO_SETTINGS_MODULE": "tests.bench.settings",
        }


def main(argv: Sequence[str] | None = None) -> int:
    """Measure, print the table; 0 if all was measured, 1 if something failed."""
    options = _parser().parse_args(argv)
    tools = _tools(options)
    measurements: list[Measurement] = []
    failures: list[str] = []
    for vendor in options.databases:
        try:
            measurements += _measure_vendor(vendor, tools, options.rounds)
        except BenchError as error:
            failures.append(str(error))
    _report(measurements, options.json)
    for failure in failures:
        _say(f"not measured: {failure}")
    return 1 if failures or not measurements else 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--payloads", type=int, default=20_000, metavar="N", help="for dwatch")
    parser.add_argument(
        "--yardstick-payloads", type=int, default=2_000, metavar="N", help="for django-datawatch"
    )
    parser.add_argument(
        "--databases",
        type=_vendors,
        default=VENDORS[:2],
        metavar="A,B",
        help=f"out of {', '.join(VENDORS)} (default: the first two)",
    )
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
    parser.add_argument("--json", type=Path, metavar="FILE", help="every measurement, for machines")
    return parser


def _vendors(text: str) -> tuple[str, ...]:
    chosen = tuple(text.split(","))
    if unknown := set(chosen) - set(VENDORS):
        message = f"no such database: {', '.join(sorted(unknown))}"
        raise argparse.ArgumentTypeError(message)
    return chosen


def _tools(options: argparse.Namespace) -> list[Tool]:
    tools = []
    if options.yardstick_python:
        tools.append(Tool(YARDSTICK, options.yardstick_python, options.yardstick_payloads))
    if not options.only_yardstick:
        tools.append(Tool(DWATCH, sys.executable, options.payloads))
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
    with tempfile.TemporaryDirectory(prefix="dwatch-bench-") as folder:
        name = f"dwatch_bench_{os.getpid()}_{number}"
        site = Site(vendor, str(Path(folder, name)) if vendor == "sqlite" else name)
        site.process(tools[0], "database", "create")
        try:
            for tool in tools:
                site.process(tool, "database", "prepare")
            # Who goes first changes from round to round.
            for tool in tools if number % 2 == 0 else tools[::-1]:
                yield _measure(site, tool)
        finally:
            site.process(tools[0], "database", "drop")


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
    _say(_progress(measurement))
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


def _say(words: str) -> None:
    sys.stderr.write(f"{words}\n")
    sys.stderr.flush()


def _progress(one: Measurement) -> str:
    first, unchanged = one.payloads / one.first.seconds, one.payloads / one.unchanged.seconds
    return f"{one.database}, {one.tool}: {first:,.0f}/s, unchanged {unchanged:,.0f}/s"


def _report(measurements: Sequence[Measurement], file: Path | None) -> None:
    compared = table_rows(measurements, TITLES[YARDSTICK])
    sys.stdout.write(f"{table(compared)}\n")
    if file:
        content = {
            "rows": [asdict(row) for row in compared],
            "measurements": [asdict(one) for one in measurements],
        }
        file.write_text(json.dumps(content, indent=2) + "\n")


if __name__ == "__main__":
    sys.exit(main())
