"""Run the check twice with one tool, in this process, and print what it took as JSON.

Started by ``tests.bench.compare`` in the environment of the tool that
``BENCH_TOOL`` names; see ``tests.bench.settings``. Start-up is outside the
measured time; migrating and filling are another process's, so that they do not
count as this one's memory.
"""

from __future__ import annotations

import json
import os
import sys
import time
from collections import Counter
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable

MIB = 1024 * 1024


@dataclass(frozen=True, slots=True)
class Run:
    """One run of the check over all payloads."""

    seconds: float
    queries: int
    critical: int
    ok: int
    peak_mib: float
    """Highest resident memory of this process so far."""


@dataclass(slots=True)
class QueryCounter:
    """Counts the statements that Django sends; to be installed with ``execute_wrapper``."""

    queries: int = 0

    def __call__(self, execute: Callable[..., Any], *statement: Any) -> Any:
        self.queries += 1
        return execute(*statement)


def main() -> None:
    """Measure the first and the unchanged run, print both."""
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "tests.bench.settings")
    import django

    django.setup()
    before = peak_mib()
    run, count = _TOOLS.get(os.environ["BENCH_TOOL"], _dwatch)()
    first = _measure(run, count)
    unchanged = _measure(run, count)
    figures = {"before_mib": before, "first": asdict(first), "unchanged": asdict(unchanged)}
    json.dump(figures, sys.stdout)


def peak_mib() -> float:
    """Return this process's highest resident memory in MiB.

    Read from the kernel's VmHWM where there is one: ru_maxrss may be that of
    the parent process, which Linux hands down on exec.
    """
    status = Path("/proc/self/status")
    if status.exists():
        line = next(line for line in status.read_text().splitlines() if line.startswith("VmHWM"))
        return int(line.split()[1]) * 1024 / MIB
    import resource

    unit = 1 if sys.platform == "darwin" else 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit / MIB


def _measure(run: Callable[[], object], count: Callable[[], Counter[int]]) -> Run:
    from django.db import connection

    counter = QueryCounter()
    with connection.execute_wrapper(counter):
        started = time.perf_counter()
        run()
        seconds = time.perf_counter() - started
    peak = peak_mib()
    statuses = count()
    return Run(seconds, counter.queries, statuses[_CRITICAL], statuses[_OK], peak)


# Both tools store the same numbers.
_OK, _CRITICAL = 1, 3


def _datawatch() -> tuple[Callable[[], object], Callable[[], Counter[int]]]:
    from django_datawatch.datawatch import Scheduler  # type: ignore[import-not-found]
    from django_datawatch.models import Result  # type: ignore[import-not-found]

    return lambda: Scheduler().run_checks(force=True), lambda: _statuses(Result)


def _dwatch() -> tuple[Callable[[], object], Callable[[], Counter[int]]]:
    from dwatch.models import Result
    from dwatch.services import run
    from dwatch.services.requests import RunRequest

    return lambda: run.run_checks(RunRequest(force=True)), lambda: _statuses(Result)


def _statuses(results: Any) -> Counter[int]:
    from django.db.models import Count

    counts = results.objects.order_by().values_list("status").annotate(Count("pk"))
    return Counter(dict(counts))


_TOOLS = {"datawatch": _datawatch}

if __name__ == "__main__":
    main()
