from __future__ import annotations

import os
import signal
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import pytest
from django.contrib.auth.models import Group, User
from django.db import connection, transaction
from django.test.utils import CaptureQueriesContext

from dwatch.core.response import CheckResponse
from dwatch.core.status import Status
from dwatch.exceptions import SkipCheck, UnknownCheckError
from dwatch.models import (
    AssignedGroup,
    AssignedUser,
    CheckState,
    Result,
    ResultConfig,
    Run,
    StatusChange,
)
from dwatch.services.reports import RunState, StatusCounts
from dwatch.services.requests import RunRequest, Selection, SilentObserver
from dwatch.services.run import run_checks
from dwatch.store import states
from tests.running import judging, make_check, make_items, run
from tests.testapp.models import Item

if TYPE_CHECKING:
    from dwatch.core.check import BaseCheck

pytestmark = pytest.mark.django_db


def statuses() -> dict[str, Status]:
    rows = Result.objects.visible().values_list("description", "status")
    return {description: Status(status) for description, status in rows}


def test_run__stores_a_result_with_history_for_each_payload() -> None:
    make_items(1, -1)
    make_check()
    done = run()
    assert done.state is RunState.complete
    assert done.counts == StatusCounts(ok=1, critical=1)
    assert done.status_changes == 2
    assert statuses() == {"item 0": Status.ok, "item 1": Status.critical}
    changes = StatusChange.objects.order_by("pk").values_list("from_status", "to_status", "run")
    assert sorted(changes) == sorted([(None, 1, done.run_id), (None, 3, done.run_id)])
    assert [problem.description for problem in done.problems] == ["item 1"]


def test_run__again_with_nothing_new_writes_no_history() -> None:
    make_items(1, -1)
    make_check()
    run()
    before = list(Result.objects.order_by("pk").values("since", "first_seen", "digest"))
    second = run()
    assert second.status_changes == 0
    assert StatusChange.objects.count() == 2
    assert list(Result.objects.order_by("pk").values("since", "first_seen", "digest")) == before
    assert set(Result.objects.values_list("last_run", flat=True)) == {second.run_id}


def test_run__status_moves_since_but_not_first_seen() -> None:
    (item,) = make_items(1)
    make_check()
    run()
    first = Result.objects.get()
    Item.objects.filter(pk=item.pk).update(value=-1)
    assert run().status_changes == 1
    second = Result.objects.get()
    assert second.status == Status.critical
    assert second.since > first.since
    assert second.first_seen == first.first_seen
    assert StatusChange.objects.filter(from_status=1, to_status=3).count() == 1


def test_run__other_data_keeps_since() -> None:
    (item,) = make_items(1)
    make_check(check=judging(lambda item: CheckResponse(Status.warning, value=item.value)))
    run()
    first = Result.objects.get()
    Item.objects.filter(pk=item.pk).update(value=2)
    assert run().status_changes == 0
    second = Result.objects.get()
    assert second.data == {"value": 2}
    assert second.since == first.since


def test_run__raising_payload_is_unknown_and_the_others_go_on() -> None:
    make_items(1, 2, 3)
    make_check(check=judging(lambda item: Status.ok if item.value != 2 else 1 / 0))
    make_check("later")
    report = run_checks(RunRequest(force=True))
    first, later = report.checks
    assert first.errors == 1
    assert first.counts == StatusCounts(ok=2, unknown=1)
    assert later.state is RunState.complete
    bad = Result.objects.get(check_state__slug="items", status=Status.unknown)
    assert bad.error == "ZeroDivisionError: division by zero"
    assert "Traceback" in bad.traceback
    assert first.problems[0].error == bad.error


@pytest.mark.parametrize("verdict", [None, 42, True, 1, "ok"])
def test_run__no_verdict_is_an_error(verdict: object) -> None:
    make_items(1)
    make_check(check=judging(lambda _item: verdict))
    assert run().errors == 1
    assert "return a Status" in Result.objects.get().error


@pytest.mark.parametrize("error", [SystemExit(0), KeyboardInterrupt(), GeneratorExit()])
def test_run__authors_exit_is_an_error_like_any_other(error: BaseException) -> None:
    def check(_self: BaseCheck, _item: Item) -> Status:
        raise error

    make_items(1)
    make_check(check=check)
    assert run().errors == 1
    assert Result.objects.get().error.startswith(type(error).__name__)


def test_run__generate_raising_midway_keeps_what_was_judged_and_hides_nothing() -> None:
    items = make_items(1, 2, 3)
    make_check()
    run()

    def generate(_self: BaseCheck) -> Any:
        yield items[0]
        message = "the file ended"
        raise OSError(message)

    make_check(generate=generate)
    done = run()
    assert done.state is RunState.failed
    assert done.error == "OSError: the file ended"
    assert done.counts == StatusCounts(ok=1)
    assert done.errors == 1
    assert Result.objects.visible().count() == 3
    assert Run.objects.get(pk=done.run_id or 0).state == Run.State.FAILED


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("fails", [True, False])
def test_run__generate_that_keeps_a_transaction_open_is_said(
    fails: bool,  # noqa: FBT001
    settings: Any,
) -> None:
    settings.DWATCH_BATCH_SIZE = settings.DWATCH_TRANSACTION_SIZE = 1

    def generate(_self: BaseCheck) -> Any:
        with transaction.atomic():
            yield from Item.objects.all()
            if fails:
                raise RuntimeError("midway")

    make_items(1, -1)
    make_check(generate=generate)
    done = run()
    assert done.state is (RunState.failed if fails else RunState.complete)
    assert any("keeps a transaction open" in note for note in done.notes)
    make_check()
    assert run().notes == ()


@pytest.mark.parametrize("source", [None, "text", 5])
def test_run__generate_returning_no_payloads_at_all(source: object) -> None:
    make_check(generate=lambda _self: source)
    done = run()
    assert done.state is RunState.failed
    assert "generate() returned" in done.error


def test_run__check_that_cannot_be_made() -> None:
    def broken(_self: BaseCheck) -> None:
        message = "no configuration"
        raise RuntimeError(message)

    make_check(__init__=broken)
    done = run()
    assert done.state is RunState.failed
    assert done.error == "RuntimeError: no configuration"
    assert done.title == "Check_items"


def test_run__payload_no_longer_generated_vanishes_and_comes_back_with_all_it_had() -> None:
    item, _other = make_items(-1, 1)
    make_check()
    run()
    result = Result.objects.get(status=Status.critical)
    ResultConfig.objects.create(result=result, config={"a": 1}, changed_at=result.since)
    make_check(generate=lambda _self: Item.objects.exclude(pk=item.pk))
    assert run().vanished == 1
    result.refresh_from_db()
    assert result.vanished_at
    make_check()
    run()
    assert Result.objects.visible().filter(pk=result.pk).exists()
    assert result.stored_config.config == {"a": 1}
    assert result.status_changes.count() == 1


def test_run__empty_source_hides_everything() -> None:
    make_items(1, 2)
    make_check()
    run()
    make_check(generate=lambda _self: [])
    assert run().vanished == 2


def test_run__results_judged_since_it_began_do_not_vanish() -> None:
    (item,) = make_items(1)
    make_check()
    run()

    def generate(_self: BaseCheck) -> Any:
        Result.objects.update(evaluated_at=datetime.now(UTC) + timedelta(seconds=1))
        return iter(())

    make_check(generate=generate)
    assert run().vanished == 0
    assert Result.objects.visible().get().identifier == str(item.pk)


def test_run__older_copy_does_not_overwrite_a_newer_verdict() -> None:
    make_items(-1)
    make_check()
    run()
    Result.objects.update(
        evaluated_at=datetime.now(UTC) + timedelta(minutes=1), status=Status.ok, digest=1
    )
    done = run()
    result = Result.objects.get()
    assert result.status == Status.ok
    assert result.last_run == done.run_id


def test_run__skip_hides_the_result_and_keeps_its_history() -> None:
    def check(_self: BaseCheck, item: Item) -> Status:
        if item.note:
            raise SkipCheck
        return Status.warning

    items = make_items(1, 2)
    make_check(check=check)
    run()
    Item.objects.filter(pk=items[0].pk).update(note="skip")
    done = run()
    assert done.skipped == 1
    assert done.counts == StatusCounts(warning=1)
    hidden = Result.objects.get(identifier=str(items[0].pk))
    assert hidden.vanished_at is not None
    assert hidden.status_changes.count() == 1


def test_run__same_identifier_in_one_batch_keeps_the_worst() -> None:
    make_items(1, -1, 2)
    make_check(get_identifier=lambda _self, _item: "same", get_payload=lambda _s, _i: None)
    done = run()
    assert done.duplicates == 2
    assert done.counts == StatusCounts(critical=1)
    assert Result.objects.get().status == Status.critical


@pytest.mark.parametrize(("values", "counts"), [((1, -1), (0, 1)), ((-1, 1), (0, 1))])
def test_run__same_identifier_in_two_batches_keeps_the_worst(
    settings: Any, values: tuple[int, int], counts: tuple[int, int]
) -> None:
    settings.DWATCH_BATCH_SIZE = settings.DWATCH_TRANSACTION_SIZE = 1
    make_items(*values)
    make_check(get_identifier=lambda _self, _item: "same", get_payload=lambda _s, _i: None)
    done = run()
    assert done.duplicates == 1
    assert done.counts == StatusCounts(ok=counts[0], critical=counts[1])
    assert Result.objects.get().status == Status.critical


@pytest.mark.parametrize(
    ("identifier", "stored"),
    [
        (5, "5"),
        ((1, "a"), "(1, 'a')"),
        (datetime(2026, 1, 2, tzinfo=UTC), "2026-01-02 00:00:00+00:00"),
        ("", "<empty>"),
        (None, "<None>"),
        ("Žluťoučký 🐎", "Žluťoučký 🐎"),
        ("a\0b", "a\\x00b"),
        ("a\ud800b", "a\\ud800b"),
        ("x" * 5000, "x" * 5000),
    ],
)
def test_run__identifiers(identifier: object, stored: str) -> None:
    make_items(1)
    make_check(get_identifier=lambda _self, _item: identifier, get_payload=lambda _s, _i: None)
    done = run()
    assert done.counts.total == 1
    assert Result.objects.get().full_identifier == stored
    run()
    assert Result.objects.count() == 1


def test_run__identifiers_that_differ_by_case_or_space_are_different() -> None:
    names = ["A", "a", "a ", "a" * 300, "a" * 301, "a" * 300 + "b"]
    make_items(*range(len(names)))
    make_check(
        get_identifier=lambda _self, item: names[item.value], get_payload=lambda _s, _i: None
    )
    assert run().duplicates == 0
    assert {result.full_identifier for result in Result.objects.all()} == set(names)


def test_run__data_that_json_has_not() -> None:
    data = {
        "nan": float("nan"),
        "big": 10**400,
        "nul": "a\0b",
        "lone": "\ud800",
        "when": datetime(2026, 1, 2, tzinfo=UTC),
        "set": {1},
    }
    make_items(1)
    make_check(check=judging(lambda _item: CheckResponse(Status.warning, **data)))
    assert run().errors == 0
    assert Result.objects.get().data == {
        "nan": "nan",
        "big": 10**400,
        "nul": "a\0b",
        "lone": "\ud800",
        "when": "2026-01-02T00:00:00+00:00",
        "set": [1],
    }


def test_run__huge_data_and_description_are_cut() -> None:
    make_items(1)
    make_check(
        check=judging(lambda _item: CheckResponse(Status.warning, text="x" * 1_000_000)),
        get_payload_description=lambda _self, _item: "y\0" * 100_000,
    )
    run()
    result = Result.objects.get()
    assert "the limit is" in result.data["truncated"]
    assert len(result.description) == 1000


def test_run__payload_deleted_between_generate_and_check() -> None:
    def check(_self: BaseCheck, item: Item) -> Status:
        item.refresh_from_db()
        return Status.ok

    items = make_items(1, 2)

    def generate(_self: BaseCheck) -> Any:
        yield items[0]
        Item.objects.filter(pk=items[1].pk).delete()
        yield items[1]

    make_check(check=check, generate=generate)
    done = run()
    assert done.counts == StatusCounts(ok=1, unknown=1)
    assert "DoesNotExist" in done.problems[0].error


def test_run__assigns_users_and_groups_and_keeps_them_in_step() -> None:
    ada, bob = (User.objects.create(username=name) for name in ("ada", "bob"))
    group = Group.objects.create(name="finance")
    items = make_items(-1, -2)
    wanted: list[Any] = [ada, bob]
    make_check(
        get_assigned_users=lambda _self, _item, _status: wanted,
        get_assigned_groups=lambda _self, _item, _status: [group],
    )
    run()
    assert AssignedUser.objects.count() == 4
    assert AssignedGroup.objects.count() == 2
    wanted[:] = [bob]
    run()
    assert set(AssignedUser.objects.values_list("user", flat=True)) == {bob.pk}
    wanted[:] = [User(pk=987_654)]  # deleted meanwhile
    assert run().errors == 0
    assert AssignedUser.objects.count() == 0
    assert len(items) == Result.objects.count()


def test_run__nobody_stays_assigned_once_the_check_names_nobody() -> None:
    ada, group = User.objects.create(username="ada"), Group.objects.create(name="ops")
    make_items(1, -1)
    make_check(
        get_assigned_users=lambda _self, _item, _status: [ada],
        get_assigned_groups=lambda _self, _item, _status: [group],
    )
    run()
    assert (AssignedUser.objects.count(), AssignedGroup.objects.count()) == (2, 2)
    make_check()
    run()
    assert (AssignedUser.objects.count(), AssignedGroup.objects.count()) == (0, 0)


def test_run__queries_are_constant_however_much_changes(settings: Any) -> None:
    settings.DWATCH_BATCH_SIZE = 500
    user = User.objects.create(username="ada")

    def queries(amount: int) -> int:
        Item.objects.all().delete()
        Result.objects.all().delete()
        make_check(get_assigned_users=lambda _self, _item, _status: [user])
        Item.objects.bulk_create(Item(name=f"i{n}", value=1) for n in range(amount))
        run()
        Item.objects.update(value=-1)
        with CaptureQueriesContext(connection) as captured:
            assert run().status_changes == amount
        return len([q for q in captured if not q["sql"].startswith("INSERT")])

    assert queries(40) == queries(400)


def test_run__only_what_is_due() -> None:
    make_items(1)
    make_check(run_every="0 0 1 1 *")
    make_check("manual")
    first = run_checks(RunRequest())
    assert [check.state for check in first.checks] == [RunState.complete, RunState.not_due]
    second = run_checks(RunRequest())
    assert [check.state for check in second.checks] == [RunState.not_due, RunState.not_due]
    assert second.checks[0].next_slot is not None
    assert second.checks[0].next_slot > datetime.now(UTC)


def test_run__missed_slots_are_one_run() -> None:
    make_items(1)
    make_check(run_every="*/5 * * * *")
    run()
    CheckState.objects.update(handled_slot=datetime.now(UTC) - timedelta(hours=3))
    assert run(force=False).state is RunState.complete
    assert run(force=False).state is RunState.not_due


def test_run__clock_that_was_a_year_ahead_does_not_stop_the_check() -> None:
    make_items(1)
    make_check(run_every="*/5 * * * *")
    run()
    CheckState.objects.update(handled_slot=datetime.now(UTC) + timedelta(days=365))
    assert run(force=False).state is RunState.complete
    assert CheckState.objects.filter(handled_slot__lt=datetime.now(UTC)).exists()


def test_run__failed_run_handles_its_slot() -> None:
    make_check(run_every="*/5 * * * *", generate=lambda _self: 1 / 0)
    assert run(force=False).state is RunState.failed
    assert run(force=False).state is RunState.not_due


def test_run__dry_run_judges_and_stores_nothing() -> None:
    make_items(-1, -2, 3)
    make_check()
    done = run(dry_run=True)
    assert done.counts == StatusCounts(critical=2, ok=1)
    assert done.run_id is None
    for model in (CheckState, Run, Result, StatusChange):
        assert model.objects.count() == 0


def test_run__dry_run_counts_errors_skips_and_duplicates() -> None:
    def check(_self: BaseCheck, item: Item) -> Status:
        if item.value == 0:
            raise SkipCheck
        return Status.ok if item.value > 1 else 1 / 0  # type: ignore[return-value]

    make_items(0, 1, 2)
    make_check(check=check)
    done = run(dry_run=True)
    assert (done.skipped, done.errors, done.counts.ok) == (1, 1, 1)


def test_run__stop_early_ends_at_the_first_failure() -> None:
    make_items(-1)
    for slug in ("a", "b"):
        make_check(slug)
    report = run_checks(RunRequest(force=True, stop_early=True, fail_on=Status.critical))
    assert [check.state for check in report.checks] == [RunState.complete, RunState.not_started]
    report = run_checks(RunRequest(force=True, stop_early=True))
    assert [check.state for check in report.checks] == [RunState.complete, RunState.complete]


def test_run__stop_early_ends_at_an_error() -> None:
    make_items(1)
    make_check("a", check=judging(lambda _item: 1 / 0))
    make_check("b")
    report = run_checks(RunRequest(force=True, stop_early=True))
    assert [check.state for check in report.checks] == [RunState.complete, RunState.not_started]


def test_run__unknown_slug_is_an_error_with_a_suggestion() -> None:
    make_check("shop.checks.WalletBalance")
    with pytest.raises(UnknownCheckError) as raised:
        run_checks(RunRequest(Selection(slugs=("WalletBalanse",))))
    assert "shop.checks.WalletBalance" in raised.value.hint


def test_run__held_check_says_by_whom() -> None:
    make_items(1)
    make_check()
    run()
    CheckState.objects.update(
        lease_token="x",
        lease_owner="other (pid 1)",
        lease_since=datetime.now(UTC),
        lease_expires=datetime.now(UTC) + timedelta(minutes=1),
    )
    held = run()
    assert held.state is RunState.held
    assert held.held_by == "other (pid 1)"


def test_run__takes_over_an_expired_lease_and_marks_its_run_abandoned() -> None:
    make_items(1)
    make_check()
    done = run()
    Run.objects.filter(pk=done.run_id or 0).update(state=Run.State.RUNNING)
    CheckState.objects.update(
        lease_token="x", lease_expires=datetime.now(UTC) - timedelta(seconds=1)
    )
    assert run().state is RunState.complete
    assert Run.objects.get(pk=done.run_id or 0).state == Run.State.ABANDONED


def test_run__that_lost_its_lease_writes_nothing_and_says_so() -> None:
    def check(_self: BaseCheck, _item: Item) -> Status:
        CheckState.objects.update(lease_token="somebody else's")
        return Status.ok

    make_items(1)
    make_check(check=check)
    done = run()
    assert done.state is RunState.failed
    assert "took this check over" in done.error
    assert Result.objects.count() == 0
    assert CheckState.objects.get().lease_token == "somebody else's"


def test_run__lease_lost_at_the_end_hides_nothing() -> None:
    make_items(1)
    make_check()
    run()

    def generate(_self: BaseCheck) -> Any:
        CheckState.objects.update(lease_token="somebody else's")
        return []

    make_check(generate=generate)
    done = run()
    assert done.state is RunState.failed
    assert Result.objects.visible().count() == 1


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_run__interrupted_keeps_what_was_judged_and_leaves_the_slot_due(number: int) -> None:
    def check(_self: BaseCheck, item: Item) -> Status:
        if item.value == 2:
            os.kill(os.getpid(), number)
        return Status.ok

    make_items(1, 2, 3)
    make_check(check=check, run_every="*/5 * * * *")
    make_check("later")
    report = run_checks(RunRequest(force=True))
    assert report.interrupted_by == number
    assert [check.state for check in report.checks] == [RunState.interrupted, RunState.not_started]
    assert Result.objects.count() == 2
    state = CheckState.objects.get(slug="items")
    assert state.handled_slot is None
    assert state.lease_token == ""


@pytest.mark.parametrize("hanging", [1, 2])
def test_run__hanging_payload_is_left_after_the_grace_time(hanging: int) -> None:
    def check(_self: BaseCheck, item: Item) -> Status:
        if item.value == hanging:
            os.kill(os.getpid(), signal.SIGINT)
            while True:
                signal.pause()
        return Status.ok

    make_items(1, 2, 3)
    make_check(check=check)
    assert run().state is RunState.interrupted
    assert Result.objects.count() == hanging - 1
    assert CheckState.objects.get().lease_token == ""


@pytest.mark.django_db(transaction=True)
def test_run__interrupted_query_costs_nothing_that_was_judged() -> None:
    sleep = {"postgresql": "SELECT PG_SLEEP(2)", "mysql": "SELECT SLEEP(2)"}.get(connection.vendor)

    def check(_self: BaseCheck, item: Item) -> Status:
        if item.value == 2:
            os.kill(os.getpid(), signal.SIGINT)
            with connection.cursor() as cursor:
                cursor.execute(sleep or "SELECT 1")
            while True:
                signal.pause()
        return Status.ok

    make_items(1, 2, 3)
    make_check(check=check)
    assert run().state is RunState.interrupted
    assert Result.objects.count() == 1
    assert CheckState.objects.get().lease_token == ""


def test_run__hooks_that_raise_do_not_end_the_run() -> None:
    def broken(*_args: object) -> Any:
        message = "broken hook"
        raise RuntimeError(message)

    make_items(1)
    make_check(get_title=broken, get_form_class=broken, get_payload_description=broken)
    done = run()
    assert done.title == "Check_items"
    assert done.problems[0].error == "RuntimeError: broken hook"


def test_run__without_any_check_is_refused() -> None:
    with pytest.raises(UnknownCheckError, match="no check is registered"):
        run_checks(RunRequest(force=True))


def test_run__selection_that_leaves_nothing_is_refused() -> None:
    make_check("a", tags=("x",))
    make_check("b", tags=("y",))
    with pytest.raises(UnknownCheckError, match="no check is left"):
        run_checks(RunRequest(Selection(slugs=("a",), tags=("y",))))


@pytest.mark.parametrize(
    ("given", "shown"), [(Status.ok, "unknown"), (Status.critical, "critical")]
)
@pytest.mark.parametrize("hook", ["get_payload_description", "get_assigned_users"])
@pytest.mark.parametrize("error", [RuntimeError("broken hook"), SkipCheck()])
def test_run__hook_that_raises_after_the_verdict_never_makes_it_look_better(
    given: Status, shown: str, hook: str, error: Exception
) -> None:
    def broken(*_args: object) -> Any:
        raise error

    make_items(1)
    make_check(
        check=judging(lambda _item: CheckResponse(given, value=1)),
        **dict[str, Any]({hook: broken}),
    )
    assert run().errors == 1
    result = Result.objects.visible().get()
    assert Status(result.status).name == shown
    assert result.data == {"value": 1}
    assert type(error).__name__ in result.error


def test_run__what_a_trigger_judged_later_stands_in_the_same_run(settings: Any) -> None:
    settings.DWATCH_BATCH_SIZE = settings.DWATCH_TRANSACTION_SIZE = 1

    def generate(_self: BaseCheck) -> Any:
        yield items[0]
        later = datetime.now(UTC) + timedelta(minutes=1)
        Result.objects.update(evaluated_at=later, status=Status.ok)
        yield items[1]

    items = make_items(-1, -2)
    make_check(
        generate=generate,
        get_identifier=lambda _self, _item: "same",
        get_payload=lambda _self, _identifier: None,
    )
    run()
    assert Result.objects.get().status == Status.ok


class Counting(SilentObserver):
    """Asks for totals, as a terminal does."""

    wants_totals = True

    def __init__(self) -> None:
        self.totals: list[int | None] = []

    def check_started(self, slug: str, title: str, total: int | None) -> None:  # noqa: ARG002
        self.totals.append(total)


def test_run__calls_generate_once_even_if_its_total_is_shown() -> None:
    calls: list[str] = []

    def generate(_self: BaseCheck) -> Any:
        calls.append("called")
        return Item.objects.all()

    make_items(1, 2)
    make_check(generate=generate)
    observer = Counting()
    run_checks(RunRequest(force=True), observer)
    assert observer.totals == [2]
    assert calls == ["called"]


def test_run__hides_nothing_while_payloads_cannot_be_named() -> None:
    def get_identifier(_self: BaseCheck, item: Item) -> int:
        return 1 // 0 if item.value < 0 else item.pk

    make_items(-1, 1)
    make_check()
    run()
    make_check(get_identifier=get_identifier)
    done = run()
    assert done.errors == 1
    assert done.vanished == 0
    assert Result.objects.visible().filter(status=Status.critical).exists()
    make_check()
    assert run().vanished == 1  # the one without a name


def test_run__forced_and_not_claimed_is_never_called_not_due(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Another run holds the lease at the claim and is done when we look again."""
    make_items(1)
    make_check(run_every="0 0 1 1 *")
    run()
    real = states.acquire_lease

    def beaten(state: CheckState, now: datetime, *, scheduled: bool) -> states.Lease | None:
        first = real(state, now, scheduled=False)
        assert first is not None
        second = real(state, now, scheduled=scheduled)
        states.release_lease(first, handled_slot=None, ran_at=None)
        return second

    monkeypatch.setattr(states, "acquire_lease", beaten)
    assert run().state is RunState.held
    assert run(force=False).state is RunState.not_due


def test_run__slot_that_nobody_handled_is_run_though_others_handled_one_meanwhile() -> None:
    """The states are read at the beginning, and the checks before this one may take hours."""

    def check(_self: BaseCheck, _item: Item) -> Status:
        earlier = datetime.now(UTC) - timedelta(minutes=5)
        CheckState.objects.filter(slug="second").update(handled_slot=earlier)
        return Status.ok

    make_items(1)
    make_check("first", check=check, run_every="* * * * *")
    make_check("second", run_every="* * * * *")
    done = run_checks(RunRequest()).checks
    assert [check.state for check in done] == [RunState.complete] * 2


def test_run__says_that_a_clock_was_wrong_and_names_its_slot() -> None:
    make_items(1)
    make_check(run_every="*/5 * * * *")
    assert run(force=False).notes == ()
    CheckState.objects.update(handled_slot=datetime.now(UTC) + timedelta(days=365))
    done = run(force=False)
    assert "clocks" in done.notes[0]
    assert done.slot == CheckState.objects.get().handled_slot


def test_run__critical_payload_that_raised_is_named_first() -> None:
    make_items(*range(8))
    make_check(
        check=judging(lambda item: Status.critical if item.value == 7 else Status.warning),
        get_payload_description=lambda _self, item: f"{item.value}" if item.value != 7 else 1 / 0,
    )
    assert run().problems[0].status is Status.critical
