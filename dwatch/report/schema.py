"""The machine-readable form of every report.

Each document is one JSON object, alone on standard output::

    {"schema": "dwatch/run", "version": 1, ...}

``schema`` names the report, ``version`` its shape. A version only ever gains
fields; one that would lose or change a field gets the next number.

Common values: moments are ISO 8601 in UTC (``2026-11-24T06:00:00Z``),
durations are seconds, statuses are ``ok``, ``warning``, ``critical`` or
``unknown``, an absent value is ``null``, and ``counts`` is an object with a
number for each status. The schemas and the fields they hold:

``dwatch/run``, ``dwatch/refresh``
    started_at, duration, dry_run, interrupted_by (signal number), exit_code,
    requested_by_name (slugs that a pattern named), module_failures (of module,
    error, traceback), checks (of slug, title, state, run_id, slot, next_slot,
    started_at, duration, counts, errors, skipped, gone, vanished, duplicates,
    status_changes, unconfirmed, error, traceback, problems, held_by,
    held_since, notes, unstored). ``counts`` and problems tell what is shown.
    ``state`` is complete, failed, interrupted, not_due, held or not_started. A
    problem has identifier, status, description, error. ``unstored`` are those of
    the counts that have no result.
``dwatch/list``
    now, module_failures, removed (of slug, results), checks (of slug, title,
    schedule, expression, zone, state, last_run_at, last_run_state,
    last_duration, last_errors, next_slot, counts, tags, owner, runbook,
    running_since, running_by, clock_stepped_back, unconfirmed, unstored).
``dwatch/results``
    now, check (as in the list), matching, results (of identifier, status,
    since, description, error, data, evaluated_at, vanished_at,
    acknowledged_until, acknowledged_by, acknowledged_reason, unconfirmed).
    ``unconfirmed`` is null, or a worse status that is not shown yet: status,
    runs, confirm_after, since, description, data.
``dwatch/result``
    now, check, result (as above), formatted_data, traceback, config, tags,
    users, groups, timeline (of at, kind, from_status, to_status, text).
``dwatch/cleanup``
    dry_run, removed_checks (of slug, results), vanished_results,
    status_changes, runs.
``dwatch/trial``
    slug, identifier, outcome (judged, skipped, gone), status, description,
    data, error, traceback, users, groups, duration, queries, stored_status.
``dwatch/doctor``
    healthy, findings (of subject, level, text, hint).
"""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from dataclasses import fields, is_dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from dwatch.core.status import Status

if TYPE_CHECKING:
    from dwatch.services.reports import (
        CleanupReport,
        DoctorReport,
        ListReport,
        ResultReport,
        ResultsReport,
        RunReport,
        TrialReport,
    )

VERSION = 1
"""The shape described above."""


def run_json(report: RunReport, exit_code: int, *, name: str = "run") -> str:
    """Encode what ``run`` or ``refresh`` (then ``name`` says so) did."""
    return _document(name, {**_fields(report), "exit_code": exit_code})


def list_json(report: ListReport) -> str:
    """Encode the registered checks."""
    return _document("list", {**_fields(report), "removed": _removed(report.removed)})


def results_json(report: ResultsReport) -> str:
    """Encode stored results."""
    return _document("results", _fields(report))


def result_json(report: ResultReport) -> str:
    """Encode everything known of one result."""
    return _document("result", _fields(report))


def cleanup_json(report: CleanupReport) -> str:
    """Encode what was deleted."""
    removed = _removed(report.removed_checks)
    return _document("cleanup", {**_fields(report), "removed_checks": removed})


def trial_json(report: TrialReport) -> str:
    """Encode one payload judged for trial."""
    return _document("trial", _fields(report))


def doctor_json(report: DoctorReport) -> str:
    """Encode the health of an installation."""
    return _document("doctor", {**_fields(report), "healthy": report.healthy})


def _document(name: str, content: dict[str, Any]) -> str:
    whole = {"schema": f"dwatch/{name}", "version": VERSION, **content}
    # ASCII only: no terminal, encoding or lone surrogate can get in the way.
    return json.dumps(whole, indent=2, allow_nan=False) + "\n"


def _removed(removed: tuple[tuple[str, int], ...]) -> list[dict[str, Any]]:
    return [{"slug": slug, "results": results} for slug, results in removed]


def _fields(report: Any) -> dict[str, Any]:
    return {field.name: _value(getattr(report, field.name)) for field in fields(report)}


def _value(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {str(key): _value(item) for key, item in value.items()}
    if isinstance(value, set | frozenset):
        return sorted(map(_value, value))
    if isinstance(value, list | tuple):
        return [_value(item) for item in value]
    return _fields(value) if is_dataclass(value) else _scalar(value)


def _scalar(value: Any) -> str | float | None:
    match value:
        case Status():
            return value.name
        case datetime():
            return value.astimezone(UTC).isoformat().replace("+00:00", "Z")
        case float() if not math.isfinite(value):
            return str(value)
        case None | int() | float():
            return value
    return str(value)
