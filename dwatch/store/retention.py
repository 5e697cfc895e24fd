"""Deletes what nobody needs any more, in bounded steps."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any

from dwatch.models import CheckState, Result, Run, StatusChange
from dwatch.store.transactions import database, write

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import datetime

    from django.db.models import QuerySet

_STEP = 5000


def removed_states(slugs: Iterable[str]) -> QuerySet[CheckState]:
    """Return the rows of checks other than these."""
    return CheckState.objects.using(database()).exclude(slug__in=list(slugs))


def vanished_results(before: datetime) -> QuerySet[Result]:
    """Return results that vanished before then."""
    return Result.objects.using(database()).filter(vanished_at__lt=before)


def old_status_changes(before: datetime) -> QuerySet[StatusChange]:
    """Return status changes made before then."""
    return StatusChange.objects.using(database()).filter(changed_at__lt=before)


def old_runs(before: datetime) -> QuerySet[Run]:
    """Return runs that started before then and are over."""
    runs = Run.objects.using(database()).filter(started_at__lt=before)
    return runs.exclude(state=Run.State.RUNNING)


def delete(rows: QuerySet[Any]) -> int:
    """Delete the rows, and all that hangs on them, in short transactions; return how many."""
    deleted, last = 0, 0
    found = rows.order_by("pk").values_list("pk", flat=True)
    # Each step begins where the last one ended: the rows that stay are read once only.
    while keys := list(found.filter(pk__gt=last)[:_STEP]):
        deleted += write(partial(_delete_what_is_still_among, rows, keys))
        last = keys[-1]
    return deleted


def _delete_what_is_still_among(rows: QuerySet[Any], keys: list[int]) -> int:
    """Delete those of the keys that belong to the rows still: a run may have brought one back."""
    of_model = rows.model._default_manager.using(database())
    locked = of_model.filter(pk__in=keys).order_by("pk").select_for_update()
    list(locked.values_list("pk", flat=True))
    # Asked once they are locked, so that the answer stays true.
    still = list(rows.order_by().filter(pk__in=keys).values_list("pk", flat=True))
    of_model.filter(pk__in=still).delete()
    return len(still)
