"""The process's one timer, shared by all who want to be woken at a moment."""

from __future__ import annotations

import math
import signal
import time
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from types import FrameType

_SOONEST = 0.001
"""Zero would switch the timer off."""


class Sleeper(Protocol):
    """Somebody who wants to be woken."""

    wake_at: float
    """A moment of :func:`time.monotonic`; infinity for never."""

    def wake(self) -> None:
        """Be woken in the main thread, wherever it is; may raise. ``wake_at`` is infinite then."""


class Alarm:
    """Wakes sleepers by SIGALRM; :meth:`ring` has to be made the signal's handler.

    A moment that was put off is not taken out of the timer: it rings in vain and is
    set anew. So a limit for each of a million payloads costs hardly a system call.
    """

    def __init__(self) -> None:
        self._sleepers: dict[str, Sleeper] = {}
        self._set_to = math.inf

    def attach(self, name: str, sleeper: Sleeper) -> None:
        """Wake this sleeper from now on, instead of any other of that name."""
        self._sleepers[name] = sleeper

    def expect(self, moment: float) -> None:
        """Ring at the moment at the latest."""
        if moment < self._set_to:
            self._set_to = moment
            signal.setitimer(signal.ITIMER_REAL, max(moment - time.monotonic(), _SOONEST))

    def ring(self, _number: int, _frame: FrameType | None) -> None:
        """Handle SIGALRM."""
        self._set_to = math.inf
        now = time.monotonic()
        due = [sleeper for sleeper in self._sleepers.values() if sleeper.wake_at <= now]
        for sleeper in due:
            sleeper.wake_at = math.inf
        self._set_anew()
        try:
            for sleeper in due:
                sleeper.wake()
        finally:
            self._set_anew()

    def _set_anew(self) -> None:
        self.expect(min((sleeper.wake_at for sleeper in self._sleepers.values()), default=math.inf))
