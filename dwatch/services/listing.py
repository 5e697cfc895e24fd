"""Lists the checks: when they run, and how their results stand."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, NamedTuple

from django.db.models import OuterRef, Subquery
from django.utils import timezone

from dwatch.core.definition import parse_schedule
from dwatch.core.plan import plan
from dwatch.models import CheckState, Result, Run
from dwatch.services import checkruns, selecting
from dwatch.services.boundary import database_errors_in_words
from dwatch.services.reports import CheckListing, ListReport, StatusCounts
from dwatch.services.requests import Selection
from dwatch.store import states
from dwatch.store.transactions import database

if TYPE_CHECKING:
    from dwatch.core.check import BaseCheck
    from dwatch.core.status import Status


def list_checks(selection: Selection | None = None) -> ListReport:
    """Return the selected checks with schedule, last run, state and counts.

    Reads only. Raises UnknownCheckError and ConfigurationError.
    """
    selection = selection or Selection()
    with database_errors_in_words():
        classes = selecting.select(selection)
        now = datetime.now(UTC)
        known = states.read_states(classes)
        chosen = _chosen(known, None if selection == Selection() else classes)
        results = Result.objects.using(database())
        counts = results.counts_by_check(chosen)
        found = _Found(counts, results.unconfirmed_by_check(), _last_runs(chosen))
        listings = tuple(_listing(cls, known.get(cls.slug), found, now) for cls in classes)
        return ListReport(
            listings,
            selecting.module_failures(),
            () if selection != Selection() else _removed(known, counts),
            now,
        )


def listing_of(check_class: type[BaseCheck]) -> CheckListing:
    """Return one check as ``list`` shows it."""
    return list_checks(Selection(slugs=(check_class.slug,))).checks[0]


class _Found(NamedTuple):
    """What runs have found, each by the pk of the check's state."""

    counts: dict[int, dict[Status, int]]
    unconfirmed: dict[int, int]
    last_runs: dict[int, Run]


def _listing(
    check_class: type[BaseCheck], state: CheckState | None, found: _Found, now: datetime
) -> CheckListing:
    schedule = parse_schedule(check_class)
    zone = timezone.get_default_timezone()
    planned = plan(schedule, state.handled_slot if state else None, now, zone)
    last = found.last_runs.get(state.pk) if state else None
    running = state is not None and bool(state.lease_token) and not _expired(state, now)
    stored, unstored = _counts(check_class, state, found.counts)
    return CheckListing(
        slug=check_class.slug,
        title=checkruns.title_of(check_class),
        schedule=schedule.describe() if schedule else "",
        expression=schedule.expression if schedule else "",
        zone=str(schedule.zone or zone) if schedule else "",
        state=planned.state,
        last_run_at=state.last_run_at if state else None,
        last_run_state=last.state if last else "",
        last_duration=_duration(last),
        last_errors=last.errors if last else 0,
        next_slot=planned.next_slot,
        counts=stored + unstored,
        tags=tuple(check_class.tags),
        owner=check_class.owner,
        runbook=check_class.runbook,
        running_since=state.lease_since if state and running else None,
        running_by=state.lease_owner if state and running else "",
        clock_stepped_back=planned.clock_stepped_back,
        unconfirmed=found.unconfirmed.get(state.pk, 0) if state else 0,
        unstored=unstored,
    )


def _counts(
    check_class: type[BaseCheck], state: CheckState | None, counts: dict[int, dict[Status, int]]
) -> tuple[StatusCounts, StatusCounts]:
    """Return how many results there are, and how many payloads are without one."""
    if state is None:
        return StatusCounts(), StatusCounts()
    stored = StatusCounts.of(counts.get(state.pk, {}))
    # The check may have been of another kind when these were counted.
    return stored, StatusCounts.of(state.unstored if check_class.only_problems else {})


def _chosen(known: dict[str, CheckState], classes: list[type[BaseCheck]] | None) -> tuple[int, ...]:
    """Return the keys of the states of these checks, of all with None (removed ones, too)."""
    slugs = known if classes is None else (cls.slug for cls in classes)
    return tuple(known[slug].pk for slug in slugs if slug in known)


def _last_runs(chosen: tuple[int, ...]) -> dict[int, Run]:
    """Return each check's latest run (not a refresh of single results), by its state's pk."""
    runs = Run.objects.using(database())
    of_check = runs.filter(check_state=OuterRef("pk")).exclude(reason=Run.Reason.REFRESH)
    # One look into an index for each check: there may be years of runs.
    latest = Subquery(of_check.order_by("-pk").values("pk")[:1])
    rows = CheckState.objects.using(database()).filter(pk__in=chosen)
    keys = list(rows.values_list(latest, flat=True))
    return {run.check_state_id: run for run in runs.filter(pk__in=keys)}


def _removed(
    known: dict[str, CheckState], counts: dict[int, dict[Status, int]]
) -> tuple[tuple[str, int], ...]:
    present = {cls.slug for cls in selecting.select(Selection())}
    aliases = {alias for cls in selecting.select(Selection()) for alias in cls.aliases}
    return tuple(
        (slug, sum(counts[state.pk].values()))
        for slug, state in sorted(known.items())
        if slug not in present | aliases and state.pk in counts
    )


def _expired(state: CheckState, now: datetime) -> bool:
    return state.lease_expires is None or state.lease_expires <= now


def _duration(run: Run | None) -> float | None:
    if run is None or run.finished_at is None:
        return None
    return (run.finished_at - run.started_at).total_seconds()
