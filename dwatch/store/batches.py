"""Stores a batch of outcomes: result, history and acknowledgement move together."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from django.core.exceptions import ValidationError
from django.db import DataError, OperationalError

from dwatch.core.identifier import printable
from dwatch.core.outcome import Disposition, Outcome
from dwatch.core.status import Status
from dwatch.core.transition import keep_worst, sort_out
from dwatch.store import acknowledgements, assignments, unconfirmed
from dwatch.store.states import write_fenced
from dwatch.store.transactions import is_enclosed
from dwatch.store.writers import writer_for
from dwatch.store.writers.stamp import Compared, Stamp

if TYPE_CHECKING:
    from dwatch.core.outcome import OutcomeBatch
    from dwatch.core.transition import BatchChanges
    from dwatch.store.states import Lease
    from dwatch.store.writers.orm import OrmWriter

_MYSQL_UNKNOWN_CHARACTER = 1366


@dataclass(frozen=True, slots=True)
class Ticket:
    """On whose behalf outcomes are stored."""

    lease: Lease
    run_id: int
    reason: str
    assigns: bool
    """Whether results may have assignees, or get some; if not, nothing is looked up."""
    confirm_after: int = 1
    """Judgements in a row it takes until a worse status is shown."""
    absent_is_ok: bool = False
    """Whether a payload without a result is known to have been ok until now.

    For checks that store no ok results, once a run of theirs was complete.
    """
    finds_nothing: bool = False
    """Whether the check has no result yet, so that there is nothing to compare with."""


@dataclass(frozen=True, slots=True)
class BatchWritten:
    """What storing a batch did, in numbers."""

    counts: Counter[Status] = field(default_factory=Counter)
    errors: int = 0
    skipped: int = 0
    gone: int = 0
    duplicates: int = 0
    status_changes: int = 0
    unconfirmed: int = 0
    held: dict[str, Status] = field(default_factory=dict)
    """What is shown, by identifier, where a worse verdict is held back."""
    refused: dict[str, Outcome] = field(default_factory=dict)
    """What is stored, by identifier, instead of what the database refuses."""

    def __add__(self, other: BatchWritten) -> BatchWritten:
        return BatchWritten(
            Counter({s: self.counts[s] + other.counts[s] for s in Status}),
            self.errors + other.errors,
            self.skipped + other.skipped,
            self.gone + other.gone,
            self.duplicates + other.duplicates,
            self.status_changes + other.status_changes,
            self.unconfirmed + other.unconfirmed,
            {**self.held, **other.held},
            {**self.refused, **other.refused},
        )


def write_batch(ticket: Ticket, batch: OutcomeBatch) -> BatchWritten:
    """Store the outcomes in one transaction and a bounded number of queries.

    Raises LeaseLostError, with nothing written, if the lease is not ours any
    more. A row that the database refuses is found by halving the batch, and
    stored as unknown with the reason.
    """
    if not batch.outcomes:  # interrupted at its first payload
        return BatchWritten()
    outcomes, duplicates = keep_worst(batch.outcomes)
    written = _write_or_halve(ticket, list(outcomes.values()), batch.loaded_at)
    return written + BatchWritten(duplicates=duplicates)


def _write_or_halve(ticket: Ticket, outcomes: list[Outcome], loaded_at: datetime) -> BatchWritten:
    try:
        return _write(ticket, outcomes, loaded_at)
    except (DataError, OperationalError, ValueError, OverflowError, ValidationError) as error:
        if not _is_refusal(error):
            raise
        if len(outcomes) == 1:
            refused = _refused(outcomes[0], error)
            written = _write(ticket, [refused], loaded_at)
            return written + BatchWritten(refused={refused.identifier: refused})
    middle = len(outcomes) // 2
    first = _write_or_halve(ticket, outcomes[:middle], loaded_at)
    return first + _write_or_halve(ticket, outcomes[middle:], loaded_at)


def _is_refusal(error: Exception) -> bool:
    """Return whether the database refuses what a row holds, and not to work at all."""
    if isinstance(error, OperationalError):
        return error.args[:1] == (_MYSQL_UNKNOWN_CHARACTER,)
    return True


def _refused(outcome: Outcome, error: Exception) -> Outcome:
    reason = " ".join(str(error).split())
    return Outcome(
        outcome.identifier,
        # A problem that cannot be stored as it is must not look better than it is.
        Status.worst((outcome.status, Status.unknown)) or Status.unknown,
        error=printable(f"the database refuses this result: {reason}")[:500],
    )


def _write(ticket: Ticket, outcomes: list[Outcome], loaded_at: datetime) -> BatchWritten:
    # Within a transaction of the caller's a row that is there after all would spoil it.
    may_insert_blindly = ticket.finds_nothing and not is_enclosed()

    def work() -> BatchWritten:
        nonlocal may_insert_blindly
        blindly, may_insert_blindly = may_insert_blindly, False  # a second try looks
        return _store(ticket, outcomes, loaded_at, blindly=blindly)

    return write_fenced(ticket.lease, work)


def _store(
    ticket: Ticket, outcomes: list[Outcome], loaded_at: datetime, *, blindly: bool
) -> BatchWritten:
    now = datetime.now(UTC)
    stamp = Stamp(ticket.lease.state_id, ticket.run_id, ticket.reason, now=now, loaded_at=loaded_at)
    writer = writer_for(stamp)
    left = Compared(outcomes, {}) if blindly else _compare(ticket, outcomes, writer)
    changes = sort_out(left.outcomes, left.stored, loaded_at=loaded_at, run_id=ticket.run_id)
    if ticket.confirm_after > 1:
        changes = unconfirmed.hold_back(
            changes, ticket.confirm_after, now, absent_is_ok=ticket.absent_is_ok
        )
    status_changes = changes.status_changes
    writer.insert(changes.new)
    writer.rewrite(changes.changed)
    writer.record_changes(status_changes)
    writer.touch(changes.unchanged, changes.stale)
    writer.hide(changes.vanishing, now)
    unconfirmed.record(changes, stamp, writer)
    acknowledgements.end_overtaken(status_changes, now)
    if ticket.assigns:
        pairs = [
            *writer.find([one for one in changes.new if one.users or one.groups]),
            *((row.pk, outcome) for row, outcome in changes.changed),
        ]
        assignments.assign(pairs)
    return _tally(outcomes, changes, ticket.run_id)


def _compare(ticket: Ticket, outcomes: list[Outcome], writer: OrmWriter) -> Compared:
    if ticket.confirm_after > 1:
        # What is unchanged may still end a wait, so its row must be known.
        return Compared(outcomes, writer.read(outcomes))
    return writer.touch_unchanged(outcomes)


def _tally(outcomes: list[Outcome], changes: BatchChanges, run_id: int) -> BatchWritten:
    ok, judged = Status.ok, Disposition.judged
    others = [one for one in outcomes if one[1] is not ok or one[4] or one[-1] is not judged]
    counts: Counter[Status] = Counter({ok: len(outcomes) - len(others)})
    dispositions: Counter[Disposition] = Counter()
    errors = 0
    for outcome in others:
        dispositions[outcome.disposition] += 1
        if outcome.disposition is Disposition.judged:
            counts[outcome.status] += 1
            errors += bool(outcome.error)
    for row, outcome in changes.repeated:
        # It was counted by an earlier batch already; the worse of the two counts.
        counts[min(row.status, outcome.status, key=lambda status: status.severity)] -= 1
    for held in changes.held:
        counts[held.outcome.status] -= 1
        counts[held.shown] += 1
    return BatchWritten(
        counts,
        errors,
        dispositions[Disposition.skipped],
        dispositions[Disposition.gone],
        len(changes.repeated),
        len(changes.new) + len(changes.status_changes),
        sum(not held.repeated for held in changes.held)
        # An earlier batch of this run had counted these.
        - sum(row.run_id == run_id for row in changes.settled),
        {held.outcome.identifier: held.shown for held in changes.held},
    )
