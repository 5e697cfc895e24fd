from __future__ import annotations

from signal import SIGINT, SIGTERM
from typing import Any

import pytest

from dwatch.core.status import Status
from dwatch.services.gate import ExitCode, exit_code
from dwatch.services.reports import ModuleFailure, RunState, StatusCounts
from tests.report.values import a_check, a_run

BROKEN = (ModuleFailure("shop.checks", "SyntaxError: invalid syntax", ""),)
CRITICAL = a_check(counts=StatusCounts(ok=5, critical=1))
RAISED = a_check(counts=StatusCounts(ok=5, unknown=1), errors=1)
HELD = a_check(slug="held", state=RunState.held, counts=StatusCounts())
NAMED = {"requested_by_name": frozenset({"held"})}


@pytest.mark.parametrize(
    ("counts", "fail_on", "expected"),
    [
        (StatusCounts(ok=3), Status.unknown, ExitCode.fine),
        (StatusCounts(), Status.unknown, ExitCode.fine),
        (StatusCounts(unknown=1), Status.unknown, ExitCode.gate),
        (StatusCounts(unknown=1), Status.warning, ExitCode.fine),
        (StatusCounts(warning=1), Status.unknown, ExitCode.gate),
        (StatusCounts(warning=1), Status.warning, ExitCode.gate),
        (StatusCounts(warning=1), Status.critical, ExitCode.fine),
        (StatusCounts(critical=1), Status.critical, ExitCode.gate),
        (StatusCounts(critical=1), None, ExitCode.fine),
    ],
)
def test_exit_code__gate(counts: StatusCounts, fail_on: Status | None, expected: ExitCode) -> None:
    assert exit_code(a_run(a_check(counts=counts)), fail_on) is expected


@pytest.mark.parametrize(
    ("checks", "changes", "expected"),
    [
        ((), {}, ExitCode.fine),
        ((RAISED, CRITICAL), {}, ExitCode.error),
        ((a_check(state=RunState.failed),), {}, ExitCode.error),
        ((CRITICAL,), {"module_failures": BROKEN}, ExitCode.error),
        ((), {"module_failures": BROKEN}, ExitCode.error),
        ((HELD, CRITICAL), NAMED, ExitCode.gate),
        ((HELD, RAISED), NAMED, ExitCode.error),
        ((HELD,), NAMED, ExitCode.held),
        ((HELD,), {}, ExitCode.fine),
        ((RAISED, CRITICAL), {"interrupted_by": SIGINT}, ExitCode.interrupted),
        ((RAISED, CRITICAL), {"interrupted_by": SIGTERM}, ExitCode.terminated),
        ((a_check(state=RunState.not_due, counts=StatusCounts()),), {}, ExitCode.fine),
    ],
)
def test_exit_code__order(
    checks: tuple[Any, ...], changes: dict[str, Any], expected: ExitCode
) -> None:
    assert exit_code(a_run(*checks, **changes), Status.critical) is expected


def test_exit_code__numbers_are_a_promise() -> None:
    assert {code.name: code.value for code in ExitCode} == {
        "fine": 0,
        "gate": 1,
        "usage": 2,
        "error": 3,
        "held": 4,
        "interrupted": 130,
        "terminated": 143,
    }
