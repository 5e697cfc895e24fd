from __future__ import annotations

import math
import signal
import time
from typing import TYPE_CHECKING

import pytest

from dwatch.core.alarm import Alarm

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator


class Recorder:
    def __init__(self, woken: list[str], name: str, then: Callable[[], None]) -> None:
        self.wake_at = math.inf
        self._woken, self._name, self._then = woken, name, then

    def wake(self) -> None:
        self._woken.append(self._name)
        self._then()


@pytest.fixture
def alarm() -> Iterator[Alarm]:
    alarm = Alarm()
    before = signal.signal(signal.SIGALRM, alarm.ring)
    yield alarm
    signal.setitimer(signal.ITIMER_REAL, 0)
    signal.signal(signal.SIGALRM, before)


@pytest.fixture
def woken() -> list[str]:
    return []


def sleep_until(woken: list[str], number: int) -> None:
    while len(woken) < number:
        time.sleep(0.001)


def set_to(alarm: Alarm, sleeper: Recorder, seconds: float) -> None:
    sleeper.wake_at = time.monotonic() + seconds
    alarm.expect(sleeper.wake_at)


def nothing() -> None:
    pass


def test_expect__each_is_woken_in_turn(alarm: Alarm, woken: list[str]) -> None:
    late, early = Recorder(woken, "late", nothing), Recorder(woken, "early", nothing)
    alarm.attach("late", late)
    alarm.attach("early", early)
    set_to(alarm, late, 0.04)
    set_to(alarm, early, 0.01)
    sleep_until(woken, 2)
    assert woken == ["early", "late"]
    assert signal.getitimer(signal.ITIMER_REAL)[0] == 0


def test_expect__what_was_put_off_rings_in_vain(alarm: Alarm, woken: list[str]) -> None:
    sleeper = Recorder(woken, "woken", nothing)
    alarm.attach("one", sleeper)
    set_to(alarm, sleeper, 0.02)
    set_to(alarm, sleeper, 3600)
    while signal.getitimer(signal.ITIMER_REAL)[0] < 1:
        time.sleep(0.001)
    assert woken == []


def test_expect__a_moment_that_has_passed(alarm: Alarm, woken: list[str]) -> None:
    sleeper = Recorder(woken, "woken", nothing)
    alarm.attach("one", sleeper)
    set_to(alarm, sleeper, -1)
    sleep_until(woken, 1)


def test_attach__another_takes_the_place(alarm: Alarm, woken: list[str]) -> None:
    earlier, later = Recorder(woken, "earlier", nothing), Recorder(woken, "later", nothing)
    alarm.attach("one", earlier)
    alarm.attach("one", later)
    set_to(alarm, earlier, 0)
    set_to(alarm, later, 0.01)
    sleep_until(woken, 1)
    assert woken == ["later"]


def test_wake__may_ask_to_be_woken_again_and_raise(alarm: Alarm, woken: list[str]) -> None:
    def raise_twice() -> None:
        if len(woken) < 2:
            sleeper.wake_at = time.monotonic() + 0.01
            raise InterruptedError

    sleeper = Recorder(woken, "woken", raise_twice)
    alarm.attach("one", sleeper)
    with pytest.raises(InterruptedError):
        set_to(alarm, sleeper, 0.01)
        sleep_until(woken, 9)
    sleep_until(woken, 2)
    assert sleeper.wake_at == math.inf
