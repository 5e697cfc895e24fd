from __future__ import annotations

import os
import signal
import threading
import time

import pytest

from dwatch.core import interrupt
from dwatch.core.interrupt import Interrupted, stop_on_signals


def ask(number: int = signal.SIGINT) -> None:
    os.kill(os.getpid(), number)


def work(seconds: float = 5) -> None:
    """Be busy as Python code is."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        pass


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_first_signal__only_asks(number: int) -> None:
    with stop_on_signals() as stop:
        assert not stop
        with stop.interruptible():
            ask(number)
        assert stop
        assert stop.signal_number == number


def test_second_signal__raises_out_of_author_code() -> None:
    with stop_on_signals() as stop, pytest.raises(Interrupted), stop.interruptible():
        ask()
        ask()


def test_grace_time__raises_out_of_author_code_that_goes_on() -> None:
    with stop_on_signals() as stop, pytest.raises(Interrupted), stop.interruptible():
        ask()
        work()


def test_protected__nothing_is_raised_until_it_ends(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(interrupt, "GRACE_SECONDS", 0.01)
    arrived = False
    with stop_on_signals() as stop, pytest.raises(Interrupted), stop.interruptible():
        with stop.protected():
            ask()
            ask()
            work(0.2)
            arrived = True
        work()
    assert arrived


def test_outside_of_author_code__nothing_is_raised(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(interrupt, "GRACE_SECONDS", 0.01)
    with stop_on_signals() as stop:
        ask()
        ask()
        work(0.1)
        assert stop


def test_third_signal__raises_wherever_it_is() -> None:
    with stop_on_signals() as stop, pytest.raises(Interrupted), stop.protected():
        ask()
        ask()
        ask()


def test_handlers__are_put_back_and_the_timer_is_off() -> None:
    before = [signal.getsignal(n) for n in (signal.SIGINT, signal.SIGTERM, signal.SIGALRM)]
    with stop_on_signals():
        ask()
    after = [signal.getsignal(n) for n in (signal.SIGINT, signal.SIGTERM, signal.SIGALRM)]
    assert after == before
    assert signal.getitimer(signal.ITIMER_REAL) == (0.0, 0.0)


def test_other_thread__listens_to_nothing() -> None:
    heard: list[bool] = []

    def listen() -> None:
        with stop_on_signals() as stop:
            heard.append(bool(stop))

    thread = threading.Thread(target=listen)
    thread.start()
    thread.join()
    assert heard == [False]
