"""What a run means for the shell: the one place where exit codes are decided."""

from __future__ import annotations

from enum import IntEnum
from signal import SIGINT
from typing import TYPE_CHECKING

from dwatch.services.reports import RunState

if TYPE_CHECKING:
    from dwatch.core.status import Status
    from dwatch.services.reports import CheckRun, RunReport


class ExitCode(IntEnum):
    """The exit codes of all commands. The order of rules is :func:`exit_code`'s."""

    fine = 0
    """All is fine, or nothing was due."""
    gate = 1
    """A payload judged now is at or above the gate's threshold."""
    usage = 2
    """Wrong use, wrong configuration, database unreachable or not migrated."""
    error = 3
    """A check or payload raised, timed out or crashed; a checks module is broken."""
    held = 4
    """A check asked for by name is being run by somebody else."""
    interrupted = 130
    """Ended by Ctrl-C."""
    terminated = 143
    """Ended by SIGTERM."""


def exit_code(report: RunReport, fail_on: Status | None) -> ExitCode:
    """Return the run's exit code; ``fail_on`` None means that no status fails it.

    An interruption outranks errors, errors outrank the gate (what was not
    judged may be worse), the gate outranks a check that somebody else runs.
    """
    if report.interrupted_by is not None:
        return ExitCode.interrupted if report.interrupted_by == SIGINT else ExitCode.terminated
    if report.module_failures or any(map(_raised, report.checks)):
        return ExitCode.error
    if fail_on is not None and any(_fails(check, fail_on) for check in report.checks):
        return ExitCode.gate
    if any(_is_held(check, report) for check in report.checks):
        return ExitCode.held
    return ExitCode.fine


def _raised(check: CheckRun) -> bool:
    return check.errors > 0 or check.state is RunState.failed


def _fails(check: CheckRun, fail_on: Status) -> bool:
    worst = check.counts.worst
    return worst is not None and worst.severity >= fail_on.severity


def _is_held(check: CheckRun, report: RunReport) -> bool:
    return check.state is RunState.held and check.slug in report.requested_by_name
