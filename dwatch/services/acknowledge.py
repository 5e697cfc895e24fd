"""Acknowledges problems: "we know, and look at it until then"."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

from dwatch.core.guard import Failure, attempt
from dwatch.core.registry import registry
from dwatch.core.status import Status
from dwatch.exceptions import AcknowledgeError, AlreadyAcknowledgedError
from dwatch.models import Acknowledgement
from dwatch.services.boundary import database_errors_in_words
from dwatch.services.show import find_result
from dwatch.store import acknowledgements

if TYPE_CHECKING:
    from collections.abc import Callable

    from dwatch.models import Result

_MOST_DAYS = 36_500


def acknowledge(
    slug: str, identifier: str, *, user: Any, days: int, reason: str = ""
) -> Acknowledgement:
    """Acknowledge a result that is a problem, for a number of days from now.

    Raises AcknowledgeError for a result that is fine or vanished and for days
    below 1 or above the check's ``max_acknowledge``; AlreadyAcknowledgedError
    if it is acknowledged for longer already; UnknownResultError.
    """
    with database_errors_in_words():
        now = datetime.now(UTC)
        result = find_result(slug, identifier)
        _refuse_days(slug, days)
        until = now + timedelta(days=days)
        return acknowledgements.replace_acknowledgement(
            result.pk, _decision(user, reason, now, until), now
        )


def withdraw(slug: str, identifier: str) -> bool:
    """End a result's acknowledgement; return whether there was one."""
    with database_errors_in_words():
        result = find_result(slug, identifier)
        return acknowledgements.withdraw_acknowledgement(result.pk, datetime.now(UTC))


def _refuse_days(slug: str, days: int) -> None:
    most = _MOST_DAYS
    if slug in registry:
        limit = attempt(lambda: registry.get(slug)().get_max_acknowledge())
        if isinstance(limit, Failure):
            raise AcknowledgeError(
                f"get_max_acknowledge() of {slug} raised {limit.error}", "Mend the check."
            )
        most = min(most, limit or most)
    if not 1 <= days <= most:
        raise AcknowledgeError(
            f"{slug} cannot be acknowledged for {days} days", f"Choose 1 to {most} days."
        )


def _decision(
    user: Any, reason: str, now: datetime, until: datetime
) -> Callable[[Result, Acknowledgement | None], Acknowledgement]:
    def decide(result: Result, current: Acknowledgement | None) -> Acknowledgement:
        status = Status(result.status)
        if not status.is_problem or result.vanished_at is not None:
            state = "has vanished" if result.vanished_at is not None else f"is {status.name}"
            raise AcknowledgeError(
                f"the result for {result.full_identifier!r} {state}",
                "Only problems can be acknowledged.",
            )
        if current is not None and current.until > until:
            raise AlreadyAcknowledgedError(
                f"{result.full_identifier!r} is acknowledged until {current.until:%Y-%m-%d %H:%M}"
                " already",
                "Withdraw that first, or choose a later date.",
            )
        return Acknowledgement(
            result=result,
            user=user,
            user_name=str(user)[:254] if user else "",
            status=status,
            reason=reason,
            created_at=now,
            until=until,
        )

    return decide
