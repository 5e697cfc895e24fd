"""Shows the stored results of a check, or everything known of one."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from dwatch.core.guard import Failure, attempt
from dwatch.core.identifier import storage_key
from dwatch.core.registry import registry
from dwatch.core.status import Status
from dwatch.exceptions import UnknownResultError, UsageError
from dwatch.models import (
    Acknowledgement,
    Result,
    ResultConfig,
    StatusChange,
    Unconfirmed,
)
from dwatch.services import selecting
from dwatch.services.boundary import database_errors_in_words
from dwatch.services.listing import listing_of
from dwatch.services.reports import (
    ResultReport,
    ResultRow,
    ResultsReport,
    TimelineEntry,
    UnconfirmedStatus,
)
from dwatch.store import states
from dwatch.store.transactions import database

if TYPE_CHECKING:
    from collections.abc import Iterable

    from dwatch.core.check import BaseCheck
    from dwatch.querysets import ResultQuerySet

MAX_TIMELINE = 100
_MOST_ROWS = 2**31
"""Beyond what anybody reads; databases refuse larger numbers than they can hold."""


def show_results(
    slug: str,
    *,
    status: Status | None = None,
    include_vanished: bool = False,
    unconfirmed: bool = False,
    limit: int = 50,
) -> ResultsReport:
    """Return a check's results, worst first, at most ``limit`` of them.

    With ``unconfirmed`` only those that are worse than shown, as far as a few runs
    can tell. Raises UsageError for a limit below 1, UnknownCheckError and ConfigurationError.
    """
    if limit < 1:
        raise UsageError(f"a limit of {limit} shows nothing", "Choose a number from 1.")
    check_class = selecting.get_check_class(slug)
    with database_errors_in_words():
        now = datetime.now(UTC)
        listing = listing_of(check_class)
        results = _results_of(check_class.slug)
        if unconfirmed:
            results = results.unconfirmed()
        statuses = Status.by_severity() if status is None else [status]
        most = min(limit, _MOST_ROWS)
        shown = results.defer("traceback").worst(most, statuses)
        if unconfirmed:
            matching = results.filter(status__in=statuses).count()
        else:
            counts, unstored = listing.counts, listing.unstored
            matching = sum(getattr(counts, s.name) - getattr(unstored, s.name) for s in statuses)
        if include_vanished:
            vanished = results.latest_vanished().filter(status__in=statuses)
            shown += vanished.defer("traceback")[: most - len(shown)]
            matching += vanished.count()
        acknowledged = _open_acknowledgements(shown, now)
        waiting = _unconfirmed(check_class, shown)
        rows = tuple(
            _row(result, acknowledged.get(result.pk), waiting.get(result.pk)) for result in shown
        )
        return ResultsReport(listing, rows, matching, now)


def show_result(slug: str, identifier: str) -> ResultReport:
    """Return everything known of one result, vanished or not.

    Raises UnknownCheckError, UnknownResultError and ConfigurationError.
    """
    check_class = selecting.get_check_class(slug)
    with database_errors_in_words():
        now = datetime.now(UTC)
        result = find_result(slug, identifier)
        acknowledged = _open_acknowledgements([result], now).get(result.pk)
        return ResultReport(
            check=listing_of(check_class),
            result=_row(result, acknowledged, _unconfirmed(check_class, [result]).get(result.pk)),
            formatted_data=_formatted(check_class, result),
            traceback=result.traceback,
            config=_config(result),
            tags=tuple(result.tags.order_by("tag").values_list("tag", flat=True)),
            users=tuple(sorted(str(user) for user in result.assigned_users.all())),
            groups=tuple(sorted(str(group) for group in result.assigned_groups.all())),
            timeline=_timeline(result),
            now=now,
        )


def _results_of(slug: str) -> ResultQuerySet:
    """Return a check's results; by its state's key, which databases plan better than a join."""
    state = states.read_states([registry.get(slug)] if slug in registry else []).get(slug)
    return Result.objects.using(database()).filter(check_state=state.pk if state else None)


def find_result(slug: str, identifier: str) -> Result:
    """Return one result; raises UnknownResultError."""
    results = _results_of(slug).select_related("check_state")
    result = results.filter(identifier=storage_key(identifier)).first()
    if result is None:
        raise UnknownResultError(
            f"{slug} has no result for {identifier!r}", f"`dwatch show {slug}` lists what it has."
        )
    return result


def _row(
    result: Result,
    acknowledgement: Acknowledgement | None,
    unconfirmed: UnconfirmedStatus | None,
) -> ResultRow:
    return ResultRow(
        identifier=result.full_identifier,
        status=Status(result.status),
        since=result.since,
        description=result.description,
        error=result.error,
        data=result.data,
        evaluated_at=result.evaluated_at,
        vanished_at=result.vanished_at,
        acknowledged_until=acknowledgement.until if acknowledgement else None,
        acknowledged_by=acknowledgement.user_name if acknowledgement else "",
        acknowledged_reason=acknowledgement.reason if acknowledgement else "",
        unconfirmed=unconfirmed,
    )


def _open_acknowledgements(results: Iterable[Result], now: datetime) -> dict[int, Acknowledgement]:
    rows = Acknowledgement.objects.using(database()).filter(
        result__in=[result.pk for result in results], ended_at__isnull=True, until__gt=now
    )
    return {row.result_id: row for row in rows}


def _unconfirmed(
    check_class: type[BaseCheck], results: Iterable[Result]
) -> dict[int, UnconfirmedStatus]:
    judged = {result.pk: result.evaluated_at for result in results if result.vanished_at is None}
    rows = Unconfirmed.objects.using(database()).filter(pk__in=list(judged))
    return {
        row.pk: UnconfirmedStatus(
            Status(row.status),
            row.runs,
            check_class.confirm_after,
            row.since,
            row.description,
            row.data,
        )
        for row in rows
        if row.evaluated_at == judged[row.pk]
    }


def _formatted(check_class: type[BaseCheck], result: Result) -> str:
    text = attempt(lambda: str(check_class().format_result_data(result) or ""))
    if isinstance(text, Failure):
        return f"format_result_data() raised {text.error}"
    return text


def _config(result: Result) -> dict[str, Any] | None:
    rows = ResultConfig.objects.using(database()).filter(result=result)
    config: dict[str, Any] | None = rows.values_list("config", flat=True).first()
    return config


def _timeline(result: Result) -> tuple[TimelineEntry, ...]:
    changes = StatusChange.objects.using(database()).filter(result=result).order_by("-pk")
    entries = [
        TimelineEntry(
            change.changed_at,
            "status",
            None if change.from_status is None else Status(change.from_status),
            Status(change.to_status),
            str(change.get_reason_display()),
        )
        for change in changes[:MAX_TIMELINE]
    ]
    for acknowledgement in result.acknowledgements.order_by("-pk")[:MAX_TIMELINE]:
        entries += _acknowledgement_entries(acknowledgement)
    return tuple(sorted(entries, key=lambda entry: entry.at, reverse=True))[:MAX_TIMELINE]


def _acknowledgement_entries(acknowledgement: Acknowledgement) -> list[TimelineEntry]:
    status = Status(acknowledgement.status)
    text = f"by {acknowledgement.user_name or 'somebody'} until {acknowledgement.until:%Y-%m-%d}"
    if acknowledgement.reason:
        text += f": {acknowledgement.reason}"
    entries = [TimelineEntry(acknowledgement.created_at, "acknowledged", status, None, text)]
    if acknowledgement.ended_at is not None:
        ended = str(acknowledgement.get_ended_display()).lower()
        entries.append(
            TimelineEntry(acknowledgement.ended_at, "acknowledgement ended", status, None, ended)
        )
    return entries
