"""Deletes what belongs to removed checks, and what is older than it needs to be."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING

from dwatch import discovery
from dwatch.core.registry import registry
from dwatch.exceptions import ConfigurationError
from dwatch.models import Result
from dwatch.services.boundary import database_errors_in_words
from dwatch.services.reports import CleanupReport
from dwatch.store import retention
from dwatch.store.transactions import database

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from datetime import timedelta
    from typing import Any

    from django.db.models import QuerySet

    from dwatch.services.requests import CleanupRequest


def clean_up(request: CleanupRequest) -> CleanupReport:
    """Delete, or with ``dry_run`` count, what the request names.

    Refuses (ConfigurationError) while a checks module cannot be imported or no
    check is registered: the checks would look removed.
    """
    _refuse_if_incomplete()
    slugs = {slug for cls in registry for slug in (cls.slug, *cls.aliases)}
    with database_errors_in_words():
        removed = _removed_checks(slugs, dry_run=request.dry_run)
        # Vanished results first: their status changes go with them.
        outdated = _outdated(request, slugs)
        vanished, changes, runs = (_delete(rows, dry_run=request.dry_run) for rows in outdated)
        return CleanupReport(request.dry_run, removed, vanished, changes, runs)


def _refuse_if_incomplete() -> None:
    if failures := discovery.failed_modules():
        first = failures[0]
        raise ConfigurationError(
            f"{first.module} cannot be imported ({first.error}), so its checks look removed",
            "Mend that module first; nothing was deleted.",
        )
    if not len(registry):
        raise ConfigurationError(
            "no check is registered, so all checks look removed",
            "Are INSTALLED_APPS and DWATCH_CHECKS_MODULE right? Nothing was deleted.",
        )


def _removed_checks(slugs: set[str], *, dry_run: bool) -> tuple[tuple[str, int], ...]:
    removed = []
    for state in retention.removed_states(slugs).order_by("slug"):
        results = Result.objects.using(database()).filter(check_state=state)
        removed.append((state.slug, results.count()))
        if not dry_run:
            retention.delete(results)
            retention.delete(retention.removed_states(slugs).filter(pk=state.pk))
    return tuple(removed)


def _outdated(request: CleanupRequest, slugs: set[str]) -> Iterator[QuerySet[Any]]:
    """Yield the vanished results, status changes and runs of these checks that are too old."""
    now = datetime.now(UTC)

    def older(rows_before: Callable[[datetime], QuerySet[Any]], age: timedelta | None) -> Any:
        return rows_before(now).none() if age is None else rows_before(now - age)

    vanished = older(retention.vanished_results, request.vanished_for)
    vanished = vanished.filter(check_state__slug__in=slugs)
    yield vanished
    changes = older(retention.old_status_changes, request.history_older_than)
    yield changes.filter(result__check_state__slug__in=slugs).exclude(result__in=vanished)
    runs = older(retention.old_runs, request.runs_older_than)
    yield runs.filter(check_state__slug__in=slugs)


def _delete(rows: QuerySet[Any], *, dry_run: bool) -> int:
    return rows.count() if dry_run else retention.delete(rows)
