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
    from datetime import timedelta
    from typing import Any

    from django.db.models import QuerySet

    from dwatch.services.requests import CleanupRequest


def clean_up(request: CleanupRequest) -> CleanupReport:
    """Delete, or with ``dry_run`` count, what the request names.

    Refuses (ConfigurationError) while a checks module cannot be imported: its
    checks would look removed.
    """
    _refuse_if_incomplete()
    with database_errors_in_words():
        # Vanished results first, so that no status change of theirs is counted.
        removed = _removed_checks(dry_run=request.dry_run)
        vanished = _delete(request, request.vanished_for, retention.vanished_results)
        changes = _delete(request, request.history_older_than, retention.old_status_changes)
        runs = _delete(request, request.runs_older_than, retention.old_runs)
        return CleanupReport(request.dry_run, removed, vanished, changes, runs)


def _refuse_if_incomplete() -> None:
    if failures := discovery.failed_modules():
        first = failures[0]
        raise ConfigurationError(
            f"{first.module} cannot be imported ({first.error}), so its checks look removed",
            "Mend that module first; nothing was deleted.",
        )


def _removed_checks(*, dry_run: bool) -> tuple[tuple[str, int], ...]:
    kept = {slug for cls in registry for slug in (cls.slug, *cls.aliases)}
    removed = []
    for state in retention.removed_states(kept).order_by("slug"):
        results = Result.objects.using(database()).filter(check_state=state)
        removed.append((state.slug, results.count()))
        if not dry_run:
            retention.delete(results)
            retention.delete(retention.removed_states(kept).filter(pk=state.pk))
    return tuple(removed)


def _delete(request: CleanupRequest, age: timedelta | None, rows_before: Any) -> int:
    if age is None:
        return 0
    rows: QuerySet[Any] = rows_before(datetime.now(UTC) - age)
    return rows.count() if request.dry_run else retention.delete(rows)
