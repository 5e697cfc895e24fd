"""Real signals, sent by a process to itself."""

from __future__ import annotations

import signal
import subprocess
import sys
import threading

import pytest

from dwatch.core import interrupt
from dwatch.core.interrupt import Interrupted, StopRequest, stop_on_signals

PREAMBLE = """
import os, signal, time
from dwatch.core import interrupt
from dwatch.core.interrupt import Interrupted, stop_on_signals

interrupt.GRACE_SECONDS = {grace}

def send(number):
    os.kill(os.getpid(), number)

def hang():
    while True:
        time.sleep(0.01)
"""
NEVER = 600
SOON = 0.02


def output_of(script: str, grace: float = NEVER) -> list[str]:
    done = subprocess.run(
        [sys.executable, "-c", PREAMBLE.format(grace=grace) + script],
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout.split()


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_stop_on_signals__first_signal_only_asks(number: signal.Signals) -> None:
    script = f"""
with stop_on_signals() as stop, stop.interruptible():
    print(bool(stop), stop.signal_number)
    send({number:d})
    print("went on", bool(stop), stop.signal_number)
"""

    assert output_of(script) == ["False", "None", "went", "on", "True", f"{number:d}"]


@pytest.mark.parametrize(
    ("first", "second"),
    [
        (signal.SIGINT, signal.SIGINT),
        (signal.SIGTERM, signal.SIGTERM),
        (signal.SIGTERM, signal.SIGINT),
    ],
)
def test_interruptible__second_signal_raises(first: signal.Signals, second: signal.Signals) -> None:
    script = f"""
with stop_on_signals() as stop, stop.interruptible():
    send({first:d})
    try:
        send({second:d})
        hang()
    except Interrupted:
        print("out", stop.signal_number)
"""

    assert output_of(script) == ["out", f"{second:d}"]


def test_interruptible__raises_when_the_grace_time_is_over() -> None:
    script = """
with stop_on_signals() as stop, stop.interruptible():
    try:
        send(signal.SIGTERM)
        hang()
    except Interrupted:
        print("out")
"""

    assert output_of(script, grace=SOON) == ["out"]


def test_interruptible__author_who_swallows_the_first_is_interrupted_again() -> None:
    script = """
with stop_on_signals() as stop, stop.interruptible():
    send(signal.SIGINT)
    for _ in range(3):
        try:
            send(signal.SIGINT)
            hang()
        except:
            print("swallowed")
"""

    assert output_of(script) == ["swallowed"] * 3


def test_interruptible__ends_when_its_block_raises() -> None:
    script = """
with stop_on_signals() as stop:
    try:
        with stop.interruptible():
            raise ValueError
    except ValueError:
        pass
    send(signal.SIGINT)
    send(signal.SIGINT)
    print("went on")
"""

    assert output_of(script) == ["went", "on"]


COUNTED_ALARMS = """
alarms = []
def count_alarms():
    insist = signal.getsignal(signal.SIGALRM)
    def counted(number, frame):
        alarms.append(number)
        insist(number, frame)
    signal.signal(signal.SIGALRM, counted)

def wait_for_alarms():
    while len(alarms) < 3:
        time.sleep(0.01)
"""


def test_stop_on_signals__outside_of_author_code_the_grace_time_raises_nothing() -> None:
    script = """
with stop_on_signals() as stop:
    count_alarms()
    send(signal.SIGINT)
    send(signal.SIGTERM)
    wait_for_alarms()
    print("stored")
    try:
        with stop.interruptible():
            hang()
    except Interrupted:
        print("out")
"""

    assert output_of(COUNTED_ALARMS + script, grace=SOON) == ["stored", "out"]


def test_protected__grace_time_that_ends_within_raises_after_it() -> None:
    script = """
with stop_on_signals() as stop, stop.interruptible():
    count_alarms()
    try:
        with stop.protected():
            send(signal.SIGINT)
            send(signal.SIGINT)
            wait_for_alarms()
            print("stored")
        hang()
    except Interrupted:
        print("out")
"""

    assert output_of(COUNTED_ALARMS + script, grace=SOON) == ["stored", "out"]


def test_protected__inner_section_does_not_end_the_outer_one() -> None:
    script = """
with stop_on_signals() as stop, stop.interruptible(), stop.protected():
    with stop.protected():
        send(signal.SIGINT)
    send(signal.SIGINT)
    print("stored")
"""

    assert output_of(script) == ["stored"]


def test_protected__third_signal_raises_all_the_same() -> None:
    script = """
with stop_on_signals() as stop, stop.protected():
    send(signal.SIGINT)
    send(signal.SIGINT)
    try:
        send(signal.SIGINT)
        hang()
    except Interrupted:
        print("out")
"""

    assert output_of(script) == ["out"]


def test_stop_on_signals__handlers_and_timer_are_put_back() -> None:
    script = """
def mine(number, frame):
    print("mine", number)

numbers = (signal.SIGINT, signal.SIGTERM, signal.SIGALRM)
for number in numbers:
    signal.signal(number, mine)
try:
    with stop_on_signals():
        send(signal.SIGINT)
        raise ValueError
except ValueError:
    pass
print(signal.getitimer(signal.ITIMER_REAL)[0])
for number in numbers:
    send(number)
"""

    expected = ["0.0"]
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGALRM):
        expected += ["mine", f"{number:d}"]
    assert output_of(script) == expected


def test_stop_on_signals__within_another_gives_back_to_it() -> None:
    script = """
with stop_on_signals() as outer:
    with stop_on_signals() as inner:
        pass
    send(signal.SIGTERM)
    print(bool(inner), bool(outer))
"""

    assert output_of(script) == ["False", "True"]


def test_stop_on_signals__handler_that_python_did_not_install() -> None:
    script = """
import ctypes
ctypes.CDLL(None).signal(signal.SIGTERM, ctypes.CDLL(None).abs)
with stop_on_signals():
    pass
print(signal.getsignal(signal.SIGTERM).name)
"""

    assert output_of(script) == ["SIG_DFL"]


def test_stop_on_signals__in_a_thread_listens_for_nothing() -> None:
    before = signal.getsignal(signal.SIGTERM)
    seen: list[object] = []

    def work() -> None:
        with stop_on_signals() as stop:
            seen.extend([bool(stop), signal.getsignal(signal.SIGTERM)])

    thread = threading.Thread(target=work)
    thread.start()
    thread.join()

    assert seen == [False, before]


def test_stop_request__is_not_asked_at_first() -> None:
    assert not StopRequest()


def test_interrupted__is_what_database_drivers_take_for_ctrl_c() -> None:
    assert issubclass(Interrupted, KeyboardInterrupt)
    assert not issubclass(Interrupted, Exception)


def test_grace__is_shorter_than_a_service_manager_waits() -> None:
    assert 0 < interrupt.GRACE_SECONDS < 10
