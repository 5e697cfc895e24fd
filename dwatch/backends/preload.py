"""Imported once by the server that workers are forked from: Django and the project, set up.

Whatever goes wrong here is left to the workers to report.
"""

from __future__ import annotations

import json
import os
import signal
import sys
import threading
from contextlib import suppress
from pathlib import Path

from dwatch.backends.supervisor import PYTHON_PATH

_TASKS = Path("/proc/self/task")


def _set_up() -> str:
    """Return what went wrong, "" if nothing."""
    path = os.environ.pop(PYTHON_PATH, None)
    if path is not None:
        sys.path[:] = json.loads(path)
    # A service manager sends it to all processes; the parent decides when this one ends.
    before = signal.signal(signal.SIGTERM, signal.SIG_IGN)
    # Not for what is forked: the project's own processes may come from this server, too.
    os.register_at_fork(after_in_child=lambda: signal.signal(signal.SIGTERM, before))
    # Standard output is for the parent's report, not for what settings print.
    with suppress(OSError):
        os.dup2(2, 1)
    from dwatch.backends.worker import set_up_django
    from dwatch.core.guard import Failure, attempt

    outcome = attempt(set_up_django)
    return outcome.error if isinstance(outcome, Failure) else ""


def _threads() -> int:
    """Return how many threads there are, those that Python knows nothing of included."""
    if _TASKS.is_dir():
        return len(list(_TASKS.iterdir()))
    return threading.active_count()


failure = _set_up()
threads_at_fork = _threads()
