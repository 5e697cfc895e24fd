"""Worse statuses that are not shown yet: read, recorded and forgotten in bulk."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.db import connections

from dwatch.core import confirm
from dwatch.core.confirm import Confirmation, StoredUnconfirmed
from dwatch.core.status import Status
from dwatch.fields import EncodedJSON
from dwatch.models import Result, Unconfirmed
from dwatch.store.transactions import database
from dwatch.store.writers.orm import rows_in_a_statement

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from datetime import datetime

    from dwatch.core.outcome import Outcome
    from dwatch.core.transition import BatchChanges, HeldBack, StoredResult
    from dwatch.store.writers.orm import OrmWriter
    from dwatch.store.writers.stamp import Stamp

_CONTENT = ["status", "runs", "since", "description", "data", "evaluated_at"]


def hold_back(
    changes: BatchChanges, after: int, now: datetime, *, absent_is_ok: bool
) -> BatchChanges:
    """Return the changes, those that have to be confirmed first held back; one or two queries.

    Belongs into the transaction that has locked the results.
    """
    judged = [*(row for row, _ in changes.changed), *changes.unchanged, *changes.vanishing]
    return confirm.hold_back(
        changes,
        Confirmation(after, now, _stored(judged), _raised(changes.changed), absent_is_ok),
    )


def record(changes: BatchChanges, stamp: Stamp, writer: OrmWriter) -> None:
    """Store what is held back, and forget what is settled; no query if there is neither."""
    if changes.settled:
        settled = [row.pk for row in changes.settled]
        Unconfirmed.objects.using(database()).filter(pk__in=settled).delete()
    if held := [one for one in changes.held if one.is_recorded]:
        targets = connections[database()].features.supports_update_conflicts_with_target
        Unconfirmed.objects.using(database()).bulk_create(
            _rows(held, stamp, writer),
            batch_size=rows_in_a_statement([one.outcome for one in held]),
            update_conflicts=True,
            update_fields=_CONTENT,
            unique_fields=["result"] if targets else None,
        )


def forget_vanished(state_id: int, vanished_at: datetime) -> None:
    """Forget what waited beside results that vanished at that moment."""
    vanished = Result.objects.using(database()).filter(
        check_state=state_id, vanished_at=vanished_at
    )
    Unconfirmed.objects.using(database()).filter(result__in=vanished).delete()


def _stored(judged: Iterable[StoredResult]) -> dict[int, StoredUnconfirmed]:
    waiting = Unconfirmed.objects.using(database()).filter(pk__in=[row.pk for row in judged])
    columns = waiting.values_list("pk", "status", "runs", "since", "evaluated_at")
    return {
        pk: StoredUnconfirmed(Status(status), runs, since, evaluated_at)
        for pk, status, runs, since, evaluated_at in columns
    }


def _raised(changed: Iterable[tuple[StoredResult, Outcome]]) -> frozenset[int]:
    """Return which of the results that would wait show an error."""
    waiting = [row.pk for row, new in changed if confirm.is_held_back_unless_raised(row, new)]
    if not waiting:
        return frozenset()
    raised = Result.objects.using(database()).filter(pk__in=waiting).exclude(error="")
    return frozenset(raised.values_list("pk", flat=True))


def _rows(held: list[HeldBack], stamp: Stamp, writer: OrmWriter) -> Iterator[Unconfirmed]:
    new = [one.outcome for one in held if one.row is None]
    keys = {outcome.identifier: pk for pk, outcome in writer.find(new)}
    for one in held:
        yield Unconfirmed(
            pk=one.row.pk if one.row else keys[one.outcome.identifier],
            status=one.outcome.status,
            runs=one.runs,
            since=one.since,
            description=one.outcome.description,
            data=EncodedJSON(one.outcome.data),
            # The result itself is not touched a second time by one run.
            evaluated_at=one.row.evaluated_at if one.row and one.repeated else stamp.loaded_at,
        )
