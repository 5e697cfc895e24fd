"""Workers: how much faster many judge than one, when a check computes and when it waits.

dwatch alone, on SQLite. One worker is the synchronous backend. Whole runs are measured, with the
start and the end of the workers; a first run that is not measured stores the results.
"""

from __future__ import annotations

import json
import sys
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING

from tests.bench import sites
from tests.bench.findings import Findings, say
from tests.bench.sites import BenchError, Tool

if TYPE_CHECKING:
    import argparse
    from collections.abc import Sequence

HEADINGS = ("check", "payloads", "workers", "seconds", "payloads/s", "times one worker")
KINDS = {"computes": (1, 2), "waits": (1, 4, 16)}
"""Numbers of workers that each check is run with."""


@dataclass(frozen=True, slots=True)
class Measurement:
    """Rounds of one check with one number of workers."""

    check: str
    payloads: int
    workers: int
    seconds: tuple[float, ...]

    @property
    def quickest(self) -> float:
        """Return the seconds of the round that was disturbed the least."""
        return min(self.seconds)


def add_options(parser: argparse.ArgumentParser) -> None:
    """Declare what can be chosen."""
    parser.add_argument("--payloads", type=int, default=8000, metavar="N", help="default: 8000")
    parser.add_argument("--rounds", type=int, default=3, help="of which the quickest counts")


def measure(options: argparse.Namespace) -> Findings:
    """Measure both checks, each number of workers once a round."""
    found: list[Measurement] = []
    failures: list[str] = []
    for check in KINDS:
        try:
            found += _measure(check, options.payloads, options.rounds)
        except BenchError as error:
            failures.append(str(error))
    figures = {"measurements": [asdict(one) for one in found]}
    return Findings(HEADINGS, table_rows(found), figures, failures)


def table_rows(found: Sequence[Measurement]) -> list[tuple[str, ...]]:
    """Return a row for each measurement, compared with one worker on the same check."""
    alone = {one.check: one.quickest for one in found if one.workers == 1}
    return [
        (
            one.check,
            f"{one.payloads:,}",
            str(one.workers),
            f"{one.quickest:.2f}",
            f"{one.payloads / one.quickest:,.0f}",
            f"{alone[one.check] / one.quickest:.2f}",
        )
        for one in found
    ]


def _measure(check: str, payloads: int, rounds: int) -> list[Measurement]:
    tool = Tool("parallel", sys.executable, payloads)
    numbers = KINDS[check]
    asked = ",".join(map(str, numbers))
    seconds: dict[int, list[float]] = {number: [] for number in numbers}
    with sites.new_site("sqlite", tool) as site:
        site.process(tool, "database", "prepare")
        site.process(tool, "workers", check, str(max(numbers)))
        for _ in range(rounds):
            printed = json.loads(site.process(tool, "workers", check, asked))
            say(f"{check}: {printed}")
            for number in numbers:
                seconds[number].append(printed[str(number)])
    return [
        Measurement(check, payloads, number, tuple(rounds_)) for number, rounds_ in seconds.items()
    ]
