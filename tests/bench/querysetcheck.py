"""A QuerySetCheck beside the bare SELECT of its failing rows.

Wallets of which 2 % are overdrawn. One process fetches the failing rows into Python, with
values_list() of key, data and description and as instances of their model, and runs the
check, by turns; the results are stored already. The medians, in seconds.
"""

from __future__ import annotations

import gc
import json
import sys
import time
from dataclasses import asdict, dataclass
from statistics import median
from typing import TYPE_CHECKING, Any

from tests.bench import rows
from tests.bench.findings import Findings, say
from tests.bench.sites import VENDORS, BenchError, add_databases_option, dwatch, new_site

if TYPE_CHECKING:
    import argparse
    from collections.abc import Callable

HEADINGS = (
    "database",
    "rows",
    "failing",
    "SELECT s",
    "of instances s",
    "first run s",
    "unchanged run s",
    "times SELECT",
    "times instances",
    "5 % changed s",
)


@dataclass(frozen=True, slots=True)
class Measured:
    """One database: seconds of each round."""

    database: str
    rows: int
    select: list[float]
    instances: list[float]
    first: float
    unchanged: list[float]
    changed: list[float]


def add_options(parser: argparse.ArgumentParser) -> None:
    """Declare what can be chosen."""
    parser.add_argument("--rows", type=int, default=1_000_000, metavar="N")
    parser.add_argument("--rounds", type=int, default=5, help="of which medians are taken")
    add_databases_option(parser, VENDORS)


def measure(options: argparse.Namespace) -> Findings:
    """Fill each database and measure in it."""
    measured: list[Measured] = []
    failures: list[str] = []
    tool = dwatch(options.rows)
    for vendor in options.databases:
        try:
            with new_site(vendor, tool) as site:
                site.process(tool, "database", "prepare")
                printed = site.process(tool, "querysetcheck", str(options.rounds))
            measured.append(Measured(vendor, options.rows, **json.loads(printed)))
            say(" | ".join(_row(measured[-1])))
        except BenchError as error:
            failures.append(str(error))
    figures = {"measurements": [asdict(one) for one in measured]}
    return Findings(HEADINGS, [_row(one) for one in measured], figures, failures)


def _row(one: Measured) -> tuple[str, ...]:
    select, instances = median(one.select), median(one.instances)
    unchanged = median(one.unchanged)
    return (
        one.database,
        f"{one.rows:,}",
        f"{rows.failing(one.rows):,}",
        f"{select:.3f}",
        f"{instances:.3f}",
        f"{one.first:.3f}",
        f"{unchanged:.3f}",
        f"{unchanged / select:.2f}",
        f"{unchanged / instances:.2f}",
        f"{median(one.changed):.3f}",
    )


def side_by_side(rounds: int) -> dict[str, Any]:
    """Measure in this process, whose database holds the wallets."""
    import django

    django.setup()
    from django.db.models import F, Q

    from dwatch import QuerySetCheck, register
    from dwatch.services.requests import RunRequest, Selection
    from dwatch.services.run import run_checks
    from tests.bench.wallets.models import Wallet

    @register
    class Overdrawn(QuerySetCheck):
        slug = "overdrawn"
        queryset = Wallet.objects.all()
        critical = Q(balance__lt=0)
        data_fields = ("balance",)
        description = "{owner}"

    def select() -> None:
        found = list(Wallet.objects.filter(balance__lt=0).values_list("pk", "balance", "owner"))
        _demand(len(found), rows.failing(rows.payloads()))

    def instances() -> None:
        _demand(len(list(Wallet.objects.filter(balance__lt=0))), rows.failing(rows.payloads()))

    def run() -> None:
        done = run_checks(RunRequest(Selection(slugs=("overdrawn",)), force=True)).checks[0]
        failing = rows.failing(rows.payloads())
        _demand(
            (done.error, done.counts.critical, done.counts.ok),
            ("", failing, rows.payloads() - failing),
        )

    gc.freeze()  # as the command line does; for both sides
    select()
    first = _seconds(run)
    seconds: dict[str, list[float]] = {"select": [], "instances": [], "unchanged": []}
    changed = []
    for _ in range(rounds):
        for name, call in (("select", select), ("instances", instances), ("unchanged", run)):
            seconds[name].append(_seconds(call))
    for _ in range(rounds):
        # The data changes, not the status, of each twentieth of the failing rows.
        Wallet.objects.filter(balance__lt=0, pk__endswith="000").update(balance=F("balance") - 1)
        changed.append(_seconds(run))
    return {**seconds, "first": first, "changed": changed}


def _seconds(call: Callable[[], object]) -> float:
    began = time.perf_counter()
    call()
    return time.perf_counter() - began


def _demand(found: object, expected: object) -> None:
    if found != expected:
        raise SystemExit(f"found {found} where there are {expected}")


if __name__ == "__main__":
    json.dump(side_by_side(int(sys.argv[1])), sys.stdout)
