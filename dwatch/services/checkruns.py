"""What is reported of a check that was not executed, and of every check alike."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING

from django.utils import timezone

from dwatch.core.definition import parse_schedule
from dwatch.core.guard import Failure, attempt
from dwatch.services.reports import CheckRun, RunState

if TYPE_CHECKING:
    from dwatch.core.check import BaseCheck
    from dwatch.core.plan import Plan
    from dwatch.exceptions import DwatchError
    from dwatch.models import CheckState


def title_of(check_class: type[BaseCheck]) -> str:
    """Return the check's name for people; its class's name without one."""
    title = attempt(lambda: str(check_class().get_title()))
    return check_class.__name__ if isinstance(title, Failure) or not title else title


def next_slot_of(check_class: type[BaseCheck]) -> datetime | None:
    """Return when the check is due next, None for one without a schedule."""
    schedule = parse_schedule(check_class)
    if schedule is None:
        return None
    return schedule.next_slot(datetime.now(UTC), timezone.get_default_timezone())


def not_run(check_class: type[BaseCheck], state: RunState, plan: Plan | None = None) -> CheckRun:
    """Return the report of a check that was not executed."""
    next_slot = plan.next_slot if plan else next_slot_of(check_class)
    return CheckRun(check_class.slug, title_of(check_class), state, next_slot=next_slot)


def held(check_class: type[BaseCheck], state: CheckState) -> CheckRun:
    """Return the report of a check that another run is executing."""
    return CheckRun(
        check_class.slug,
        title_of(check_class),
        RunState.held,
        held_by=state.lease_owner,
        held_since=state.lease_since,
    )


def failed(check_class: type[BaseCheck], error: DwatchError) -> CheckRun:
    """Return the report of a check whose run could not begin, or not be brought to its end."""
    return CheckRun(
        check_class.slug,
        title_of(check_class),
        RunState.failed,
        errors=1,
        error=f"{error.message}. {error.hint}",
    )
