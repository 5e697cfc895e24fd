from __future__ import annotations

from collections import Counter
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dwatch.core.outcome import Disposition, Outcome
from dwatch.core.status import Status
from dwatch.core.transition import (
    BatchChanges,
    StoredResult,
    keep_worst,
    less_severe,
    sort_out,
)

NOON = datetime(2026, 2, 28, 12, tzinfo=UTC)
EARLIER = NOON - timedelta(minutes=1)
LATER = NOON + timedelta(minutes=1)
THIS_RUN = 7

CRITICAL = Outcome("a", Status.critical)
OK = Outcome("a", Status.ok)
SKIPPED = Outcome("a", disposition=Disposition.skipped)
GONE = Outcome("a", disposition=Disposition.gone)


def row_of(
    outcome: Outcome,
    *,
    evaluated_at: datetime = EARLIER,
    vanished: bool = False,
    run_id: int | None = 6,
) -> StoredResult:
    return StoredResult(
        1,
        outcome.identifier,
        outcome.status,
        outcome.digest(),
        evaluated_at=evaluated_at,
        vanished=vanished,
        run_id=run_id,
    )


def sorted_out(
    outcome: Outcome, row: StoredResult | None, *, run_id: int | None = THIS_RUN
) -> BatchChanges:
    stored = {} if row is None else {row.identifier: row}
    return sort_out([outcome], stored, loaded_at=NOON, run_id=run_id)


def test_sort_out__nothing() -> None:
    assert sort_out([], {}, loaded_at=NOON, run_id=None) == BatchChanges()


def test_sort_out__payload_seen_for_the_first_time() -> None:
    assert sorted_out(CRITICAL, None) == BatchChanges(new=[CRITICAL])


@pytest.mark.parametrize("outcome", [SKIPPED, GONE])
def test_sort_out__no_verdict_and_no_result_is_nothing(outcome: Outcome) -> None:
    assert sorted_out(outcome, None) == BatchChanges()


def test_sort_out__same_as_stored_is_only_noted() -> None:
    row = row_of(CRITICAL)

    assert sorted_out(CRITICAL, row) == BatchChanges(unchanged=[row])


@pytest.mark.parametrize(
    ("outcome", "changes_status"),
    [
        (OK, True),
        (CRITICAL._replace(description="other"), False),
        (CRITICAL._replace(data='{"a": 1}'), False),
        (CRITICAL._replace(users=(1,)), False),
        (Outcome("a", error="ValueError"), True),
    ],
)
def test_sort_out__anything_stored_that_differs_is_a_change(
    outcome: Outcome,
    changes_status: bool,  # noqa: FBT001
) -> None:
    row = row_of(CRITICAL)
    changes = sorted_out(outcome, row)

    assert changes == BatchChanges(changed=[(row, outcome)])
    assert changes.status_changes == ([(row, outcome)] if changes_status else [])


def test_sort_out__vanished_result_that_comes_back_is_written() -> None:
    row = row_of(CRITICAL, vanished=True)
    changes = sorted_out(CRITICAL, row)

    assert changes == BatchChanges(changed=[(row, CRITICAL)])
    assert changes.status_changes == []


@pytest.mark.parametrize("outcome", [OK, CRITICAL, SKIPPED, GONE])
@pytest.mark.parametrize("vanished", [True, False])
def test_sort_out__result_never_goes_back_in_time(outcome: Outcome, vanished: bool) -> None:  # noqa: FBT001
    row = row_of(CRITICAL, evaluated_at=LATER, vanished=vanished)
    changes = sorted_out(outcome, row)

    judged = outcome.disposition is Disposition.judged
    assert changes == BatchChanges(stale=[row] if judged else [])


def test_sort_out__copy_as_old_as_the_stored_one_is_not_stale() -> None:
    row = row_of(CRITICAL, evaluated_at=NOON)

    assert sorted_out(OK, row) == BatchChanges(changed=[(row, OK)])
    assert sorted_out(GONE, row) == BatchChanges(vanishing=[row])


@pytest.mark.parametrize("outcome", [SKIPPED, GONE])
def test_sort_out__no_verdict_hides_the_result_once(outcome: Outcome) -> None:
    row = row_of(CRITICAL)

    assert sorted_out(outcome, row) == BatchChanges(vanishing=[row])
    assert sorted_out(outcome, row_of(CRITICAL, vanished=True)) == BatchChanges()


@pytest.mark.parametrize(
    ("stored", "outcome", "is_changed"),
    [
        (Status.ok, Status.critical, True),
        (Status.ok, Status.unknown, True),
        (Status.warning, Status.warning, False),
        (Status.critical, Status.ok, False),
        (Status.critical, Status.unknown, False),
    ],
)
def test_sort_out__repeated_in_a_later_batch_the_worse_counts(
    stored: Status,
    outcome: Status,
    is_changed: bool,  # noqa: FBT001
) -> None:
    row = row_of(Outcome("a", stored), run_id=THIS_RUN)
    again = Outcome("a", outcome, "again")
    changes = sorted_out(again, row)

    assert changes == BatchChanges(
        repeated=[(row, again)], changed=[(row, again)] if is_changed else []
    )


def test_sort_out__skipped_after_this_run_judged_it_does_not_hide_it() -> None:
    row = row_of(CRITICAL, run_id=THIS_RUN)

    assert sorted_out(SKIPPED, row) == BatchChanges()


def test_sort_out__gone_after_this_run_judged_it_is_hidden() -> None:
    row = row_of(CRITICAL, run_id=THIS_RUN)

    assert sorted_out(GONE, row) == BatchChanges(vanishing=[row])


def test_sort_out__judged_after_this_run_skipped_it_comes_back() -> None:
    row = row_of(OK, run_id=THIS_RUN, vanished=True)

    assert sorted_out(CRITICAL, row) == BatchChanges(changed=[(row, CRITICAL)])


def test_sort_out__without_a_run_nothing_is_repeated() -> None:
    row = row_of(CRITICAL, run_id=None)

    assert sorted_out(OK, row, run_id=None) == BatchChanges(changed=[(row, OK)])
    assert sorted_out(SKIPPED, row, run_id=None) == BatchChanges(vanishing=[row])


@pytest.mark.parametrize(
    ("outcomes", "kept", "duplicates"),
    [
        ([], {}, 0),
        ([OK], {"a": OK}, 0),
        ([OK, CRITICAL], {"a": CRITICAL}, 1),
        ([CRITICAL, OK, OK._replace(description="x")], {"a": CRITICAL}, 2),
        ([OK._replace(description="first"), OK], {"a": OK._replace(description="first")}, 1),
        ([SKIPPED, OK], {"a": OK}, 1),
        ([OK, GONE], {"a": OK}, 1),
        ([SKIPPED, GONE], {"a": SKIPPED}, 1),
        ([OK, Outcome("A"), Outcome("a ")], {"a": OK, "A": Outcome("A"), "a ": Outcome("a ")}, 0),
    ],
)
def test_keep_worst__of_one_identifier(
    outcomes: list[Outcome], kept: dict[str, Outcome], duplicates: int
) -> None:
    assert keep_worst(iter(outcomes)) == (kept, duplicates)


OUTCOMES = st.lists(
    st.builds(
        Outcome,
        st.sampled_from("abcd"),
        st.sampled_from(Status),
        st.sampled_from(["", "x"]),
        disposition=st.sampled_from(Disposition),
    ),
    max_size=12,
)
ROWS = st.lists(
    st.builds(
        StoredResult,
        st.integers(),
        st.sampled_from("abcd"),
        st.sampled_from(Status),
        st.sampled_from([Outcome("", status, text).digest() for status in Status for text in "x"]),
        st.sampled_from([EARLIER, NOON, LATER]),
        st.booleans(),
        st.sampled_from([None, 6, THIS_RUN]),
    ),
    unique_by=lambda row: row.identifier,
)


@given(OUTCOMES)
def test_keep_worst__loses_no_identifier_and_hides_no_problem(outcomes: list[Outcome]) -> None:
    kept, duplicates = keep_worst(outcomes)

    assert len(kept) + duplicates == len(outcomes)
    for identifier in {outcome.identifier for outcome in outcomes}:
        judged = [
            outcome.status
            for outcome in outcomes
            if outcome.identifier == identifier and outcome.disposition is Disposition.judged
        ]
        assert kept[identifier] in outcomes
        if judged:
            assert kept[identifier].disposition is Disposition.judged
            assert kept[identifier].status is Status.worst(judged)


@given(OUTCOMES)
def test_keep_worst__order_does_not_change_what_is_shown(outcomes: list[Outcome]) -> None:
    forth, _ = keep_worst(outcomes)
    back, _ = keep_worst(reversed(outcomes))

    def shown(kept: dict[str, Outcome]) -> dict[str, Status | None]:
        return {
            identifier: one.status if one.disposition is Disposition.judged else None
            for identifier, one in kept.items()
        }

    assert shown(forth) == shown(back)


@given(OUTCOMES, ROWS, st.sampled_from([None, THIS_RUN]))
def test_sort_out__every_outcome_has_one_place(
    outcomes: list[Outcome], rows: list[StoredResult], run_id: int | None
) -> None:
    kept, _ = keep_worst(outcomes)
    stored = {row.identifier: row for row in rows}
    changes = sort_out(kept.values(), stored, loaded_at=NOON, run_id=run_id)

    repeated = {row.identifier for row, _ in changes.repeated}
    places = Counter(outcome.identifier for outcome in changes.new)
    places.update(row.identifier for row, _ in changes.changed if row.identifier not in repeated)
    for group in (changes.unchanged, changes.stale, changes.vanishing):
        places.update(row.identifier for row in group)
    places.update(repeated)
    assert set(places.values()) <= {1}
    judged = {one.identifier for one in kept.values() if one.disposition is Disposition.judged}
    assert judged <= places.keys()
    assert {row.identifier for row in changes.vanishing}.isdisjoint(judged)
    assert not any(row.vanished for row in changes.vanishing)


@given(OUTCOMES, ROWS)
def test_sort_out__storing_the_same_again_changes_nothing(
    outcomes: list[Outcome], rows: list[StoredResult]
) -> None:
    kept, _ = keep_worst(outcomes)
    stored = {row.identifier: row for row in rows}
    first = sort_out(kept.values(), stored, loaded_at=NOON, run_id=None)
    after = dict(stored)
    for outcome in [*first.new, *(outcome for _, outcome in first.changed)]:
        after[outcome.identifier] = row_of(outcome, evaluated_at=NOON)
    for row in first.vanishing:
        after[row.identifier] = row._replace(vanished=True)

    again = sort_out(kept.values(), after, loaded_at=NOON, run_id=None)

    assert again.new == []
    assert again.changed == []
    assert again.vanishing == []


@pytest.mark.parametrize(
    ("status", "expected"),
    [
        (Status.ok, []),
        (Status.unknown, []),
        (Status.warning, [Status.unknown]),
        (Status.critical, [Status.unknown, Status.warning]),
    ],
)
def test_less_severe__problems_that_an_acknowledgement_was_for(
    status: Status, expected: list[Status]
) -> None:
    assert less_severe(status) == expected
