"""What a figure was taken on: without it no figure says anything."""

from __future__ import annotations

import os
import platform
import sqlite3
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING

from tests.bench.sites import BenchError, Site, dwatch

if TYPE_CHECKING:
    from collections.abc import Iterable


def describe(databases: Iterable[str] = ()) -> dict[str, str]:
    """Return machine and versions; a database that does not answer is left out."""
    facts = {
        "machine": f"{os.cpu_count()} cores, {_processor()}",
        "system": f"{platform.system()} {platform.release()}",
        "python": platform.python_version(),
        "django": version("django"),
    }
    for vendor in databases:
        if answer := _database_version(vendor):
            facts[vendor] = answer
    return facts


def _database_version(vendor: str) -> str:
    if vendor == "sqlite":
        return sqlite3.sqlite_version
    try:
        return Site(vendor, "dwatch_bench").process(dwatch(0), "database", "version").strip()
    except BenchError:
        return ""


def _processor() -> str:
    facts = Path("/proc/cpuinfo")
    if facts.exists():
        named = (line for line in facts.read_text().splitlines() if line.startswith("model name"))
        if line := next(named, ""):
            return line.partition(":")[2].strip()
    return platform.processor() or platform.machine()
