"""Each command: call the service, show its report, return the exit code.

Used by ``dwatch`` and ``manage.py`` alike, once Django is set up.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from django.utils.timezone import get_default_timezone

from dwatch.report import schema
from dwatch.services.gate import ExitCode, exit_code

if TYPE_CHECKING:
    from dwatch.cli.output import Output
    from dwatch.core.status import Status
    from dwatch.services.reports import DoctorReport, RunReport
    from dwatch.services.requests import CleanupRequest, RefreshRequest, RunRequest, Selection


def run(request: RunRequest, output: Output, *, durations: int = 0) -> int:
    """Run the checks that are due (or all that are asked for)."""
    from dwatch.services.run import run_checks

    with output.working() as observer:
        report = run_checks(request, observer)
    return _show_run(report, request.fail_on, output, durations, "run")


def refresh(
    request: RefreshRequest, output: Output, *, fail_on: Status | None, durations: int = 0
) -> int:
    """Judge existing results anew."""
    from dwatch.services.refresh import refresh_results

    with output.working() as observer:
        report = refresh_results(request, observer)
    return _show_run(report, fail_on, output, durations, "refresh")


def list_checks(selection: Selection, output: Output) -> int:
    """List the registered checks; a checks module that is missing is an error."""
    from dwatch.report.listing import list_document
    from dwatch.services.listing import list_checks as ask

    report = ask(selection)
    output.show(
        lambda: list_document(report, get_default_timezone()), lambda: schema.list_json(report)
    )
    return ExitCode.error if report.module_failures else ExitCode.fine


def show_results(
    slug: str,
    output: Output,
    *,
    status: Status | None,
    include_vanished: bool,
    unconfirmed: bool,
    limit: int,
) -> int:
    """Show a check's stored results."""
    from dwatch.report.results import results_document
    from dwatch.services.show import show_results as ask

    report = ask(
        slug,
        status=status,
        include_vanished=include_vanished,
        unconfirmed=unconfirmed,
        limit=limit,
    )
    output.show(
        lambda: results_document(report, get_default_timezone()),
        lambda: schema.results_json(report),
    )
    return ExitCode.fine


def show_result(slug: str, identifier: str, output: Output) -> int:
    """Show everything known of one result."""
    from dwatch.report.results import result_document
    from dwatch.services.show import show_result as ask

    report = ask(slug, identifier)
    output.show(
        lambda: result_document(report, get_default_timezone()),
        lambda: schema.result_json(report),
    )
    return ExitCode.fine


def clean_up(request: CleanupRequest, output: Output) -> int:
    """Delete what removed checks and old times left behind."""
    from dwatch.report.cleanup import cleanup_document
    from dwatch.services.cleanup import clean_up as ask

    report = ask(request)
    output.show(lambda: cleanup_document(report), lambda: schema.cleanup_json(report))
    return ExitCode.fine


def try_payload(slug: str, identifier: str, output: Output) -> int:
    """Judge one payload and store nothing."""
    from dwatch.report.trial import trial_document
    from dwatch.services.trial import try_payload as ask

    with output.working():
        report = ask(slug, identifier)
    output.show(lambda: trial_document(report), lambda: schema.trial_json(report))
    if report.error:
        return ExitCode.error
    return ExitCode.usage if report.outcome == "gone" else ExitCode.fine


def doctor(output: Output) -> int:
    """Examine the installation."""
    from dwatch.services.doctor import examine

    return show_health(examine(), output)


def show_health(report: DoctorReport, output: Output) -> int:
    """Show the doctor's findings."""
    from dwatch.report.doctor import doctor_document

    output.show(lambda: doctor_document(report), lambda: schema.doctor_json(report))
    return ExitCode.fine if report.healthy else ExitCode.usage


def _show_run(
    report: RunReport, fail_on: Status | None, output: Output, durations: int, name: str
) -> int:
    from dwatch.report.run import has_problems, is_problem, run_document

    code = exit_code(report, fail_on)
    shown = report
    if output.quiet:
        if not has_problems(report):
            return code
        shown = replace(report, checks=tuple(c for c in report.checks if is_problem(c, report)))
    output.show(
        lambda: run_document(shown, get_default_timezone(), slowest=durations),
        lambda: schema.run_json(report, code, name=name),
    )
    return code
