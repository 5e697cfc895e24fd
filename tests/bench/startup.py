"""Start-up: `dwatch --help` beside `import typer`, `dwatch list` beside `manage.py check`.

The example shop, filled and run once, in an SQLite file. Commands take turns; medians of
the CPU time (user and system) and of the time that passes, in milliseconds.
"""

from __future__ import annotations

import os
import resource
import shutil
import subprocess
import sys
import tempfile
import time
from dataclasses import asdict, dataclass
from pathlib import Path
from statistics import median
from typing import TYPE_CHECKING

from tests.bench.findings import Findings
from tests.bench.sites import CHECKOUT

if TYPE_CHECKING:
    import argparse

HEADINGS = ("command", "CPU ms", "wall ms", "beside", "CPU ratio", "wall ratio")


@dataclass(frozen=True, slots=True)
class Command:
    """What is started, and the command it is compared with."""

    name: str
    arguments: tuple[str, ...]
    beside: str = ""


@dataclass(frozen=True, slots=True)
class Taken:
    """What one process took."""

    command: str
    cpu_ms: float
    wall_ms: float


DWATCH = ("-m", "dwatch")
COMMANDS = (
    Command("import typer", ("-c", "import typer")),
    Command("dwatch --help", (*DWATCH, "--help"), "import typer"),
    Command("manage.py check", ("manage.py", "check")),
    Command("dwatch list", (*DWATCH, "list"), "manage.py check"),
    Command("dwatch show", (*DWATCH, "show", "shop.checks.ParcelTracking"), "manage.py check"),
)


def add_options(parser: argparse.ArgumentParser) -> None:
    """Declare what can be chosen."""
    parser.add_argument("--rounds", type=int, default=15, help="of which medians are taken")
    parser.add_argument("--customers", type=int, default=1000, help="in the shop")


def measure(options: argparse.Namespace) -> Findings:
    """Start each command once a round, from first to last and back in turn."""
    with tempfile.TemporaryDirectory(prefix="dwatch-bench-") as folder:
        shop = _shop(Path(folder), options.customers)
        taken = [
            _start(command, shop)
            for number in range(options.rounds)
            for command in (COMMANDS if number % 2 == 0 else COMMANDS[::-1])
        ]
    medians = {command.name: _median(taken, command.name) for command in COMMANDS}
    rows = [_row(command, medians) for command in COMMANDS]
    figures = {
        "medians": [asdict(one) for one in medians.values()],
        "measurements": [asdict(one) for one in taken],
    }
    return Findings(HEADINGS, rows, figures)


def _shop(folder: Path, customers: int) -> Path:
    """Make a shop whose checks have run once."""
    shop = shutil.copytree(
        CHECKOUT / "examples" / "shop", folder / "shop", ignore=shutil.ignore_patterns("*.sqlite3*")
    )
    for arguments in (
        ("manage.py", "migrate", "--verbosity", "0"),
        ("manage.py", "fill_shop", "--customers", str(customers)),
    ):
        _run(arguments, shop)
    # One of its checks raises on purpose: the exit code is 3.
    _run((*DWATCH, "run", "--force"), shop, expected=3)
    return shop


def _start(command: Command, shop: Path) -> Taken:
    cpu, began = _cpu_seconds(), time.perf_counter()
    _run(command.arguments, shop)
    passed = time.perf_counter() - began
    return Taken(command.name, (_cpu_seconds() - cpu) * 1000, passed * 1000)


def _cpu_seconds() -> float:
    """Return what all processes started so far took."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def _run(arguments: tuple[str, ...], shop: Path, expected: int = 0) -> None:
    environment = os.environ | {"SHOP_DATABASE": "sqlite", "PYTHONPATH": str(CHECKOUT)}
    environment.pop("DJANGO_SETTINGS_MODULE", None)
    environment.pop("SHOP_SQLITE_PATH", None)
    done = subprocess.run(
        [sys.executable, *arguments], cwd=shop, env=environment, capture_output=True, check=False
    )
    if done.returncode != expected:
        raise SystemExit(f"{' '.join(arguments)} ended with {done.returncode}: {done.stderr!r}")


def _median(taken: list[Taken], name: str) -> Taken:
    mine = [one for one in taken if one.command == name]
    return Taken(name, median(one.cpu_ms for one in mine), median(one.wall_ms for one in mine))


def _row(command: Command, medians: dict[str, Taken]) -> tuple[str, ...]:
    mine = medians[command.name]
    shown = (command.name, f"{mine.cpu_ms:,.0f}", f"{mine.wall_ms:,.0f}", command.beside or "-")
    if not command.beside:
        return (*shown, "-", "-")
    other = medians[command.beside]
    ratios = (mine.cpu_ms / other.cpu_ms, mine.wall_ms / other.wall_ms)
    return (*shown, *(f"{ratio:.2f}" for ratio in ratios))
