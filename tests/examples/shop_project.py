"""The example project as its user has it: driven through manage.py, looked at in SQL."""

from __future__ import annotations

import json
import os
import sqlite3
import subprocess
import sys
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any

CHECKOUT = Path(__file__).resolve().parents[2]
PROJECT = CHECKOUT / "examples" / "shop"
TODAY = "2026-03-02"


@dataclass(frozen=True, slots=True)
class ShopProject:
    """One shop with a SQLite file of its own."""

    database: Path

    def run(self, *command: str) -> subprocess.CompletedProcess[str]:
        """Run Python with these arguments inside the project."""
        return subprocess.run(
            [sys.executable, *command],
            cwd=PROJECT,
            env=self._environment(),
            capture_output=True,
            text=True,
            check=False,
        )

    def manage(self, *arguments: str) -> str:
        """Return what the management command printed; AssertionError if it failed."""
        finished = self.run("-W", "error", "manage.py", *arguments)
        assert finished.returncode == 0, finished.stderr
        return finished.stdout

    def fill(self, customers: int, *, today: str = TODAY) -> dict[str, dict[str, int]]:
        """Fill the shop and return the defects that the command says it made."""
        printed = self.manage("fill_shop", f"--customers={customers}", f"--today={today}", "--json")
        advertised: dict[str, dict[str, int]] = json.loads(printed)
        return advertised

    def rows(self, sql: str, **parameters: str) -> list[tuple[Any, ...]]:
        with closing(sqlite3.connect(self.database)) as connection:
            return connection.execute(sql, parameters).fetchall()

    def count(self, sql: str) -> int:
        """Return how many rows the query has; ``:today`` in it is TODAY."""
        counted: int = self.rows(f"SELECT count(*) FROM ({sql})", today=TODAY)[0][0]  # noqa: S608
        return counted

    def content(self) -> dict[str, list[tuple[Any, ...]]]:
        """Return every row of the shop's own tables."""
        tables = self.rows(
            "SELECT name FROM sqlite_master WHERE name GLOB 'shop_*' AND type = 'table'"
        )
        return {
            table: self.rows(f"SELECT * FROM {table} ORDER BY id")  # noqa: S608
            for (table,) in tables
        }

    def _environment(self) -> dict[str, str]:
        inherited = {
            name: value
            for name, value in os.environ.items()
            if not name.startswith(("SHOP_", "DJANGO_", "DWATCH_"))
        }
        return inherited | {
            "SHOP_SQLITE_PATH": str(self.database),
            "SHOP_TODAY": TODAY,
            "PYTHONPATH": str(CHECKOUT),
        }
