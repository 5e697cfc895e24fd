from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta

import pytest
from django.contrib.auth.models import Group, User
from django.db import connection
from django.test.utils import CaptureQueriesContext

from dwatch.core.status import Status
from dwatch.models import (
    Acknowledgement,
    AssignedGroup,
    AssignedUser,
    CheckState,
    Result,
    Unconfirmed,
)

pytestmark = pytest.mark.django_db

NOW = datetime(2026, 2, 3, 4, 5, tzinfo=UTC)


def add(name: str, status: Status, *, age: int = 0, hidden: bool = False) -> Result:
    state, _new = CheckState.objects.get_or_create(slug="items")
    return Result.objects.create(
        check_state=state,
        identifier=name,
        status=status,
        digest=0,
        since=NOW - timedelta(days=age),
        first_seen=NOW,
        evaluated_at=NOW,
        vanished_at=NOW if hidden else None,
    )


def names(results: object) -> list[str]:
    return [result.identifier for result in results]  # type: ignore[attr-defined]


def test_problems__are_all_that_is_not_ok_and_not_hidden() -> None:
    for status in Status:
        add(status.name, status)
        add(f"hidden {status.name}", status, hidden=True)
    assert sorted(names(Result.objects.problems())) == ["critical", "unknown", "warning"]
    assert len(names(Result.objects.visible())) == 4


def test_worst__then_by_how_long_it_has_been_so() -> None:
    add("ok", Status.ok, age=9)
    add("unknown", Status.unknown)
    add("new critical", Status.critical, age=1)
    add("warning", Status.warning)
    add("old critical", Status.critical, age=5)
    add("as old, stored later", Status.critical, age=5)
    add("hidden", Status.critical, age=9, hidden=True)
    ordered = ["old critical", "as old, stored later", "new critical", "warning", "unknown", "ok"]
    for limit in range(1, 8):
        assert names(Result.objects.worst(limit)) == ordered[:limit]
    assert names(Result.objects.worst(9, [Status.warning, Status.ok])) == ["warning", "ok"]


def test_latest_vanished__are_the_hidden_ones() -> None:
    add("shown", Status.critical)
    for name, hours in (("earlier", 2), ("later", 1)):
        result = add(name, Status.ok, hidden=True)
        Result.objects.filter(pk=result.pk).update(vanished_at=NOW - timedelta(hours=hours))
    assert names(Result.objects.latest_vanished()) == ["later", "earlier"]


def test_counts_by_check__leave_out_what_is_hidden_and_other_checks() -> None:
    add("1", Status.ok)
    add("2", Status.ok)
    add("3", Status.critical)
    add("4", Status.critical, hidden=True)
    state = CheckState.objects.get()
    other = CheckState.objects.create(slug="others")
    assert Result.objects.counts_by_check([state.pk, other.pk]) == {
        state.pk: {Status.ok: 2, Status.critical: 1}
    }
    assert Result.objects.counts_by_check([other.pk]) == {}


@pytest.mark.parametrize("status", Status)
def test_longest_first__reads_an_index_in_its_order(status: Status) -> None:
    """Nothing is sorted, except (PostgreSQL) the few that have been so equally long."""
    for number in range(100):
        add(str(number), Status(number % 4), age=number, hidden=number % 7 == 0)
    if connection.vendor == "postgresql":
        with connection.cursor() as cursor:  # for so few rows it would rather read the table
            cursor.execute("SET LOCAL enable_seqscan = off; SET LOCAL enable_bitmapscan = off")
            cursor.execute("ANALYZE dwatch_result")
    state = CheckState.objects.get()
    shown = Result.objects.visible().filter(check_state=state, status=status).longest_first()

    plan = shown[:10].explain()

    assert "dwatch_result_worst" in plan
    assert not re.search(r"filesort|TEMP B-TREE|(?<!Incremental )Sort  \(", plan), plan


def test_page__after_page_has_each_result_once() -> None:
    stored = {add(name, Status.ok).pk for name in ("b", "A", "a", "ä", "10", "9", "a ")}
    seen: list[int] = []
    last: Result | None = None
    while page := Result.objects.page(last, 2):
        last = page[-1]
        seen += [result.pk for result in page]
    assert len(seen) == 7
    assert set(seen) == stored


def test_page__is_found_without_sorting() -> None:
    last = add("1", Status.ok)
    with CaptureQueriesContext(connection) as captured:
        Result.objects.visible().filter(check_state=last.check_state_id).page(last, 10)
    with connection.cursor() as cursor:
        if connection.vendor == "postgresql":
            cursor.execute("SET LOCAL enable_sort = off")  # a single row costs nothing to sort
        cursor.execute(f"{connection.ops.explain_query_prefix()} {captured[0]['sql']}")
        plan = str(cursor.fetchall())
    assert not re.search(r"TEMP B-TREE|filesort|Sort", plan), plan


def test_for_user__groups_count_only_where_no_user_is_assigned() -> None:
    ada, bob = (User.objects.create(username=name) for name in ("ada", "bob"))
    finance = Group.objects.create(name="finance")
    ada.groups.add(finance)
    add("nobody's", Status.ok)
    AssignedUser.objects.create(result=add("ada's", Status.ok), user=ada)
    AssignedUser.objects.create(result=add("bob's", Status.ok), user=bob)
    AssignedGroup.objects.create(result=add("finance's", Status.ok), group=finance)
    both = add("bob's and finance's", Status.ok)
    AssignedUser.objects.create(result=both, user=bob)
    AssignedGroup.objects.create(result=both, group=finance)
    assert set(names(Result.objects.for_user(ada))) == {"nobody's", "ada's", "finance's"}
    assert set(names(Result.objects.for_user(bob))) == {
        "nobody's",
        "bob's",
        "bob's and finance's",
    }


@pytest.mark.parametrize(
    ("days", "ended", "left"),
    [(1, None, 0), (-1, None, 1), (0, None, 1), (1, NOW, 1)],
)
def test_unacknowledged__only_what_holds_now_counts(
    days: int, ended: datetime | None, left: int
) -> None:
    Acknowledgement.objects.create(
        result=add("1", Status.critical),
        status=Status.critical,
        created_at=NOW,
        until=NOW + timedelta(days=days),
        ended_at=ended,
    )
    assert Result.objects.unacknowledged(NOW).count() == left


def wait_beside(result: Result, evaluated_at: datetime = NOW) -> None:
    Unconfirmed.objects.create(
        result=result, status=Status.critical, runs=1, since=NOW, evaluated_at=evaluated_at
    )


def test_unconfirmed__only_where_the_latest_judgement_was_worse_than_what_is_shown() -> None:
    for name in ("worse", "worse, too"):
        wait_beside(add(name, Status.ok))
    wait_beside(add("judged since", Status.ok), NOW - timedelta(seconds=1))
    wait_beside(add("hidden", Status.ok, hidden=True))
    ok = add("ok", Status.ok)
    assert sorted(names(Result.objects.unconfirmed())) == ["worse", "worse, too"]
    assert Result.objects.unconfirmed_by_check() == {ok.check_state_id: 2}


def test_unconfirmed__are_found_without_reading_all_results() -> None:
    add("1", Status.ok)
    plan = Result.objects.unconfirmed().explain()
    assert not re.search(r"SCAN dwatch_result(?! USING INTEGER PRIMARY KEY)", plan), plan
