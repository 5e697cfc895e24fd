"""What a batch needs of the results' table, by plain Django: for any database."""

from __future__ import annotations

from typing import TYPE_CHECKING

from dwatch.core.identifier import storage_key
from dwatch.core.status import Status
from dwatch.core.transition import StoredResult
from dwatch.fields import EncodedJSON
from dwatch.models import Result, StatusChange
from dwatch.store.writers.stamp import Compared

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from datetime import datetime

    from django.db.backends.base.base import BaseDatabaseWrapper

    from dwatch.core.outcome import Outcome
    from dwatch.querysets import ResultQuerySet
    from dwatch.store.writers.stamp import Stamp

_STATEMENT_CHARACTERS = 4_000_000
"""MariaDB takes statements of up to 16 MB by default, and escaping makes texts longer."""
_OTHER_CHARACTERS = 2000
"""Room for a result's other columns."""
_MOST_ROWS = 5000
"""PostgreSQL and others number the values of a statement with 16 bits."""
_CONTENT = [
    "status",
    "description",
    "data",
    "error",
    "traceback",
    "digest",
    "evaluated_at",
    "last_run",
    "vanished_at",
]


class OrmWriter:
    """Reads and writes the results of one batch, within the caller's transaction.

    Outcomes come one per identifier. The writers for single databases extend
    this one and must do the same; tests/store/test_writers.py is run over all.
    """

    def __init__(self, connection: BaseDatabaseWrapper, stamp: Stamp) -> None:
        self._connection = connection
        self._stamp = stamp

    @classmethod
    def suits(cls, connection: BaseDatabaseWrapper) -> bool:  # noqa: ARG003 - for the others
        """Return whether the server and its driver can do what this writer asks."""
        return True

    def touch_unchanged(self, outcomes: list[Outcome]) -> Compared:
        """Note that what is merely seen again was seen; return the other outcomes.

        Unchanged is what is stored with the same content, visible, not judged from
        a newer copy nor by this run before. How many of those are touched here is
        the writer's choice: the caller deals with what is returned as it would
        with everything.
        """
        return Compared(outcomes, self.read(outcomes))

    def read(self, outcomes: Iterable[Outcome]) -> dict[str, StoredResult]:
        """Return the rows of these payloads by identifier, locked where the database can."""
        identifiers = {storage_key(outcome.identifier): outcome.identifier for outcome in outcomes}
        rows = self._results().filter(
            check_state=self._stamp.state_id, identifier__in=list(identifiers)
        )
        if self._connection.features.has_select_for_update:
            # In one order, so that two writers never wait for each other.
            rows = rows.order_by("identifier").select_for_update()
        columns = rows.values_list(
            "pk", "identifier", "status", "digest", "evaluated_at", "vanished_at", "last_run"
        )
        return {
            identifiers[key]: StoredResult(
                pk,
                identifiers[key],
                Status(status),
                digest,
                self._stamp.believed(evaluated_at),
                vanished_at is not None,
                run,
            )
            for pk, key, status, digest, evaluated_at, vanished_at, run in columns
        }

    def insert(self, outcomes: Sequence[Outcome]) -> None:
        """Insert new results with their first status change."""
        if not outcomes:
            return
        results = [self._result(outcome) for outcome in outcomes]
        self._results().bulk_create(results, batch_size=rows_in_a_statement(outcomes))
        self._add_changes((pk, None, outcome) for pk, outcome in self.find(outcomes))

    def find(self, outcomes: Sequence[Outcome]) -> list[tuple[int, Outcome]]:
        """Return the primary keys of the results of these outcomes."""
        if not outcomes:
            return []
        by_key = {storage_key(outcome.identifier): outcome for outcome in outcomes}
        rows = self._results().filter(check_state=self._stamp.state_id, identifier__in=list(by_key))
        return [(pk, by_key[key]) for pk, key in rows.values_list("pk", "identifier")]

    def rewrite(self, pairs: Sequence[tuple[StoredResult, Outcome]]) -> None:
        """Rewrite the results whose content changed; ``since`` only with the status."""
        moved = [pair for pair in pairs if pair[0].status != pair[1].status]
        same = [pair for pair in pairs if pair[0].status == pair[1].status]
        self._upsert(moved, [*_CONTENT, "since"])
        self._upsert(same, _CONTENT)

    def record_changes(self, changed: Iterable[tuple[StoredResult, Outcome]]) -> None:
        """Add the history of results whose status changed."""
        self._add_changes((row.pk, row.status, outcome) for row, outcome in changed)

    def touch(self, unchanged: Sequence[StoredResult], stale: Sequence[StoredResult]) -> None:
        """Note that these were seen; nothing else of them is written."""
        stamp = self._stamp
        if unchanged:
            rows = self._results().filter(pk__in=[row.pk for row in unchanged])
            rows.update(evaluated_at=stamp.loaded_at, last_run=stamp.run_id)
        if stale:
            # They were judged from a newer copy: only their being there is news.
            rows = self._results().filter(pk__in=[row.pk for row in stale])
            rows.update(last_run=stamp.run_id)

    def hide(self, vanishing: Sequence[StoredResult], now: datetime) -> None:
        """Mark results as vanished."""
        if vanishing:
            rows = self._results().filter(pk__in=[row.pk for row in vanishing])
            rows.update(vanished_at=now)

    def _results(self) -> ResultQuerySet:
        return Result.objects.using(self._connection.alias)

    def _add_changes(self, changes: Iterable[tuple[int, Status | None, Outcome]]) -> None:
        StatusChange.objects.using(self._connection.alias).bulk_create(
            (
                StatusChange(
                    result_id=pk,
                    from_status=before,
                    to_status=outcome.status,
                    changed_at=self._stamp.now,
                    reason=self._stamp.reason,
                    run=self._stamp.run_id,
                )
                for pk, before, outcome in changes
            ),
            batch_size=_MOST_ROWS,
        )

    def _upsert(
        self, pairs: Sequence[tuple[StoredResult, Outcome]], columns: Sequence[str]
    ) -> None:
        if not pairs:
            return
        targets = self._connection.features.supports_update_conflicts_with_target
        self._results().bulk_create(
            [self._result(outcome, pk=row.pk) for row, outcome in pairs],
            batch_size=rows_in_a_statement([outcome for _, outcome in pairs]),
            update_conflicts=True,
            update_fields=columns,
            unique_fields=["pk"] if targets else None,
        )

    def _result(self, outcome: Outcome, pk: int | None = None) -> Result:
        stamp = self._stamp
        key = storage_key(outcome.identifier)
        return Result(
            pk=pk,
            check_state_id=stamp.state_id,
            identifier=key,
            long_identifier="" if key == outcome.identifier else outcome.identifier,
            status=outcome.status,
            since=stamp.now,
            first_seen=stamp.now,
            description=outcome.description,
            data=EncodedJSON(outcome.data),
            error=outcome.error,
            traceback=outcome.traceback,
            digest=outcome.digest(),
            evaluated_at=stamp.loaded_at,
            last_run=stamp.run_id,
            vanished_at=None,
        )


def rows_in_a_statement(outcomes: Sequence[Outcome]) -> int:
    """Return how many of these outcomes a statement may hold at most."""
    largest = max(len(one.identifier) + len(one.data) + len(one.traceback) for one in outcomes)
    return min(_MOST_ROWS, max(1, _STATEMENT_CHARACTERS // (largest + _OTHER_CHARACTERS)))
