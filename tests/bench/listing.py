"""Listing: what `dwatch list` and `dwatch show` take beyond start-up, with many results stored.

Every result has been rewritten once, as a second run does. Each round is a process of its
own, as the command line is; the quickest round counts, since whatever else the machine does
only adds to it.
"""

from __future__ import annotations

import json
import sys
from typing import TYPE_CHECKING

from tests.bench import sites
from tests.bench.findings import Findings, say
from tests.bench.sites import VENDORS, BenchError, Tool
from tests.bench.stored import ASKED, LAYOUTS

if TYPE_CHECKING:
    import argparse

HEADINGS = ("database", "results", "in", *(f"{command}, ms" for command in ASKED))


def add_options(parser: argparse.ArgumentParser) -> None:
    """Declare what can be chosen."""
    parser.add_argument("--results", type=int, default=1_000_000, metavar="N")
    parser.add_argument("--rounds", type=int, default=5, help="of which the quickest counts")
    sites.add_databases_option(parser, VENDORS)


def measure(options: argparse.Namespace) -> Findings:
    """Measure each layout on each database."""
    tool = Tool("model", sys.executable, options.results)
    figures: list[dict[str, object]] = []
    table: list[tuple[str, ...]] = []
    failures: list[str] = []
    for vendor in options.databases:
        for layout in LAYOUTS:
            try:
                taken = _measure(vendor, layout, tool, options.rounds)
            except BenchError as error:
                failures.append(str(error))
                continue
            figures.append({"database": vendor, "layout": layout, "rounds": taken})
            quickest = [f"{min(one[command] for one in taken):,.0f}" for command in ASKED]
            table.append((vendor, f"{options.results:,}", layout, *quickest))
            say(", ".join(table[-1]))
    return Findings(HEADINGS, table, {"measurements": figures}, failures)


def _measure(vendor: str, layout: str, tool: Tool, rounds: int) -> list[dict[str, float]]:
    with sites.new_site(vendor, tool) as site:
        site.process(tool, "database", "migrate")
        site.process(tool, "stored", "fill", layout)
        return [json.loads(site.process(tool, "stored", "ask")) for _ in range(rounds)]
