"""Ctrl-C and SIGTERM: finish the payload in hand, keep what was judged, stop.

The first signal asks; if author code does not come back within the grace time,
or at a second signal, :class:`Interrupted` is raised out of it.
"""

from __future__ import annotations

import math
import signal
import threading
import time
from contextlib import contextmanager
from typing import TYPE_CHECKING

from dwatch.core.alarm import Alarm
from dwatch.core.timelimit import TimeLimit

if TYPE_CHECKING:
    from collections.abc import Iterator
    from types import FrameType

GRACE_SECONDS = 1.0
_RETRY_SECONDS = 0.05
_ASKED_IN_EARNEST = 3
"""Somebody who presses Ctrl-C this often means it, whatever is being written."""


class Interrupted(KeyboardInterrupt):
    """Raised out of author code that did not return in time after a signal."""


class StopRequest:
    """Whether, and by which signal, the run was asked to stop."""

    def __init__(self, alarm: Alarm | None = None) -> None:
        self.signal_number: int | None = None
        self.alarm = alarm
        """The timer that wakes whoever listens for signals; None where nobody can."""
        self.wake_at = math.inf
        self._asked = 0
        self._interruptible = False

    def time_limit(self, seconds: float) -> TimeLimit | None:
        """Return a limit for each payload; None where nothing can be interrupted.

        It takes the place of an earlier one.
        """
        return None if self.alarm is None else TimeLimit(seconds, self.alarm)

    @contextmanager
    def interruptible(self) -> Iterator[None]:
        """Allow Interrupted to be raised meanwhile: author code is at work, or near."""
        with self._set_to(interruptible=True):
            yield

    @contextmanager
    def protected(self) -> Iterator[None]:
        """Let nothing be raised meanwhile: a batch on its way to the database arrives."""
        with self._set_to(interruptible=False):
            yield

    def __bool__(self) -> bool:
        return self.signal_number is not None

    def ask(self, number: int, _frame: FrameType | None) -> None:
        """Handle SIGINT and SIGTERM."""
        self.signal_number = number
        self._asked += 1
        if self._asked >= _ASKED_IN_EARNEST or (self._asked > 1 and self._interruptible):
            raise Interrupted
        self._wake_in(GRACE_SECONDS)

    def wake(self) -> None:
        """Insist at the end of the grace time; called by the alarm."""
        if self._interruptible:
            raise Interrupted
        self._wake_in(_RETRY_SECONDS)

    def _wake_in(self, seconds: float) -> None:
        self.wake_at = time.monotonic() + seconds
        if self.alarm is not None:
            self.alarm.expect(self.wake_at)

    @contextmanager
    def _set_to(self, *, interruptible: bool) -> Iterator[None]:
        before, self._interruptible = self._interruptible, interruptible
        try:
            yield
        finally:
            self._interruptible = before


@contextmanager
def stop_on_signals() -> Iterator[StopRequest]:
    """Listen for SIGINT and SIGTERM meanwhile; outside the main thread, for nothing."""
    if threading.current_thread() is not threading.main_thread():
        yield StopRequest()
        return
    alarm = Alarm()
    request = StopRequest(alarm)
    alarm.attach("stop", request)
    previous = {
        signal.SIGINT: signal.signal(signal.SIGINT, request.ask),
        signal.SIGTERM: signal.signal(signal.SIGTERM, request.ask),
        signal.SIGALRM: signal.signal(signal.SIGALRM, alarm.ring),
    }
    try:
        yield request
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        for number, handler in previous.items():
            # None means a handler that Python did not install and cannot put back.
            signal.signal(number, signal.SIG_DFL if handler is None else handler)
