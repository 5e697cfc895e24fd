"""Outages made to order: connections cut by the server, rows that somebody else keeps locked."""

from __future__ import annotations

import threading
from contextlib import contextmanager
from typing import TYPE_CHECKING

from django.db import connection, transaction

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator


def cut_connection() -> None:
    """Let the server cut this thread's connection; SQLite has none to cut."""
    cut = {
        "postgresql": "SELECT pg_terminate_backend({})",
        "mysql": "KILL {}",
    }.get(connection.vendor)
    if cut is None:
        return
    own = {"postgresql": "SELECT pg_backend_pid()", "mysql": "SELECT CONNECTION_ID()"}
    with connection.cursor() as cursor:
        cursor.execute(own[connection.vendor])
        (number,) = cursor.fetchone()

    def work() -> None:
        with connection.cursor() as cursor:
            cursor.execute(cut.format(number))

    _in_thread(work).join()


def _in_thread(work: Callable[[], None]) -> threading.Thread:
    """Start the work in a thread, whose connection is another one."""

    def with_connection() -> None:
        try:
            work()
        finally:
            connection.close()

    thread = threading.Thread(target=with_connection)
    thread.start()
    return thread


@contextmanager
def locked_by_another(lock: Callable[[], object]) -> Iterator[None]:
    """Keep what the statement locks locked meanwhile, by another connection."""
    locked, finish = threading.Event(), threading.Event()

    def work() -> None:
        with transaction.atomic():
            lock()
            locked.set()
            finish.wait()

    thread = _in_thread(work)
    locked.wait()
    try:
        yield
    finally:
        finish.set()
        thread.join()


def in_threads(*works: Callable[[], None]) -> None:
    """Do all of it at once, each over a connection of its own."""
    for thread in [_in_thread(work) for work in works]:
        thread.join()
