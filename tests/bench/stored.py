"""Fill a database with results, or ask for them: ``python -m tests.bench.stored fill LAYOUT``.

Started by ``tests.bench.listing``. Rows are made by the database itself, which
takes seconds where a run would take minutes; how many is BENCH_PAYLOADS.
"""

from __future__ import annotations

import json
import os
import sys
import time
from contextlib import redirect_stdout
from typing import NamedTuple

from tests.bench import rows

SLUG = "tests.bench.model_side.checks.WalletBalance"
_BAD, _USUAL = (
    "CASE WHEN n % 2 = 0 THEN 3 WHEN n % 10 = 1 THEN 2 WHEN n % 10 = 3 THEN 0 ELSE 1 END",
    "CASE WHEN n % 50 = 0 THEN 3 WHEN n % 20 = 1 THEN 2 WHEN n % 100 = 3 THEN 0 ELSE 1 END",
)


ASKED = {
    "list": ("list",),
    "show": ("show", SLUG),
    "show --all": ("show", SLUG, "--all"),
    "show ID": ("show", SLUG, "20"),
}


class Layout(NamedTuple):
    """How the results are spread."""

    checks: int
    status: str
    """SQL for the status of result number ``n``."""


LAYOUTS = {
    "one check": Layout(1, _USUAL),
    "spread over 20 checks": Layout(20, _USUAL),
    "one check, 70 % not ok": Layout(1, _BAD),
}


class _Dialect(NamedTuple):
    numbers: str
    moment: str
    text: str
    analyze: str


_DIALECTS = {
    "sqlite": _Dialect(
        "(WITH RECURSIVE s(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM s WHERE n < {rows})"
        " SELECT n FROM s) numbers",
        "DATETIME('now', '-' || (n % 100000) || ' seconds')",
        "CAST(n AS TEXT)",
        "",  # nobody analyzes an SQLite file
    ),
    "postgresql": _Dialect(
        "GENERATE_SERIES(1, {rows}) n",
        "NOW() - (n % 100000) * INTERVAL '1 second'",
        "CAST(n AS TEXT)",
        "ANALYZE",
    ),
    "mysql": _Dialect(
        "(SELECT seq n FROM seq_1_to_{rows}) numbers",
        "UTC_TIMESTAMP() - INTERVAL (n % 100000) SECOND",
        "CAST(n AS CHAR)",
        "ANALYZE TABLE dwatch_result",
    ),
}


def fill(layout: Layout) -> None:
    """Store the results of one run, and touch each as a second run would."""
    from django.db import connection
    from django.utils import timezone

    from dwatch.models import CheckState, Result, Run

    now = timezone.now()
    slugs = [SLUG, *(f"others.check{number:02}" for number in range(1, layout.checks))]
    states = [CheckState.objects.create(slug=slug, last_run_at=now) for slug in slugs]
    for state in states:
        Run.objects.create(
            check_state=state, reason="forced", state="complete", started_at=now, finished_at=now
        )
    dialect = _DIALECTS[connection.vendor]
    values = (
        f"{states[0].pk} + n % {layout.checks}, {dialect.text}, '', {layout.status},"
        f" {dialect.moment}, {dialect.moment}, 'The wallet of somebody', '{{\"balance\": -17}}',"
        f" '', '', n, {dialect.moment}, 1"
    )
    with connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO dwatch_result (check_state_id, identifier, long_identifier, status, since,"  # noqa: S608 - all written above
            " first_seen, description, data, error, traceback, digest, evaluated_at, last_run)"
            f" SELECT {values} FROM {dialect.numbers.format(rows=rows.payloads())}"
        )
        Result.objects.update(last_run=2, evaluated_at=now)
        if dialect.analyze:
            cursor.execute(dialect.analyze)


def ask() -> None:
    """Print the milliseconds that each command takes, now that Django has started."""
    from dwatch.cli.app import app

    taken: dict[str, float] = {}
    for name, arguments in ASKED.items():
        began = time.perf_counter()
        with open(os.devnull, "w") as nowhere, redirect_stdout(nowhere):  # noqa: PTH123 - a device
            code = app(list(arguments), prog_name="dwatch", standalone_mode=False)
        taken[name] = (time.perf_counter() - began) * 1000
        if code:
            raise SystemExit(f"{name} ended with {code}")
    json.dump(taken, sys.stdout)


if __name__ == "__main__":
    import django

    django.setup()
    if sys.argv[1] == "fill":
        fill(LAYOUTS[sys.argv[2]])
    else:
        ask()
