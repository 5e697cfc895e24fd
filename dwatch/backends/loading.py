"""From settings and options to the backend of a run."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Literal, cast

from dwatch import conf

if TYPE_CHECKING:
    from dwatch.backends.base import Backend

_SYNCHRONOUS = "dwatch.backends.synchronous"
_PROCESS = "dwatch.backends.process"


def load_backend(workers: int | Literal["auto"] | None = None) -> Backend:
    """Return a new backend; ``workers`` goes before ``DWATCH_WORKERS``.

    More than one worker takes processes unless ``DWATCH_BACKEND`` says otherwise.
    Raises ConfigurationError.
    """
    wanted = conf.workers() if workers is None else workers
    number = usable_cores() if wanted == "auto" else wanted
    path = conf.backend()
    if path == _SYNCHRONOUS and number > 1:
        path = _PROCESS
    return cast("Backend", conf.backend_class(path)(workers=number))


def usable_cores() -> int:
    """Return how many cores this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1
