"""How long one payload may take, and what ends it."""

from __future__ import annotations

import math
import time
from typing import TYPE_CHECKING, Self

if TYPE_CHECKING:
    from types import TracebackType

    from dwatch.core.alarm import Alarm

REPEAT_SECONDS = 0.25
"""Code with a bare ``except:`` is interrupted again this often."""


class TimedOut(KeyboardInterrupt):
    """Raised out of author code that took too long.

    A KeyboardInterrupt because database drivers cancel their query for that one only.
    """


def timed_out(seconds: float) -> str:
    """Return the error of a payload that used up its time."""
    return f"timed out after {seconds:g} s"


class TimeLimit:
    """Entered around each payload; raises TimedOut in the main thread when time is up.

    What swallows it is interrupted again and again. It cannot end a call into C
    that does not come back to Python.
    """

    def __init__(self, seconds: float, alarm: Alarm) -> None:
        self.seconds = seconds
        self.expired = False
        """Whether the payload in hand, or else the last one, used up its time."""
        self.longest = 0.0
        """Seconds that the slowest payload really took."""
        self.wake_at = math.inf
        self._began = 0.0
        self._alarm = alarm
        alarm.attach("payload", self)

    def __enter__(self) -> Self:
        self.expired = False
        self._began = time.monotonic()
        self.wake_at = self._began + self.seconds
        self._alarm.expect(self.wake_at)
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.disarm()
        self.longest = max(self.longest, time.monotonic() - self._began)

    def disarm(self) -> None:
        """Raise nothing any more until it is entered again."""
        self.wake_at = math.inf

    def wake(self) -> None:
        """Raise TimedOut; called by the alarm."""
        self.expired = True
        self.wake_at = time.monotonic() + REPEAT_SECONDS
        raise TimedOut(timed_out(self.seconds))
