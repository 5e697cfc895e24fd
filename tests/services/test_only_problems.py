"""Runs of checks that leave out what is fine: recovery, vanishing, caps, honest counts."""

from __future__ import annotations

import os
import re
import signal
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import pytest
from django.contrib.auth.models import User
from django.db import connection
from django.db.models import Q
from django.test.utils import CaptureQueriesContext

from dwatch import QuerySetCheck
from dwatch.core.status import Status
from dwatch.models import Acknowledgement, CheckState, Result, Run, StatusChange
from dwatch.querysetcheck import failing
from dwatch.services.acknowledge import acknowledge
from dwatch.services.gate import ExitCode, exit_code
from dwatch.services.listing import list_checks
from dwatch.services.reports import RunState, StatusCounts
from dwatch.services.requests import RunRequest, Selection
from dwatch.services.run import run_checks
from dwatch.services.show import show_result, show_results
from tests.running import make_check, make_items, make_queryset_check, refresh, run
from tests.testapp.models import Item

if TYPE_CHECKING:
    from collections.abc import Iterator

    from dwatch.querysetcheck.failing import FailingRows

pytestmark = pytest.mark.django_db
BOTH_SHAPES = pytest.mark.parametrize("description", ["", "{name}"], ids=["instances", "outcomes"])
LEVELS: dict[str, Any] = {"critical": Q(value__lt=0), "warning": Q(value__lt=10)}


def statuses() -> dict[str, Status]:
    rows = Result.objects.visible().values_list("description", "status")
    return {description: Status(status) for description, status in rows}


def counted() -> StatusCounts:
    return list_checks().checks[0].counts


@BOTH_SHAPES
def test_run__rows_recover_worsen_return_and_vanish(description: str) -> None:
    items = make_items(-1, -2, -3, 5, 20, -4)
    make_queryset_check(
        **LEVELS, queryset=Item.objects.exclude(note="away"), description=description
    )
    run()
    Item.objects.filter(pk=items[0].pk).update(value=30)
    Item.objects.filter(pk=items[1].pk).update(note="away")
    items[2].delete()
    Item.objects.filter(pk=items[3].pk).update(value=-5)
    done = run()
    assert (done.state, done.vanished, done.gone, done.status_changes) == (
        RunState.complete,
        2,
        0,
        2,
    )
    assert done.counts == counted() == StatusCounts(critical=2, ok=2)
    assert statuses() == {
        "item 0": Status.ok,
        "item 3": Status.critical,
        "item 5": Status.critical,
    }
    Item.objects.filter(pk=items[1].pk).update(note="")
    done = run()
    assert (done.counts, done.vanished) == (StatusCounts(critical=3, ok=2), 0)
    assert statuses()["item 1"] is Status.critical
    assert StatusChange.objects.filter(result__identifier=items[1].pk).count() == 1


def test_run__recovery_ends_an_acknowledgement() -> None:
    user = User.objects.create(username="ada")
    bad, still = make_items(-1, -2)
    make_queryset_check()
    run()
    for item in (bad, still):
        acknowledge("items", str(item.pk), user=user, days=3)
    Item.objects.filter(pk=bad.pk).update(value=1)
    run()
    ended = Acknowledgement.objects.exclude(ended_at=None)
    assert [one.result.identifier for one in ended] == [str(bad.pk)]
    assert ended.get().ended == Acknowledgement.Ended.RECOVERED
    kinds = [entry.kind for entry in show_result("items", str(bad.pk)).timeline]
    assert sorted(kinds) == ["acknowledged", "acknowledgement ended", "status", "status"]


def test_run__unchanged_writes_nothing_but_that_it_was_seen() -> None:
    make_items(-1, 5, 20)
    make_queryset_check(**LEVELS)
    first = run()
    again = run()
    assert (again.counts, again.status_changes, again.vanished) == (first.counts, 0, 0)
    assert Result.objects.count() == StatusChange.objects.count() == 2
    assert set(Result.objects.values_list("last_run", flat=True)) == {again.run_id}


def test_run__counts_what_it_does_not_store() -> None:
    make_items(-1, 5, *range(20, 120))
    make_queryset_check(**LEVELS)
    done = run()
    assert done.counts == counted() == StatusCounts(critical=1, warning=1, ok=100)
    assert done.unstored == list_checks().checks[0].unstored == StatusCounts(ok=100)
    row = Run.objects.get()
    assert (row.ok, row.warning, row.critical, row.unknown) == (100, 1, 1, 0)
    assert CheckState.objects.get().unstored_ok == 100
    assert done.notes == ()
    assert run(dry_run=True).counts == done.counts


def test_run__a_condition_that_changes_meanwhile_is_judged_as_it_is_then(
    monkeypatch: Any,
) -> None:
    """The row is fine when the failing ones are read, and is not when it is looked at again."""
    (item,) = make_items(-1)
    kind: Any = make_queryset_check()
    run()

    def generate(self: QuerySetCheck) -> FailingRows:
        Item.objects.update(value=5)
        rows = list(QuerySetCheck.generate(self))
        assert rows == []
        Item.objects.update(value=-7)
        return rows  # type: ignore[return-value]

    monkeypatch.setattr(kind, "generate", generate)
    done = run()
    assert (done.counts, done.status_changes, done.vanished) == (StatusCounts(critical=1), 0, 0)
    assert Result.objects.get().status == Status.critical
    assert str(item.pk) == Result.objects.get().identifier


@BOTH_SHAPES
def test_cap__what_is_beyond_it_is_counted_and_stays(description: str, settings: Any) -> None:
    settings.DWATCH_BATCH_SIZE = settings.DWATCH_TRANSACTION_SIZE = 2
    make_items(5, 6, -1, -2, 7, 20, -3, 30)
    make_queryset_check(**LEVELS, description=description)
    run()
    before = statuses()
    make_queryset_check(**LEVELS, description=description, max_failing=2)
    done = run()
    # All that had a result before is judged and stays; nothing recovered, nothing vanished.
    assert (done.counts, done.vanished, done.status_changes) == (
        StatusCounts(critical=3, warning=3, ok=2),
        0,
        0,
    )
    assert statuses() == before
    assert done.unstored == StatusCounts(ok=2)
    assert counted() == done.counts


@BOTH_SHAPES
def test_cap__the_worst_are_stored_and_the_others_count(description: str, settings: Any) -> None:
    settings.DWATCH_BATCH_SIZE = settings.DWATCH_TRANSACTION_SIZE = 2
    make_items(5, 6, -1, -2, 7, 20, -3, 30)
    make_queryset_check(**LEVELS, description=description, max_failing=4)
    done = run()
    assert statuses() == {
        "item 2": Status.critical,
        "item 3": Status.critical,
        "item 6": Status.critical,
        "item 0": Status.warning,
    }
    assert done.counts == counted() == StatusCounts(critical=3, warning=3, ok=2)
    assert done.unstored == StatusCounts(warning=2, ok=2)
    assert done.notes[0].startswith("Showing 4 of 6 problems")
    row = Run.objects.get()
    assert (row.critical, row.warning, row.ok) == (3, 3, 2)
    assert show_results("items").check.unstored.warning == 2
    assert run().counts == done.counts
    assert run(dry_run=True).counts == done.counts


def test_cap__unseen_rows_of_one_status_trip_the_gate() -> None:
    make_items(5, 6, 7)
    make_queryset_check(**LEVELS, max_failing=1)
    report = run_checks(RunRequest(Selection(slugs=("items",)), force=True))
    assert exit_code(report, Status.warning) == ExitCode.gate
    # Beyond the cap there is a worse one: it comes first, and trips a higher gate.
    Item.objects.filter(value=7).update(value=-7)
    report = run_checks(RunRequest(Selection(slugs=("items",)), force=True))
    assert exit_code(report, Status.critical) == ExitCode.gate
    assert report.checks[0].counts == StatusCounts(critical=1, warning=2)


def test_cap__stored_rows_that_recover_make_room() -> None:
    items = make_items(-1, -2, -3)
    make_queryset_check(max_failing=1)
    run()
    assert set(statuses()) == {"item 0"}
    Item.objects.filter(pk=items[0].pk).update(value=9)
    done = run()
    assert statuses() == {"item 0": Status.ok, "item 1": Status.critical}
    assert done.counts == counted() == StatusCounts(critical=2, ok=1)
    assert done.unstored == StatusCounts(critical=1)


def test_cap__exactly_reached_leaves_nothing_out() -> None:
    make_items(-1, -2, 9)
    make_queryset_check(max_failing=2)
    done = run()
    assert (done.counts, done.unstored, done.notes) == (
        StatusCounts(critical=2, ok=1),
        StatusCounts(ok=1),
        (),
    )


def _raise(*_args: Any) -> Any:
    raise RuntimeError("no")


def test_run__a_source_that_fails_settles_nothing(settings: Any, monkeypatch: Any) -> None:
    settings.DWATCH_BATCH_SIZE = settings.DWATCH_TRANSACTION_SIZE = 1
    monkeypatch.setattr(failing, "PAGE", 1)
    make_items(-1, -2, -3)
    kind: Any = make_queryset_check()
    run()
    state = CheckState.objects.get()

    def pages(self: FailingRows, size: int) -> Iterator[Any]:
        for page in ORIGINAL(self, size):
            yield page
            _raise()

    monkeypatch.setattr(failing.FailingRows, "pages", pages)
    Item.objects.filter(value=-3).update(value=5)
    Item.objects.filter(value=-2).delete()
    done = run()
    assert (done.state, done.vanished, done.status_changes) == (RunState.failed, 0, 0)
    assert "RuntimeError: no" in done.error
    assert set(statuses().values()) == {Status.critical}
    assert len(statuses()) == 3
    assert CheckState.objects.get().unstored_ok == state.unstored_ok
    assert kind.slug == "items"


ORIGINAL = failing.FailingRows.pages


def test_run__that_is_interrupted_settles_nothing(monkeypatch: Any) -> None:
    make_items(-1, -2)
    kind: Any = make_queryset_check()
    run()
    state = CheckState.objects.get()
    original = kind.generate

    def generate(self: Any) -> Any:
        rows = list(original(self))
        os.kill(os.getpid(), signal.SIGTERM)
        return rows

    monkeypatch.setattr(kind, "generate", generate)
    Item.objects.filter(value=-1).update(value=5)
    Item.objects.filter(value=-2).delete()
    done = run()
    assert (done.state, done.vanished, done.status_changes) == (RunState.interrupted, 0, 0)
    assert list(statuses().values()) == [Status.critical, Status.critical]
    assert CheckState.objects.get().unstored_ok == state.unstored_ok


def test_run__what_cannot_be_looked_at_again_is_unknown_and_not_fine(monkeypatch: Any) -> None:
    make_items(-1, -2)
    kind: Any = make_queryset_check()
    run()
    Item.objects.filter(value=-1).update(value=1)
    monkeypatch.setattr(kind, "get_payloads", _raise)
    done = run()
    assert (done.counts.unknown, done.counts.critical, done.errors) == (1, 1, 1)
    assert sorted(statuses().values()) == [Status.unknown, Status.critical]


def test_run__what_cannot_be_counted_fails_the_run(monkeypatch: Any) -> None:
    make_items(-1, 5)
    kind: Any = make_queryset_check()
    monkeypatch.setattr(kind, "count_left_out", _raise)
    done = run()
    assert (done.state, done.error) == (RunState.failed, "RuntimeError: no")
    assert done.counts == StatusCounts(critical=1)
    assert run(dry_run=True).state is RunState.failed


def test_run__a_result_judged_since_it_began_is_left_alone(monkeypatch: Any) -> None:
    """A trigger stored it while the run was reading."""
    make_items(-1, -2)
    kind: Any = make_queryset_check()
    run()
    original = kind.generate

    def generate(self: Any) -> Any:
        later = datetime.now(UTC) + timedelta(seconds=1)
        Result.objects.filter(description="item 0").update(evaluated_at=later)
        Item.objects.filter(value=-1).update(value=4)
        return original(self)

    monkeypatch.setattr(kind, "generate", generate)
    run()
    assert statuses() == {"item 0": Status.critical, "item 1": Status.critical}


def test_refresh__judges_what_is_stored_and_leaves_the_rest() -> None:
    items = make_items(-1, 5, 20)
    make_queryset_check(**LEVELS)
    run()
    Item.objects.filter(pk=items[0].pk).update(value=40)
    Item.objects.filter(pk=items[2].pk).update(value=-3)
    items[1].delete()
    done = refresh()
    assert (done.counts, done.gone, done.unstored) == (StatusCounts(ok=1), 1, StatusCounts())
    assert statuses() == {"item 0": Status.ok}
    assert run().counts == StatusCounts(critical=1, ok=1)


def test_run__recovered_results_take_a_bounded_number_of_queries(settings: Any) -> None:
    settings.DWATCH_BATCH_SIZE = 1000
    make_queryset_check(description="{name}")

    def queries(amount: int) -> int:
        Item.objects.all().delete()
        Item.objects.bulk_create(Item(name=f"item {n}", value=-1) for n in range(amount))
        run()
        Item.objects.all().update(value=1)
        with CaptureQueriesContext(connection) as captured:
            done = run()
        assert (done.counts.ok, done.status_changes) == (amount, amount)
        kept = [q for q in captured if not q["sql"].startswith("INSERT")]
        return len(kept)

    assert queries(900) == queries(90)


def test_list__forgets_what_another_kind_of_check_had_counted() -> None:
    make_items(-1, 5)
    make_queryset_check()
    run()
    make_check()
    assert counted() == StatusCounts(critical=1)
    assert run().counts == StatusCounts(critical=1, ok=1) == counted()


def test_confirm_after__a_row_that_was_fine_waits_and_counts_as_fine() -> None:
    make_items(1, 2, 30)
    make_queryset_check(**LEVELS, confirm_after=2, max_failing=2)
    assert run().counts == StatusCounts(warning=2, ok=1)  # as it was found at first
    Item.objects.filter(value=30).update(value=-1)
    Item.objects.filter(value=1).update(value=50)
    waiting = run()
    assert (waiting.counts, waiting.unconfirmed) == (StatusCounts(warning=1, ok=2), 1)
    confirmed = run()
    assert (confirmed.counts, confirmed.unconfirmed) == (
        StatusCounts(critical=1, warning=1, ok=1),
        0,
    )
    assert counted() == confirmed.counts


def test_confirm_after__a_row_beyond_the_cap_was_no_fine_one() -> None:
    items = make_items(-1, -2, 30)
    make_queryset_check(max_failing=1, confirm_after=2)
    assert run().unstored.critical == 1
    Item.objects.filter(pk=items[0].pk).update(value=50)
    done = run()
    assert (done.counts, done.unconfirmed) == (StatusCounts(critical=1, ok=2), 0)
    assert statuses() == {"item 0": Status.ok, "item 1": Status.critical}
    assert counted() == done.counts


def test_confirm_after__check_that_a_cleanup_elsewhere_deletes_fails_alone() -> None:
    done: list[str] = []

    def clean_up(execute: Any, sql: str, *arguments: Any) -> Any:
        answer = execute(sql, *arguments)
        if not done and re.search(r"INSERT INTO \W?dwatch_run\W", sql):
            done.append(sql)
            CheckState.objects.filter(slug="items").delete()
        return answer

    make_items(-1)
    make_queryset_check(confirm_after=2)
    make_check("others")
    with connection.execute_wrapper(clean_up):
        items, others = run_checks(RunRequest(force=True)).checks
    assert done
    assert (items.state, others.state) == (RunState.failed, RunState.complete)
    assert "took this check over" in items.error
