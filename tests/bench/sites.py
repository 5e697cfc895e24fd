"""Databases of a benchmark's own, and processes that work on them."""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import tempfile
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

CHECKOUT = Path(__file__).resolve().parents[2]
VENDORS = ("sqlite", "postgresql", "mariadb")
YARDSTICK, DWATCH = "datawatch", "dwatch"


class BenchError(Exception):
    """A process of the benchmark failed, or a tool found the wrong defects."""


@dataclass(frozen=True, slots=True)
class Tool:
    """A tool, which Python has it, and how much it is given to do."""

    name: str
    python: str
    payloads: int


def dwatch(payloads: int) -> Tool:
    """Return dwatch as it is installed here."""
    return Tool(DWATCH, sys.executable, payloads)


@dataclass(frozen=True, slots=True)
class Site:
    """One database, shared by the processes of all tools."""

    vendor: str
    name: str

    def process(self, tool: Tool, module: str, *arguments: str) -> str:
        """Run a module of the benchmark in the tool's environment; return what it prints.

        Raises BenchError if it fails.
        """
        finished = subprocess.run(
            [tool.python, "-m", f"tests.bench.{module}", *arguments],
            cwd=CHECKOUT,
            env=os.environ | self.environment(tool),
            capture_output=True,
            text=True,
            check=False,
        )
        if finished.returncode:
            lines = finished.stderr.strip().splitlines() or ["no word"]
            raise BenchError(f"{tool.name}, {module} on {self.vendor}: {lines[-1]}")
        return finished.stdout

    def environment(self, tool: Tool) -> dict[str, str]:
        """Return what ``tests.bench.settings`` reads."""
        return {
            "BENCH_TOOL": tool.name,
            "BENCH_DATABASE": self.vendor,
            "BENCH_DATABASE_NAME": self.name,
            "BENCH_PAYLOADS": str(tool.payloads),
            "DJANGO_SETTINGS_MODULE": "tests.bench.settings",
        }


@contextmanager
def new_site(vendor: str, tool: Tool, number: int = 0) -> Iterator[Site]:
    """Create an empty database, and drop it at the end; raises BenchError."""
    name = f"dwatch_bench_{os.getpid()}_{number}"
    with tempfile.TemporaryDirectory(prefix="dwatch-bench-") as folder:
        site = Site(vendor, str(Path(folder, name)) if vendor == "sqlite" else name)
        site.process(tool, "database", "create")
        try:
            yield site
        finally:
            site.process(tool, "database", "drop")


def add_databases_option(parser: argparse.ArgumentParser, default: tuple[str, ...]) -> None:
    """Let people choose the databases."""
    parser.add_argument(
        "--databases",
        type=_vendors,
        default=default,
        metavar="A,B",
        help=f"out of {', '.join(VENDORS)} (default: {','.join(default)})",
    )


def _vendors(text: str) -> tuple[str, ...]:
    chosen = tuple(text.split(","))
    if unknown := set(chosen) - set(VENDORS):
        message = f"no such database: {', '.join(sorted(unknown))}"
        raise argparse.ArgumentTypeError(message)
    return chosen
