"""Run one check with each number of workers in turn, in this process, and print the seconds.

``python -m tests.bench.workers SLUG 1,2``; started by ``tests.bench.parallel``.
"""

from __future__ import annotations

import json
import os
import sys
import time


def main(slug: str, numbers: str) -> None:
    """Measure whole runs: starting the workers and ending them is in it."""
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "tests.bench.settings")
    import django

    django.setup()
    from dwatch.services.requests import RunRequest, Selection
    from dwatch.services.run import run_checks

    seconds = {}
    for workers in map(int, numbers.split(",")):
        request = RunRequest(Selection(slugs=(slug,)), force=True, workers=workers)
        started = time.perf_counter()
        (check,) = run_checks(request).checks
        seconds[workers] = time.perf_counter() - started
        assert check.counts.ok == int(os.environ["BENCH_PAYLOADS"]), check
    json.dump(seconds, sys.stdout)


if __name__ == "__main__":
    main(*sys.argv[1:])
