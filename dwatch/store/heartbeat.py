"""Keeps a lease alive while a check is executed, however long a single payload takes."""

from __future__ import annotations

import threading
import time
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING

from django.db import Error, connections

from dwatch import conf
from dwatch.exceptions import DwatchError
from dwatch.store.states import prolong
from dwatch.store.transactions import database, is_enclosed

if TYPE_CHECKING:
    from collections.abc import Iterator

    from dwatch.store.states import Lease

_BEATS_PER_LEASE = 3
_LONGEST_GOODBYE = 10.0
"""A beat that waits for a lock or a dead network is left to itself after these seconds."""


@contextmanager
def kept_alive(lease: Lease) -> Iterator[None]:
    """Renew the lease in the background meanwhile.

    A thread does it, so a process that is frozen or killed falls silent and loses
    the lease. Batches renew it as well; only when there is none for long does the
    thread open a connection of its own. Within a transaction of the caller's
    nobody else can see the lease: nothing is done.
    """
    if is_enclosed():
        yield
        return
    over = threading.Event()
    # A daemon: the end of the process never waits for it.
    thread = threading.Thread(
        target=_beat, args=(lease, over), name="dwatch heartbeat", daemon=True
    )
    with suppress(RuntimeError):  # the system gives no more threads: batches renew it still
        thread.start()
    try:
        yield
    finally:
        over.set()
        if thread.ident is not None:
            thread.join(_LONGEST_GOODBYE)


def _beat(lease: Lease, over: threading.Event) -> None:
    pause = conf.lease_seconds() / _BEATS_PER_LEASE
    held, wait = True, pause
    while held and not over.wait(wait):
        wait = lease.pulse.felt_at + pause - time.monotonic()
        if wait > 0:  # a batch has renewed it meanwhile
            continue
        wait = pause
        try:
            held = prolong(lease)
        except (Error, DwatchError):
            # Tried again at the next beat, on a new connection. The fence has the last word.
            _close()
    _close()


def _close() -> None:
    with suppress(Error):
        connections[database()].close()
