"""Plain values as services return them, for tests of how they look."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

from dwatch.core.plan import DueState
from dwatch.core.status import Status
from dwatch.services.reports import (
    CheckListing,
    CheckRun,
    ListReport,
    Problem,
    ResultReport,
    ResultRow,
    ResultsReport,
    RunReport,
    RunState,
    StatusCounts,
    TimelineEntry,
    UnconfirmedStatus,
)

NOW = datetime(2026, 11, 24, 6, 0, tzinfo=UTC)


def a_check(**changes: object) -> CheckRun:
    values: dict[str, Any] = {
        "slug": "wallet_balance",
        "title": "Customers must not owe us money.",
        "state": RunState.complete,
        "duration": 0.42,
        "counts": StatusCounts(ok=118),
    }
    return CheckRun(**{**values, **changes})


def a_failing_check(**changes: object) -> CheckRun:
    values: dict[str, Any] = {
        "counts": StatusCounts(ok=118, critical=7),
        "problems": (Problem("17", Status.critical, "Wallet of Ada: -12.00", ""),),
    }
    return a_check(**{**values, **changes})


def a_run(*checks: CheckRun, **changes: object) -> RunReport:
    values: dict[str, Any] = {
        "checks": checks,
        "module_failures": (),
        "started_at": NOW,
        "duration": 1.5,
    }
    return RunReport(**{**values, **changes})


def a_listing(**changes: object) -> CheckListing:
    values: dict[str, Any] = {
        "slug": "wallet_balance",
        "title": "Customers must not owe us money.",
        "schedule": "every 5 minutes",
        "expression": "*/5 * * * *",
        "zone": "Europe/Berlin",
        "state": DueState.waiting,
        "last_run_at": NOW - timedelta(hours=2),
        "last_run_state": "complete",
        "last_duration": 0.4,
        "last_errors": 0,
        "next_slot": NOW + timedelta(minutes=3),
        "counts": StatusCounts(ok=118, critical=2),
        "tags": ("money",),
        "owner": "finance",
        "runbook": "",
        "running_since": None,
        "running_by": "",
    }
    return CheckListing(**{**values, **changes})


def a_list(*checks: CheckListing, **changes: object) -> ListReport:
    values: dict[str, Any] = {
        "checks": checks,
        "module_failures": (),
        "removed": (),
        "now": NOW,
    }
    return ListReport(**{**values, **changes})


def a_result(**changes: object) -> ResultRow:
    values: dict[str, Any] = {
        "identifier": "17",
        "status": Status.critical,
        "since": NOW - timedelta(days=3),
        "description": "Wallet of Ada",
        "error": "",
        "data": {"balance": "-12.00"},
        "evaluated_at": NOW - timedelta(minutes=4),
        "vanished_at": None,
        "acknowledged_until": None,
        "acknowledged_by": "",
        "acknowledged_reason": "",
    }
    return ResultRow(**{**values, **changes})


def an_unconfirmed_status(**changes: object) -> UnconfirmedStatus:
    values: dict[str, Any] = {
        "status": Status.critical,
        "runs": 2,
        "confirm_after": 3,
        "since": NOW - timedelta(minutes=10),
        "description": "Wallet of Ada",
        "data": {"balance": "-99.00"},
    }
    return UnconfirmedStatus(**{**values, **changes})


def results(*rows: ResultRow, matching: int | None = None) -> ResultsReport:
    return ResultsReport(a_listing(), rows, len(rows) if matching is None else matching, NOW)


def everything_of_a_result(**changes: object) -> ResultReport:
    entry = TimelineEntry(NOW - timedelta(days=3), "status", Status.ok, Status.critical, "schedule")
    values: dict[str, Any] = {
        "check": a_listing(),
        "result": a_result(),
        "formatted_data": "",
        "traceback": "",
        "config": None,
        "tags": (),
        "users": (),
        "groups": (),
        "timeline": (entry,),
        "now": NOW,
    }
    return ResultReport(**{**values, **changes})
