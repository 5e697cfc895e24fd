"""Real alarms in this process's main thread."""

from __future__ import annotations

import math
import signal
import time
from contextlib import suppress
from typing import TYPE_CHECKING, Any

import pytest

from dwatch.core import timelimit
from dwatch.core.check import BaseCheck
from dwatch.core.evaluate import evaluate, name_payloads
from dwatch.core.interrupt import StopRequest, stop_on_signals
from dwatch.core.outcome import Disposition
from dwatch.core.response import CheckResponse
from dwatch.core.status import Status
from dwatch.core.timelimit import TimedOut, TimeLimit
from dwatch.exceptions import SkipCheck

if TYPE_CHECKING:
    from collections.abc import Iterator

    from dwatch.core.outcome import Outcome

LIMIT = 0.05


@pytest.fixture(autouse=True)
def _impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(timelimit, "REPEAT_SECONDS", 0.02)


@pytest.fixture
def limit() -> Iterator[TimeLimit]:
    with stop_on_signals() as stop:
        limit = stop.time_limit(LIMIT)
        assert limit is not None
        yield limit


class Words(BaseCheck):
    """Does what its payload says."""

    def generate(self) -> list[str]:
        return []

    def get_identifier(self, payload: str) -> str:
        return payload

    def get_payload(self, identifier: str) -> str:
        return identifier

    def check(self, payload: str) -> Any:
        return getattr(self, f"do_{payload}")()

    def do_fine(self) -> Status:
        return Status.ok

    def do_hang(self) -> Status:
        time.sleep(600)
        return Status.ok

    def do_swallow(self) -> Status:
        for _ in range(3):
            with suppress(BaseException):
                time.sleep(600)
        return Status.ok

    def do_swallow_and_skip(self) -> Status:
        try:
            time.sleep(600)
        except KeyboardInterrupt:
            raise SkipCheck from None
        return Status.ok

    def do_critical_and_hang(self) -> CheckResponse:
        return CheckResponse(Status.critical, found=1)

    def get_payload_description(self, payload: str) -> str:
        if payload.endswith("_and_hang"):
            time.sleep(600)
        return f"description of {payload}"


def judged(limit: TimeLimit, *payloads: str) -> list[Outcome]:
    return list(evaluate(Words(), name_payloads(Words(), payloads), limit))


def test_evaluate__only_what_hangs_times_out(limit: TimeLimit) -> None:
    fine, hung, also_fine = judged(limit, "fine", "hang", "fine")
    assert fine.status is also_fine.status is Status.ok
    assert hung[:3] == ("hang", Status.unknown, "description of hang")
    assert hung.error == "timed out after 0.05 s"
    assert "time.sleep" in hung.traceback
    assert limit.longest >= LIMIT


@pytest.mark.parametrize("payload", ["swallow", "swallow_and_skip"])
def test_evaluate__swallowing_the_timeout_does_not_make_it_fine(
    limit: TimeLimit, payload: str
) -> None:
    outcome, after = judged(limit, payload, "fine")
    assert outcome.status is Status.unknown
    assert outcome.error == "timed out after 0.05 s"
    assert outcome.disposition is Disposition.judged
    assert after.error == ""


def test_evaluate__hook_that_hangs_keeps_the_verdict(limit: TimeLimit) -> None:
    (outcome,) = judged(limit, "critical_and_hang")
    assert (outcome.status, outcome.data) == (Status.critical, '{"found": 1}')
    assert outcome.error == "timed out after 0.05 s"
    assert outcome.description == "critical_and_hang"


def test_evaluate__raised_between_two_calls_of_the_author(
    limit: TimeLimit, monkeypatch: pytest.MonkeyPatch
) -> None:
    def in_the_engine(_self: TimeLimit, *_error: object) -> None:
        _self.expired = True
        raise TimedOut

    monkeypatch.setattr(TimeLimit, "__exit__", in_the_engine)
    (outcome,) = judged(limit, "fine")
    assert (outcome.status, outcome.error) == (Status.unknown, "timed out after 0.05 s")
    assert limit.wake_at == math.inf


def test_time_limit__nothing_is_raised_outside_of_it(limit: TimeLimit) -> None:
    with limit:
        pass
    time.sleep(LIMIT * 2)
    with limit:
        assert not limit.expired


def test_time_limit__a_stop_request_shares_the_timer() -> None:
    with stop_on_signals() as stop, stop.interruptible():
        limit = stop.time_limit(LIMIT)
        assert limit is not None
        signal.raise_signal(signal.SIGTERM)
        with pytest.raises(TimedOut), limit:
            time.sleep(600)
        assert stop.signal_number == signal.SIGTERM
        # The grace time goes on.
        assert 0 < signal.getitimer(signal.ITIMER_REAL)[0] <= 1


def test_time_limit__none_where_nobody_listens() -> None:
    assert StopRequest().time_limit(1) is None


def test_timed_out__is_what_database_drivers_take_for_ctrl_c() -> None:
    assert issubclass(TimedOut, KeyboardInterrupt)
