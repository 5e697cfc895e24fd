"""Runs the checks that are due."""

from __future__ import annotations

import time
from contextlib import closing
from dataclasses import replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from django.utils import timezone

from dwatch.backends.loading import load_backend
from dwatch.core.definition import parse_schedule
from dwatch.core.interrupt import stop_on_signals
from dwatch.core.plan import plan
from dwatch.exceptions import DatabaseBusyError
from dwatch.models import Run
from dwatch.services import checkruns, execution, selecting
from dwatch.services.boundary import database_errors_in_words
from dwatch.services.reports import RunReport, RunState
from dwatch.services.requests import SilentObserver
from dwatch.services.sources import AllPayloads
from dwatch.store import states

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from typing import Any

    from dwatch.core.check import BaseCheck
    from dwatch.core.interrupt import StopRequest
    from dwatch.core.plan import Plan
    from dwatch.models import CheckState
    from dwatch.services.reports import CheckRun
    from dwatch.services.requests import Observer, RunRequest


def run_checks(
    request: RunRequest, observer: Observer | None = None, *, user: Any = None
) -> RunReport:
    """Run the selected checks that are due, or all of them with ``force``.

    Checks run one after the other, in slug order; none keeps the later ones from
    running. Ctrl-C and SIGTERM store what was judged and end the run. Raises
    UnknownCheckError and ConfigurationError; whatever checks do is in the report.
    """
    observer = observer or SilentObserver()
    with database_errors_in_words():
        classes = selecting.select(request.selection)
        selecting.refuse_nothing(classes)
        find = states.read_states if request.dry_run else states.ensure_states
        known = find(classes)

        def run_one(cls: type[BaseCheck], stop: StopRequest) -> CheckRun:
            watch = execution.Watch(backend, stop, observer, user)
            return _run_one(cls, known.get(cls.slug), request, watch)

        with closing(load_backend(request.workers)) as backend:
            report = conduct(
                classes,
                run_one,
                observer,
                lambda check: request.stop_early and _fails(check, request),
            )
    # A gate by tag must not be green because somebody else was at it; cron's next slot may.
    named = selecting.named(request.selection, tags_too=request.force)
    return replace(report, dry_run=request.dry_run, requested_by_name=named)


def conduct(
    classes: Iterable[type[BaseCheck]],
    run_one: Callable[[type[BaseCheck], StopRequest], CheckRun],
    observer: Observer,
    ends_early: Callable[[CheckRun], bool],
) -> RunReport:
    """Execute the checks in turn until one, or a signal, ends it all."""
    started, clock = datetime.now(UTC), time.monotonic()
    checks: list[CheckRun] = []
    ended = False
    with stop_on_signals() as stop:
        for cls in classes:
            if ended or stop:
                checks.append(checkruns.not_run(cls, RunState.not_started))
                continue
            check = _survived(run_one, cls, stop)
            checks.append(check)
            observer.check_finished(check)
            ended = ends_early(check)
    return RunReport(
        tuple(checks),
        selecting.module_failures(),
        started,
        time.monotonic() - clock,
        interrupted_by=stop.signal_number,
    )


def _survived(
    run_one: Callable[[type[BaseCheck], StopRequest], CheckRun],
    check_class: type[BaseCheck],
    stop: StopRequest,
) -> CheckRun:
    """Execute one check; one whose rows others keep locked is no reason to leave out the rest."""
    try:
        return run_one(check_class, stop)
    except DatabaseBusyError as error:
        return checkruns.failed(check_class, error)


def _run_one(
    check_class: type[BaseCheck],
    state: CheckState | None,
    request: RunRequest,
    watch: execution.Watch,
) -> CheckRun:
    planned = plan_of(check_class, state)
    if not (request.force or planned.is_due):
        return checkruns.not_run(check_class, RunState.not_due, planned)
    reason = Run.Reason.FORCED if request.force else Run.Reason.SCHEDULE
    work = execution.Execution(check_class, AllPayloads(), watch, reason)
    if request.dry_run or state is None:
        return work.rehearse(state)
    lease = states.acquire_lease(state, datetime.now(UTC), scheduled=not request.force)
    if lease is None:
        return _not_claimed(check_class, request, watch)
    # A forced run handles the slot that is due as well: the payloads are the same.
    report = work.run(lease, planned.slot)
    if not planned.clock_stepped_back:
        return report
    return replace(report, notes=(*report.notes, _CLOCK_NOTE))


def plan_of(check_class: type[BaseCheck], state: CheckState | None) -> Plan:
    """Return whether the check is due now, and for which slot."""
    return plan(
        parse_schedule(check_class),
        state.handled_slot if state else None,
        datetime.now(UTC),
        timezone.get_default_timezone(),
    )


_CLOCK_NOTE = "It had been handled for a slot in the future: check the hosts' clocks (NTP)."


def _not_claimed(
    check_class: type[BaseCheck], request: RunRequest, watch: execution.Watch
) -> CheckRun:
    """Tell "held by another run" from "another run has just done it".

    A forced run was asked for whatever is due, so that other run does not do for it.
    """
    state = states.ensure_states([check_class])[check_class.slug]
    planned = plan_of(check_class, state)
    if request.force or state.lease_token:
        return checkruns.held(check_class, state)
    if not planned.is_due:
        return checkruns.not_run(check_class, RunState.not_due, planned)
    # Others handled an earlier slot since the states were read, and nobody this one.
    return _run_one(check_class, state, request, watch)


def _fails(check: CheckRun, request: RunRequest) -> bool:
    if check.errors or check.state is RunState.failed:
        return True
    worst = check.counts.worst
    return (
        request.fail_on is not None
        and worst is not None
        and worst.severity >= request.fail_on.severity
    )
