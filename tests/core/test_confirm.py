from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dwatch.core.confirm import Confirmation, StoredUnconfirmed, hold_back
from dwatch.core.outcome import Disposition, Outcome
from dwatch.core.status import Status
from dwatch.core.transition import BatchChanges, HeldBack, StoredResult, sort_out

if TYPE_CHECKING:
    from collections.abc import Sequence

NOON = datetime(2026, 2, 28, 12, tzinfo=UTC)
EARLIER = NOON - timedelta(minutes=1)
LONG_BEFORE = NOON - timedelta(minutes=5)
THIS_RUN = 7

OK = Outcome("a", Status.ok)
WARNING = Outcome("a", Status.warning)
CRITICAL = Outcome("a", Status.critical)
RAISED = Outcome("a", error="ValueError")


def row_of(outcome: Outcome, **columns: Any) -> StoredResult:
    values = {"evaluated_at": EARLIER, "vanished": False, "run_id": 6, **columns}
    return StoredResult(1, outcome.identifier, outcome.status, outcome.digest(), **values)


def waiting(status: Status, runs: int, evaluated_at: datetime = EARLIER) -> StoredUnconfirmed:
    return StoredUnconfirmed(status, runs, LONG_BEFORE, evaluated_at)


def held(
    outcome: Outcome,
    row: StoredResult | None,
    before: StoredUnconfirmed | None = None,
    *,
    after: int = 3,
    **known: Any,
) -> BatchChanges:
    stored = {} if row is None else {row.identifier: row}
    changes = sort_out([outcome], stored, loaded_at=NOON, run_id=THIS_RUN)
    unconfirmed = {} if row is None or before is None else {row.pk: before}
    return hold_back(changes, Confirmation(after, NOON, unconfirmed, **known))


def test_hold_back__a_worse_status_waits_beside_what_is_shown() -> None:
    row = row_of(OK)

    assert held(CRITICAL, row) == BatchChanges(
        unchanged=[row], held=[HeldBack(row, CRITICAL, 1, NOON)]
    )


def test_hold_back__the_streak_keeps_its_beginning() -> None:
    row = row_of(OK)
    changes = held(CRITICAL, row, waiting(Status.warning, 1))

    assert changes == BatchChanges(unchanged=[row], held=[HeldBack(row, CRITICAL, 2, LONG_BEFORE)])
    assert changes.held[0].shown is Status.ok


def test_hold_back__the_last_run_that_it_takes_shows_it() -> None:
    row = row_of(OK)

    assert held(CRITICAL, row, waiting(Status.critical, 2)) == BatchChanges(
        changed=[(row, CRITICAL)], settled=[row]
    )


@pytest.mark.parametrize("runs", [1, 2, 5])
def test_hold_back__fewer_runs_asked_for_meanwhile(runs: int) -> None:
    row = row_of(OK)

    assert held(CRITICAL, row, waiting(Status.critical, runs), after=2).changed


@pytest.mark.parametrize("outcome", [WARNING, OK, WARNING._replace(description="other")])
def test_hold_back__a_judgement_that_is_not_worse_ends_the_waiting(outcome: Outcome) -> None:
    row = row_of(WARNING)
    changes = held(outcome, row, waiting(Status.critical, 2))

    assert changes.held == []
    assert changes.settled == [row]


@pytest.mark.parametrize("disposition", [Disposition.skipped, Disposition.gone])
def test_hold_back__vanishing_ends_the_waiting(disposition: Disposition) -> None:
    row = row_of(OK)
    changes = held(Outcome("a", disposition=disposition), row, waiting(Status.critical, 2))

    assert changes == BatchChanges(vanishing=[row], settled=[row])


def test_hold_back__a_stale_judgement_neither_counts_nor_ends_the_waiting() -> None:
    row = row_of(OK, evaluated_at=NOON + timedelta(minutes=1))

    assert held(CRITICAL, row, waiting(Status.critical, 2)) == BatchChanges(stale=[row])
    assert held(OK, row, waiting(Status.critical, 2)) == BatchChanges(stale=[row])


@pytest.mark.parametrize("outcome", [RAISED, CRITICAL._replace(error="ValueError")])
def test_hold_back__an_error_never_waits(outcome: Outcome) -> None:
    row = row_of(OK)

    assert held(outcome, row) == BatchChanges(changed=[(row, outcome)])


def test_hold_back__nothing_better_is_known_of_a_new_result() -> None:
    assert held(CRITICAL, None) == BatchChanges(new=[CRITICAL])


def test_hold_back__nothing_better_is_known_of_one_that_had_vanished() -> None:
    row = row_of(OK, vanished=True)

    assert held(CRITICAL, row) == BatchChanges(changed=[(row, CRITICAL)])


def test_hold_back__nothing_better_is_known_of_one_that_shows_an_error() -> None:
    row = row_of(RAISED)

    assert held(CRITICAL, row, raised={row.pk}) == BatchChanges(changed=[(row, CRITICAL)])
    assert held(CRITICAL, row).held


def test_hold_back__a_streak_that_another_judgement_interrupted_does_not_count() -> None:
    row = row_of(OK)
    changes = held(CRITICAL, row, waiting(Status.critical, 2, evaluated_at=LONG_BEFORE))

    assert changes.held == [HeldBack(row, CRITICAL, 1, NOON)]


def test_hold_back__absent_results_known_to_be_ok() -> None:
    outcome = CRITICAL._replace(description="Wallet", data='{"a": 1}', users=(1,))
    changes = held(outcome, None, absent_is_ok=True)

    assert changes == BatchChanges(
        new=[Outcome("a", Status.ok, "Wallet")], held=[HeldBack(None, outcome, 1, NOON)]
    )
    assert changes.held[0].shown is Status.ok


@pytest.mark.parametrize("outcome", [OK, RAISED])
def test_hold_back__absent_results_that_are_ok_or_raised_are_shown(outcome: Outcome) -> None:
    assert held(outcome, None, absent_is_ok=True) == BatchChanges(new=[outcome])


@pytest.mark.parametrize(
    ("again", "is_recorded"), [(WARNING, False), (CRITICAL, True), (Outcome("a"), False)]
)
def test_hold_back__repeated_in_a_later_batch_counts_once(
    again: Outcome,
    is_recorded: bool,  # noqa: FBT001
) -> None:
    row = row_of(OK, run_id=THIS_RUN)
    changes = held(again, row, waiting(Status.warning, 2))

    assert changes == BatchChanges(
        repeated=[(row, again)],
        held=[HeldBack(row, again, 2, LONG_BEFORE, repeated=True, is_recorded=is_recorded)],
    )


def test_hold_back__repeated_and_better_does_not_end_the_waiting() -> None:
    row = row_of(OK, run_id=THIS_RUN)

    assert held(OK, row, waiting(Status.warning, 2)) == BatchChanges(repeated=[(row, OK)])


def test_hold_back__repeated_and_worse_after_this_run_saw_it_better_is_shown() -> None:
    row = row_of(OK, run_id=THIS_RUN)

    assert held(CRITICAL, row) == BatchChanges(
        repeated=[(row, CRITICAL)], changed=[(row, CRITICAL)]
    )


def test_hold_back__repeated_and_raised_is_shown() -> None:
    row = row_of(OK, run_id=THIS_RUN)

    assert held(RAISED, row, waiting(Status.warning, 2)) == BatchChanges(
        repeated=[(row, RAISED)], changed=[(row, RAISED)], settled=[row]
    )


def shown_after(judged: Sequence[Status], after: int) -> list[Status]:
    """Return what is shown after each of these judgements, one a run."""
    shown: list[Status] = []
    row: StoredResult | None = None
    before: StoredUnconfirmed | None = None
    for run, status in enumerate(judged):
        outcome = Outcome("a", status)
        now = NOON + timedelta(minutes=run)
        stored = {} if row is None else {"a": row}
        changes = hold_back(
            sort_out([outcome], stored, loaded_at=now, run_id=run),
            Confirmation(after, now, {1: before} if before else {}),
        )
        before = None
        if changes.held:
            (waits,) = changes.held
            before = StoredUnconfirmed(status, waits.runs, waits.since, now)
            assert row is not None
            row = row._replace(evaluated_at=now, run_id=run)
        else:
            row = row_of(outcome, evaluated_at=now, run_id=run)
        shown.append(row.status)
    return shown


JUDGED = st.lists(st.sampled_from(Status), max_size=12)


@given(JUDGED, st.integers(1, 4))
def test_hold_back__shows_what_the_last_runs_agree_on(judged: list[Status], after: int) -> None:
    """The rule once more, told by looking back over all judgements."""
    expected: list[Status] = []
    worse = 0
    for status in judged:
        worse = worse + 1 if expected and status.severity > expected[-1].severity else 0
        waits = 0 < worse < after
        expected.append(expected[-1] if waits else status)
        worse = worse if waits else 0

    assert shown_after(judged, after) == expected


@given(JUDGED)
def test_hold_back__after_one_run_shows_each_judgement(judged: list[Status]) -> None:
    assert shown_after(judged, 1) == judged
