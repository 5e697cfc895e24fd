"""What storing a batch of outcomes means, decided without a database.

The store reads the rows as they are, locked; :func:`sort_out` says which are
new, changed, merely seen again, to be hidden, or left alone.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, NamedTuple

from dwatch.core.outcome import Disposition
from dwatch.core.status import Status

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from datetime import datetime

    from dwatch.core.outcome import Outcome


class StoredResult(NamedTuple):
    """The columns of a stored result that decide what becomes of it."""

    pk: int
    identifier: str
    status: Status
    digest: int
    evaluated_at: datetime
    """When the payload that was judged had been loaded."""
    vanished: bool
    run_id: int | None
    """The run that saw it last."""


class HeldBack(NamedTuple):
    """A worse outcome that is not shown yet (see :mod:`dwatch.core.confirm`)."""

    row: StoredResult | None
    """None for a result that is made by this batch, as ok."""
    outcome: Outcome
    runs: int
    """Judgements in a row, this one included, that were worse than what is shown."""
    since: datetime
    repeated: bool = False
    """Whether this run had counted it before, in an earlier batch."""
    is_recorded: bool = True
    """Whether it is written; not if an earlier batch had something as bad or worse."""

    @property
    def shown(self) -> Status:
        """What people see meanwhile."""
        return self.row.status if self.row else Status.ok


@dataclass(frozen=True, slots=True)
class BatchChanges:
    """A batch of outcomes, sorted by what has to be written."""

    new: list[Outcome] = field(default_factory=list)
    changed: list[tuple[StoredResult, Outcome]] = field(default_factory=list)
    """Something that is stored differs, be it only that the result had vanished."""
    unchanged: list[StoredResult] = field(default_factory=list)
    """Only the moment and the run are noted."""
    stale: list[StoredResult] = field(default_factory=list)
    """Judged from a newer copy meanwhile; only the run is noted."""
    vanishing: list[StoredResult] = field(default_factory=list)
    """Skipped or gone, and not hidden yet."""
    repeated: list[tuple[StoredResult, Outcome]] = field(default_factory=list)
    """Judged by this run before, in an earlier batch; worse ones are in ``changed`` too."""
    held: list[HeldBack] = field(default_factory=list)
    """Worse, but not confirmed; what is shown stays."""
    settled: list[StoredResult] = field(default_factory=list)
    """Nothing waits to be confirmed any more, as it did before."""

    @property
    def status_changes(self) -> list[tuple[StoredResult, Outcome]]:
        """The changed results whose status is another one now."""
        return [pair for pair in self.changed if pair[0].status != pair[1].status]


def keep_worst(outcomes: Iterable[Outcome]) -> tuple[dict[str, Outcome], int]:
    """Return the outcomes by identifier, and how many came more than once.

    Of several with one identifier the most severe counts, the first one among
    equals: the order in which rows come must not hide a problem.
    """
    by_identifier: dict[str, Outcome] = {}
    duplicates = 0
    for outcome in outcomes:
        other = by_identifier.setdefault(outcome.identifier, outcome)
        if other is not outcome:
            duplicates += 1
            if _weight(outcome) > _weight(other):
                by_identifier[outcome.identifier] = outcome
    return by_identifier, duplicates


def sort_out(
    outcomes: Iterable[Outcome],
    stored: Mapping[str, StoredResult],
    *,
    loaded_at: datetime,
    run_id: int | None,
) -> BatchChanges:
    """Sort outcomes (one per identifier, see :func:`keep_worst`) against what is stored."""
    changes = BatchChanges()
    for outcome in outcomes:
        row = stored.get(outcome.identifier)
        if outcome.disposition is not Disposition.judged:
            if row is not None and _is_hidden_by(outcome, row, loaded_at, run_id):
                changes.vanishing.append(row)
        elif row is None:
            changes.new.append(outcome)
        elif row.evaluated_at > loaded_at:
            changes.stale.append(row)
        elif run_id is not None and row.run_id == run_id and not row.vanished:
            changes.repeated.append((row, outcome))
            if outcome.status.severity > row.status.severity:
                changes.changed.append((row, outcome))
        elif row.vanished or row.digest != outcome.digest():
            changes.changed.append((row, outcome))
        else:
            changes.unchanged.append(row)
    return changes


def less_severe(status: Status) -> list[Status]:
    """Return the problems that are less severe: acknowledging one of them does not cover this."""
    return [other for other in Status if other.is_problem and other.severity < status.severity]


def _weight(outcome: Outcome) -> int:
    return outcome.status.severity if outcome.disposition is Disposition.judged else -1


def _is_hidden_by(
    outcome: Outcome, row: StoredResult, loaded_at: datetime, run_id: int | None
) -> bool:
    if row.vanished or row.evaluated_at > loaded_at:
        return False
    # Skipped under an identifier that this run judged: as in keep_worst, the verdict counts.
    judged_by_this_run = run_id is not None and row.run_id == run_id
    return outcome.disposition is Disposition.gone or not judged_by_this_run
