"""A worse status shows after N runs in a row: through real runs, on a real database."""

from __future__ import annotations

import signal
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import pytest
from django import forms
from django.contrib.auth.models import User
from django.db import connection
from django.test.utils import CaptureQueriesContext

from dwatch.core.outcome import Outcome, OutcomeBatch
from dwatch.core.registry import registry
from dwatch.core.response import CheckResponse
from dwatch.core.status import Status
from dwatch.exceptions import AcknowledgeError, SkipCheck
from dwatch.models import Acknowledgement, AssignedUser, Result, StatusChange, Unconfirmed
from dwatch.services.acknowledge import acknowledge
from dwatch.services.cleanup import clean_up
from dwatch.services.configure import configure
from dwatch.services.gate import ExitCode, exit_code
from dwatch.services.listing import list_checks
from dwatch.services.reports import RunState, StatusCounts
from dwatch.services.requests import CleanupRequest, RunRequest, Selection
from dwatch.services.run import run_checks
from dwatch.services.show import show_result, show_results
from dwatch.store import runs, states
from dwatch.store.batches import Ticket, write_batch
from tests.running import judging, make_check, make_items, refresh, run
from tests.testapp.models import Item

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from dwatch.core.check import BaseCheck

pytestmark = pytest.mark.django_db

BY_VALUE = {0: Status.unknown, 1: Status.ok, 2: Status.warning, 3: Status.critical}


def judge(item: Item) -> CheckResponse:
    if item.note == "raise":
        raise ValueError(item.note)
    if item.note == "skip":
        raise SkipCheck
    return CheckResponse(BY_VALUE[item.value], value=item.value)


def make_confirmed(after: int = 3, **members: Any) -> None:
    make_check(check=judging(judge), confirm_after=after, **members)


def found(value: int, note: str = "", judge_again: Callable[[], Any] = run) -> Any:
    """Let the items be so and judge them; return the report."""
    Item.objects.update(value=value, note=note)
    return judge_again()


def shown() -> tuple[Status, int]:
    """Return the status of the one result, and how many runs found a worse one."""
    result = Result.objects.get()
    waiting = show_result("items", result.identifier).result.unconfirmed
    return Status(result.status), waiting.runs if waiting else 0


@pytest.fixture
def item() -> Item:
    """Store an ok result whose check confirms after three runs."""
    (made,) = make_items(1)
    make_confirmed()
    run()
    return made


@pytest.mark.usefixtures("item")
def test_run__shows_a_worse_status_at_the_third_run_in_a_row() -> None:
    before = Result.objects.values("since", "description", "data", "digest").get()
    assert found(3).unconfirmed == 1
    assert shown() == (Status.ok, 1)
    second = found(3)
    assert (second.counts, second.unconfirmed) == (StatusCounts(ok=1), 1)
    assert second.status_changes == 0
    assert Result.objects.values("since", "description", "data", "digest").get() == before
    third = found(3)
    assert (third.counts, third.unconfirmed) == (StatusCounts(critical=1), 0)
    assert third.status_changes == 1
    assert shown() == (Status.critical, 0)
    last = StatusChange.objects.latest("pk")
    assert (last.from_status, last.to_status, last.run) == (1, 3, third.run_id)
    assert Result.objects.get().data == {"value": 3}
    assert Unconfirmed.objects.count() == 0


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        ([3, 3, 1, 3, 3], (Status.ok, 2)),
        ([3, 2, 3], (Status.critical, 0)),
        ([3, 3, 2], (Status.warning, 0)),
        ([0, 0, 0], (Status.unknown, 0)),
        ([2, 2, 2, 3, 3], (Status.warning, 2)),
        ([2, 2, 2, 3, 3, 3], (Status.critical, 0)),
        ([2, 2, 2, 3, 0], (Status.unknown, 0)),
        ([2, 2, 2, 3, 2, 3], (Status.warning, 1)),
    ],
)
@pytest.mark.usefixtures("item")
def test_run__along_a_path_of_judgements(path: list[int], expected: tuple[Status, int]) -> None:
    for value in path:
        found(value)
    assert shown() == expected


@pytest.mark.usefixtures("item")
def test_run__better_shows_at_once() -> None:
    for value in (3, 3, 3):
        found(value)
    assert found(2).counts == StatusCounts(warning=1)
    assert found(1).counts == StatusCounts(ok=1)


def test_run__new_result_shows_at_once() -> None:
    make_items(3)
    make_confirmed()
    done = run()
    assert (done.counts, done.unconfirmed) == (StatusCounts(critical=1), 0)


@pytest.mark.usefixtures("item")
def test_run__an_error_shows_at_once_and_so_does_what_follows_it() -> None:
    found(3)
    raised = found(1, "raise")
    assert (raised.counts, raised.errors) == (StatusCounts(unknown=1), 1)
    assert shown() == (Status.unknown, 0)
    assert found(3).counts == StatusCounts(critical=1)
    assert Result.objects.get().error == ""


@pytest.mark.usefixtures("item")
def test_run__a_hook_that_raises_shows_a_critical_verdict_at_once() -> None:
    make_confirmed(get_payload_description=lambda _self, _item: 1 / 0)
    assert found(3).counts == StatusCounts(critical=1)


@pytest.mark.parametrize("away", ["skipped", "not generated"])
def test_run__vanishing_forgets_and_returning_shows_at_once(item: Item, away: str) -> None:
    found(3)
    if away == "skipped":
        found(3, "skip")
    else:
        make_confirmed(generate=lambda _self: Item.objects.none())
        run()
        make_confirmed()
    assert Result.objects.get().vanished_at is not None
    assert Unconfirmed.objects.count() == 0
    assert list_checks().checks[0].unconfirmed == 0
    assert show_result("items", str(item.pk)).result.unconfirmed is None
    assert found(3).counts == StatusCounts(critical=1)


@pytest.mark.usefixtures("item")
def test_refresh__counts_as_a_run_does() -> None:
    found(3)
    assert found(3, judge_again=refresh).unconfirmed == 1
    assert found(3, judge_again=refresh).counts == StatusCounts(critical=1)
    assert StatusChange.objects.latest("pk").reason == "refresh"


@pytest.mark.usefixtures("item")
def test_dry_run__tells_the_verdict_and_counts_nothing() -> None:
    found(3)
    rehearsed = found(3, judge_again=lambda: run(dry_run=True))
    assert (rehearsed.counts, rehearsed.unconfirmed) == (StatusCounts(critical=1), 0)
    assert shown() == (Status.ok, 1)


def test_interrupted_run__what_it_judged_counts(settings: Any) -> None:
    settings.DWATCH_BATCH_SIZE = settings.DWATCH_TRANSACTION_SIZE = 1
    make_items(1, 1, 1)
    make_confirmed(after=2)
    run()

    def interrupted(_self: BaseCheck) -> Iterator[Item]:
        yield from Item.objects.order_by("pk")[:1]
        signal.raise_signal(signal.SIGINT)
        yield from Item.objects.order_by("pk")[1:]  # the payload in hand is finished

    make_confirmed(after=2, generate=interrupted)
    assert found(3).state is RunState.interrupted
    assert Unconfirmed.objects.count() == 2
    make_confirmed(after=2)
    done = run()
    assert (done.counts, done.unconfirmed) == (StatusCounts(ok=1, critical=2), 1)


@pytest.mark.usefixtures("item")
def test_taken_over_run__its_judgements_count() -> None:
    found(3)
    state = states.read_states()["items"]
    lease = states.acquire_lease(state, datetime.now(UTC), scheduled=False)
    assert lease is not None
    begun = runs.start_run(lease, reason="forced", slot=None, now=datetime.now(UTC))
    worse = Outcome(Result.objects.get().identifier, Status.critical)
    ticket = Ticket(lease, begun.pk, "forced", assigns=False, confirm_after=3)
    write_batch(ticket, OutcomeBatch([worse], datetime.now(UTC)))
    type(state).objects.update(lease_expires=datetime.now(UTC) - timedelta(hours=1))
    assert shown() == (Status.ok, 2)
    assert found(3).counts == StatusCounts(critical=1)


# -- identifiers that come more than once -------------------------------------


def same_name(values: list[int], after: int = 3) -> Any:
    """Judge one payload for each value, all under one name, each in a batch of its own."""
    Item.objects.all().delete()
    make_items(*values)
    make_confirmed(
        after,
        get_identifier=lambda _self, _item: "same",
        get_payload=lambda _self, _identifier: Item.objects.first(),
    )
    return run()


@pytest.fixture
def one_a_batch(settings: Any) -> None:
    settings.DWATCH_BATCH_SIZE = settings.DWATCH_TRANSACTION_SIZE = 1
    same_name([1])


@pytest.mark.usefixtures("one_a_batch")
@pytest.mark.parametrize("values", [[3, 3], [2, 3], [3, 2], [3, 1], [3, 1, 3]])
def test_duplicates__count_once_in_a_run_and_the_worst_of_them(values: list[int]) -> None:
    done = same_name(values)
    assert (done.counts, done.unconfirmed) == (StatusCounts(ok=1), 1)
    waiting = show_result("items", "same").result.unconfirmed
    assert waiting is not None
    assert (waiting.status, waiting.runs, waiting.data) == (Status.critical, 1, {"value": 3})
    same_name(values)
    assert shown() == (Status.ok, 2)
    assert same_name(values).counts == StatusCounts(critical=1)


@pytest.mark.usefixtures("one_a_batch")
def test_duplicates__the_worse_one_later_cannot_wait_for_ever() -> None:
    done = same_name([1, 3])
    assert (done.counts, done.unconfirmed) == (StatusCounts(critical=1), 0)
    assert shown() == (Status.critical, 0)


@pytest.mark.usefixtures("one_a_batch")
def test_duplicates__raised_after_it_was_held_back_shows_at_once() -> None:
    Item.objects.all().delete()
    make_items(3, 1)
    Item.objects.filter(value=1).update(note="raise")
    done = run()
    assert (done.counts, done.unconfirmed, done.errors) == (StatusCounts(unknown=1), 0, 1)
    assert shown() == (Status.unknown, 0)


@pytest.mark.usefixtures("one_a_batch")
def test_duplicates__worse_once_more_in_the_run_that_confirms() -> None:
    same_name([2], after=2)
    done = same_name([2, 3], after=2)
    assert done.counts == StatusCounts(critical=1)
    assert shown() == (Status.critical, 0)


# -- what people do meanwhile -------------------------------------------------


@pytest.mark.usefixtures("item")
def test_gate__goes_by_what_is_shown() -> None:
    Item.objects.update(value=3)
    request = RunRequest(Selection(), force=True, stop_early=True, fail_on=Status.critical)
    codes = [exit_code(run_checks(request), Status.unknown) for _ in range(3)]
    assert codes == [ExitCode.fine, ExitCode.fine, ExitCode.gate]


@pytest.mark.usefixtures("item")
def test_report__names_no_problem_that_is_not_shown() -> None:
    assert found(3).problems == ()
    for _ in range(3):
        found(2)
    (problem,) = found(3).problems
    assert problem.status is Status.warning


def test_acknowledge__goes_by_what_is_shown(item: Item) -> None:
    ada = User.objects.create(username="ada")
    found(3)
    with pytest.raises(AcknowledgeError, match="is ok"):
        acknowledge("items", str(item.pk), user=ada, days=1)
    for _ in range(3):
        found(2)
    given = acknowledge("items", str(item.pk), user=ada, days=1)
    for ended in ("", "", Acknowledgement.Ended.WORSENED):
        found(3)
        given.refresh_from_db()
        assert given.ended == ended


@pytest.mark.usefixtures("item")
def test_assignment__follows_what_is_shown() -> None:
    ada, bob = (User.objects.create(username=name) for name in ("ada", "bob"))
    make_confirmed(
        after=2,
        get_assigned_users=lambda _self, _item, status: [ada if status is Status.ok else bob],
    )
    for value, user in ((1, ada), (3, ada), (3, bob)):
        found(value)
        assert AssignedUser.objects.get().user == user


class Limits(forms.Form):
    most = forms.IntegerField(initial=3)


def test_configure__judges_once_more(item: Item) -> None:
    def by_limit(check: BaseCheck, one: Item) -> Status:
        return Status.critical if one.value > check.get_config(one)["most"] else Status.ok

    make_check(check=by_limit, confirm_after=2, config_form=Limits)
    report = configure("items", str(item.pk), {"most": 0}, user=None)
    assert report.checks[0].unconfirmed == 1
    assert run().counts == StatusCounts(critical=1)


def test_cleanup__takes_what_waits_along() -> None:
    make_items(1)
    make_confirmed()
    run()
    found(3)
    registry.restore({})
    make_check("other")
    clean_up(CleanupRequest())
    assert Unconfirmed.objects.count() == 0


@pytest.mark.usefixtures("item")
def test_confirm_after__taken_away_and_set_again_starts_anew() -> None:
    found(3)
    found(3)
    make_confirmed(after=1)
    assert shown() == (Status.ok, 2)  # as long as nobody has judged it again
    found(1)
    assert shown() == (Status.ok, 0)
    make_confirmed(after=3)
    found(3)
    assert shown() == (Status.ok, 1)


@pytest.mark.usefixtures("item")
def test_confirm_after__taken_away_shows_the_next_judgement() -> None:
    found(3)
    make_confirmed(after=1)
    assert found(3).counts == StatusCounts(critical=1)
    assert shown() == (Status.critical, 0)


def test_show_and_list__tell_what_waits(item: Item) -> None:
    Item.objects.create(name="fine", value=1)
    run()
    Item.objects.filter(pk=item.pk).update(value=3)
    run()
    run()
    assert list_checks().checks[0].unconfirmed == 1
    listed = show_results("items", unconfirmed=True)
    assert [row.identifier for row in listed.results] == [str(item.pk)]
    assert listed.matching == 1
    waiting = listed.results[0].unconfirmed
    assert waiting is not None
    assert (waiting.status, waiting.runs, waiting.confirm_after) == (Status.critical, 2, 3)
    assert (waiting.description, waiting.data) == ("item 0", {"value": 3})
    assert [row.unconfirmed for row in show_results("items", status=Status.ok).results] == [
        waiting,
        None,
    ]


# -- the store ----------------------------------------------------------------


def test_absent_is_ok__a_first_failure_waits_beside_an_ok_result() -> None:
    make_confirmed(after=2)
    state = states.ensure_states([registry.get("items")])["items"]
    lease = states.acquire_lease(state, datetime.now(UTC), scheduled=False)
    assert lease is not None
    failing = [Outcome(name, Status.critical, f"row {name}", '{"a": 1}') for name in ("1", "é")]
    raised = Outcome("raised", error="ValueError")

    def store() -> Any:
        begun = runs.start_run(lease, reason="forced", slot=None, now=datetime.now(UTC))
        ticket = Ticket(lease, begun.pk, "forced", assigns=True, confirm_after=2, absent_is_ok=True)
        return write_batch(ticket, OutcomeBatch([*failing, raised], datetime.now(UTC)))

    first = store()
    assert +first.counts == {Status.ok: 2, Status.unknown: 1}
    assert first.unconfirmed == 2
    assert sorted(Result.objects.values_list("identifier", "status", "description")) == sorted(
        [("1", 1, "row 1"), ("é", 1, "row é"), ("raised", 0, "")]
    )
    assert {waiting.data["a"] for waiting in Unconfirmed.objects.all()} == {1}
    second = store()
    assert +second.counts == {Status.critical: 2, Status.unknown: 1}
    assert Unconfirmed.objects.count() == 0
    assert StatusChange.objects.filter(from_status=1, to_status=3).count() == 2


def test_queries__without_confirm_after_nothing_is_asked() -> None:
    make_items(1, 1)
    make_check(check=judging(judge))
    run()
    with CaptureQueriesContext(connection) as captured:
        found(3)
        found(1)
    assert not [query["sql"] for query in captured if "unconfirmed" in query["sql"]]


def hold_back(amount: int) -> None:
    """Store that many results, each of which was found worse once."""
    Item.objects.all().delete()
    Result.objects.all().delete()
    make_items(*[1] * amount)
    make_confirmed()
    run()
    found(3)


def test_queries__as_many_for_100_held_back_as_for_10(settings: Any) -> None:
    settings.DWATCH_BATCH_SIZE = 500

    def asked(amount: int) -> int:
        hold_back(amount)
        with CaptureQueriesContext(connection) as captured:
            assert found(3).unconfirmed == amount
        return len(captured)

    assert asked(10) == asked(100)


def test_show__as_many_queries_for_20_held_back_as_for_one() -> None:
    def asked(amount: int) -> int:
        hold_back(amount)
        with CaptureQueriesContext(connection) as captured:
            assert list_checks().checks[0].unconfirmed == amount
            assert len(show_results("items", unconfirmed=True).results) == amount
        return len(captured)

    assert asked(1) == asked(20)
