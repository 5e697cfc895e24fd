"""What the workers of the supervisor's tests do; the functions have to be importable."""

from __future__ import annotations

import os
import pickle
import re
import signal
import sys
import time
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

from dwatch.backends.supervisor import Refused, UnsafeToForkError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from dwatch.backends.supervisor import Handler, Progress


def prepare() -> Handler:
    return handle


def handle(body: bytes, progress: Progress) -> Iterator[tuple[int, Any]]:
    for index, (verb, *arguments) in enumerate(pickle.loads(body)):  # noqa: S301 - our own
        progress.begin(index)
        yield index, VERBS[verb](*arguments)


def handle_unguarded(body: bytes, _progress: Progress) -> Iterator[tuple[int, Any]]:
    """Die outside of any item, as of one that cannot be unpacked."""
    items = pickle.loads(body)  # noqa: S301 - our own
    if ("exit", 7) in items:
        os._exit(7)
    yield from enumerate(items)


def prepare_unguarded() -> Handler:
    return handle_unguarded


def prepare_not() -> Handler:
    raise ValueError("no such\nsettings")


def prepare_refusing() -> Handler:
    raise Refused("not today")


def prepare_and_die() -> Handler:
    os._exit(9)


def prepare_for_ever() -> Handler:
    time.sleep(600)
    raise AssertionError


def prepare_unless_forked() -> Handler:
    if sys.modules.get("tests.backends.preloaded"):
        raise UnsafeToForkError
    return handle


def exit_at_first(marker: str, number: int) -> str:
    """Let the worker be killed unless a file says that it was before."""
    if Path(marker).exists():
        return "alive"
    Path(marker).touch()
    os.kill(os.getpid(), number)
    return "not reached"


def die(number: int) -> None:
    os.kill(os.getpid(), number)


def refuse(reason: str) -> None:
    raise Refused(reason)


def fail() -> None:
    raise RuntimeError("in the engine")


def hang_for_good() -> None:
    signal.signal(signal.SIGALRM, signal.SIG_IGN)
    while True:
        with suppress(BaseException):
            time.sleep(600)


def hang_with_child(marker: str) -> None:
    child = os.spawnlp(os.P_NOWAIT, "sleep", "sleep", "600")  # noqa: S606
    Path(marker).write_text(f"{child}\n")
    time.sleep(600)


def hang_in_c() -> None:
    re.match(r"(a+)+$", "a" * 40 + "b")


VERBS: dict[str, Callable[..., Any]] = {
    "double": lambda number: number * 2,
    "pid": os.getpid,
    "parent's pid": os.getppid,
    "sleep": time.sleep,
    "die": die,
    "exit": os._exit,
    "exit at first": exit_at_first,
    "refuse": refuse,
    "fail": fail,
    "hang for good": hang_for_good,
    "hang with child": hang_with_child,
    "hang in C": hang_in_c,
    "print": lambda: print("spoils the report"),  # noqa: T201
}
