"""Holds a worse status back until enough runs in a row agree (``confirm_after``).

Works on what :func:`dwatch.core.transition.sort_out` decided, and only for
checks that ask for it. What is shown stays as it is meanwhile, except where
nothing better is known to be true: a new result, one that had vanished, one
that shows an error, and any outcome with an error is shown at once.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, NamedTuple

from dwatch.core.outcome import Outcome
from dwatch.core.status import Status
from dwatch.core.transition import HeldBack

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Mapping
    from datetime import datetime

    from dwatch.core.transition import BatchChanges, StoredResult


class StoredUnconfirmed(NamedTuple):
    """A worse status that is stored beside a result, not shown yet."""

    status: Status
    runs: int
    """Judgements in a row that were worse than what is shown."""
    since: datetime
    evaluated_at: datetime
    """As the result's if its latest judgement was the latest of these, too."""


@dataclass(frozen=True, slots=True)
class Confirmation:
    """What has to be known, besides the rows, to hold anything back."""

    after: int
    """Judgements in a row it takes to show a worse status."""
    now: datetime
    unconfirmed: Mapping[int, StoredUnconfirmed]
    """By the result's primary key."""
    raised: Collection[int] = ()
    """Primary keys of results that show an error."""
    absent_is_ok: bool = False
    """Whether a payload without a result is known to have been ok until now."""


def hold_back(changes: BatchChanges, confirmation: Confirmation) -> BatchChanges:
    """Return the changes without those that have to wait, which are in ``held`` instead.

    A payload whose identifier came twice in one run is counted once. If the better
    verdict came first, and the worse one in a later batch, that one is shown at
    once: waiting could go on for ever, since each run's first verdict ends it.
    """
    judged_before = {row.pk for row, _ in changes.repeated}
    shown: list[tuple[StoredResult, Outcome]] = []
    held: list[HeldBack] = []
    for row, outcome in changes.changed:
        waits = _waits(row, outcome, confirmation, repeated=row.pk in judged_before)
        if waits is None:
            shown.append((row, outcome))
        else:
            held.append(waits)
    new, held_new = _split_new(changes.new, confirmation)
    seen = [*(row for row, _ in shown), *changes.unchanged, *changes.vanishing]
    return replace(
        changes,
        new=new,
        changed=shown,
        unchanged=[*changes.unchanged, *(one.row for one in held if one.row and not one.repeated)],
        held=[*held, *held_new],
        settled=[row for row in seen if row.pk in confirmation.unconfirmed],
    )


def is_held_back_unless_raised(row: StoredResult, outcome: Outcome) -> bool:
    """Return whether the outcome has to wait, unless the result shows an error."""
    is_worse = outcome.status.severity > row.status.severity
    return is_worse and not outcome.error and not row.vanished


def _waits(
    row: StoredResult, outcome: Outcome, confirmation: Confirmation, *, repeated: bool
) -> HeldBack | None:
    """Return how the outcome waits, None if it is shown."""
    if not is_held_back_unless_raised(row, outcome) or row.pk in confirmation.raised:
        return None
    before = confirmation.unconfirmed.get(row.pk)
    if before is not None and before.evaluated_at != row.evaluated_at:
        before = None  # judged in between, while confirm_after was 1
    if repeated:
        if before is None:
            return None
        is_worse = outcome.status.severity > before.status.severity
        return HeldBack(
            row, outcome, before.runs, before.since, repeated=True, is_recorded=is_worse
        )
    runs = before.runs + 1 if before else 1
    if runs >= confirmation.after:
        return None
    return HeldBack(row, outcome, runs, before.since if before else confirmation.now)


def _split_new(
    outcomes: Iterable[Outcome], confirmation: Confirmation
) -> tuple[list[Outcome], list[HeldBack]]:
    """Return what to insert, and what of it has to wait beside a result that is ok."""
    new: list[Outcome] = []
    held: list[HeldBack] = []
    for outcome in outcomes:
        if confirmation.absent_is_ok and outcome.status.is_problem and not outcome.error:
            new.append(Outcome(outcome.identifier, Status.ok, outcome.description))
            held.append(HeldBack(None, outcome, 1, confirmation.now))
        else:
            new.append(outcome)
    return new, held
