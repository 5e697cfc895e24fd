"""Refresh, show, list, acknowledge, configure, try, clean up: after real runs."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import pytest
from django import forms
from django.contrib.auth.models import User
from django.db import OperationalError, connection

from dwatch import discovery
from dwatch.core.plan import DueState
from dwatch.core.registry import registry
from dwatch.core.response import CheckResponse
from dwatch.core.status import Status
from dwatch.exceptions import (
    AcknowledgeError,
    AlreadyAcknowledgedError,
    ConfigurationError,
    DefinitionError,
    UnknownCheckError,
    UnknownResultError,
    UsageError,
)
from dwatch.models import Acknowledgement, CheckState, Result, Run, StatusChange, Tag
from dwatch.services.acknowledge import acknowledge, withdraw
from dwatch.services.boundary import database_errors_in_words
from dwatch.services.cleanup import clean_up
from dwatch.services.configure import configure
from dwatch.services.doctor import examine
from dwatch.services.listing import list_checks
from dwatch.services.reports import RunState, StatusCounts
from dwatch.services.requests import CleanupRequest, RunRequest, Selection
from dwatch.services.run import run_checks
from dwatch.services.show import show_result, show_results
from dwatch.services.trial import try_payload
from tests.running import judging, make_check, make_items, refresh, run
from tests.testapp.models import Item

if TYPE_CHECKING:
    from dwatch.core.check import BaseCheck

pytestmark = pytest.mark.django_db


@pytest.fixture
def ada() -> User:
    return User.objects.create(username="ada")


@pytest.fixture
def problem() -> str:
    """Store a critical result of ``items`` and return its identifier."""
    (item,) = make_items(-1)
    make_check()
    run()
    return str(item.pk)


def change(identifier: str, value: int) -> None:
    Item.objects.filter(pk=identifier).update(value=value)
    run()


# -- refresh ------------------------------------------------------------------


def test_refresh__judges_existing_results_only() -> None:
    first, _second = make_items(1, 2)
    make_check(generate=lambda _self: Item.objects.filter(pk=first.pk))
    run()
    Item.objects.update(value=-1)
    done = refresh()
    assert done.counts == StatusCounts(critical=1)
    assert Run.objects.get(pk=done.run_id or 0).reason == Run.Reason.REFRESH
    assert StatusChange.objects.filter(reason="refresh").count() == 1


def test_refresh__deleted_payload_vanishes(problem: str) -> None:
    Item.objects.all().delete()
    done = refresh()
    assert done.gone == 1
    assert Result.objects.get(identifier=problem).vanished_at is not None


def test_refresh__by_identifier_and_status() -> None:
    items = make_items(-1, -1, 1)
    make_check()
    run()
    assert refresh(identifiers=(str(items[0].pk),)).counts.total == 1
    assert refresh(status=Status.critical).counts.total == 2
    with pytest.raises(UnknownResultError):
        refresh(identifiers=("nobody",))


def test_refresh__in_pages_with_long_identifiers(settings: Any) -> None:
    settings.DWATCH_BATCH_SIZE = 2
    make_items(1, 2, 3, 4, 5)
    make_check(
        get_identifier=lambda _self, item: f"{item.value}" * 300,
        get_payload=lambda _self, identifier: Item.objects.get(value=identifier[0]),
    )
    run()
    assert refresh().counts == StatusCounts(ok=5)


def test_refresh__another_models_does_not_exist_is_an_error(problem: str) -> None:
    def get_payload(_self: BaseCheck, _identifier: str) -> Any:
        return User.objects.get(pk=-1)

    make_check(get_payload=get_payload)
    done = refresh()
    assert done.errors == 1
    assert Result.objects.visible().get().identifier == problem


def test_refresh__identifier_that_is_no_primary_key_is_gone() -> None:
    make_items(1)
    make_check(get_identifier=lambda _self, _item: "text", get_payload=lambda _s, _i: None)
    run()
    make_check()
    assert refresh().gone == 1


def test_refresh__held_check_is_reported(problem: str) -> None:
    assert problem
    later = datetime.now(UTC) + timedelta(minutes=1)
    CheckState.objects.update(lease_token="x", lease_expires=later, lease_owner="other")
    assert refresh().state is RunState.held


# -- acknowledge --------------------------------------------------------------


def test_acknowledge__holds_until_recovery(problem: str, ada: User) -> None:
    given = acknowledge("items", problem, user=ada, days=7, reason="known")
    assert given.user_name == "ada"
    run()
    assert Result.objects.unacknowledged(datetime.now(UTC)).count() == 0
    change(problem, 1)
    given.refresh_from_db()
    assert given.ended == Acknowledgement.Ended.RECOVERED
    change(problem, -1)
    assert Result.objects.unacknowledged(datetime.now(UTC)).count() == 1


def levels(item: Item) -> Status:
    return {0: Status.unknown, 1: Status.ok, 2: Status.warning, 3: Status.critical}[item.value]


@pytest.mark.parametrize(
    ("path", "ended"),
    [
        ([2, 3], "worsened"),
        ([2, 2], ""),
        ([3, 2, 3], ""),
        ([3, 0, 3], ""),
        ([3, 0, 1], "recovered"),
        ([0, 2], "worsened"),
        ([2, 0, 2], ""),
        ([2, 1], "recovered"),
    ],
)
def test_acknowledge__along_a_path_of_statuses(ada: User, path: list[int], ended: str) -> None:
    (item,) = make_items(path[0])
    make_check(check=judging(levels))
    run()
    given = acknowledge("items", str(item.pk), user=ada, days=1)
    for value in path[1:]:
        change(str(item.pk), value)
    given.refresh_from_db()
    assert given.ended == ended
    assert (given.ended_at is None) == (ended == "")


def test_acknowledge__shorter_never_replaces_longer(problem: str, ada: User) -> None:
    acknowledge("items", problem, user=ada, days=7)
    with pytest.raises(AlreadyAcknowledgedError, match="already"):
        acknowledge("items", problem, user=ada, days=3)
    acknowledge("items", problem, user=ada, days=9)
    assert Acknowledgement.objects.filter(ended="replaced").count() == 1
    assert withdraw("items", problem)
    assert not withdraw("items", problem)
    acknowledge("items", problem, user=ada, days=3)


def test_acknowledge__only_problems(ada: User) -> None:
    (item,) = make_items(1)
    make_check()
    run()
    with pytest.raises(AcknowledgeError, match="is ok"):
        acknowledge("items", str(item.pk), user=ada, days=1)
    change(str(item.pk), -1)
    Item.objects.all().delete()
    run()
    with pytest.raises(AcknowledgeError, match="vanished"):
        acknowledge("items", str(item.pk), user=ada, days=1)


@pytest.mark.parametrize("days", [0, -1, 15])
def test_acknowledge__within_the_checks_limit(problem: str, ada: User, days: int) -> None:
    make_check(max_acknowledge=14)
    with pytest.raises(AcknowledgeError, match="days"):
        acknowledge("items", problem, user=ada, days=days)


def test_acknowledge__limit_that_raises(problem: str, ada: User) -> None:
    make_check(get_max_acknowledge=lambda _self: 1 / 0)
    with pytest.raises(AcknowledgeError, match="ZeroDivisionError"):
        acknowledge("items", problem, user=ada, days=1)


def test_acknowledge__survives_its_user(problem: str, ada: User) -> None:
    acknowledge("items", problem, user=ada, days=1)
    ada.delete()
    assert Acknowledgement.objects.get().user_name == "ada"
    assert Result.objects.count() == 1


# -- configure ----------------------------------------------------------------


class Limits(forms.Form):
    least = forms.IntegerField(initial=0)
    note = forms.CharField(initial="none", required=False)


def by_limit(check: BaseCheck, item: Item) -> CheckResponse:
    config = check.get_config(item)
    status = Status.ok if item.value >= config["least"] else Status.critical
    return CheckResponse(status, note=config["note"])


def test_configure__changes_exactly_that_result(ada: User) -> None:
    first, second = make_items(1, 1)
    make_check(config_form=Limits, check=by_limit)
    run()
    report = configure("items", str(first.pk), {"least": 5}, user=ada)
    assert report.checks[0].counts == StatusCounts(critical=1)
    assert Result.objects.get(identifier=str(second.pk)).status == Status.ok
    assert run().counts == StatusCounts(ok=1, critical=1)
    shown = show_result("items", str(first.pk))
    assert shown.config == {"least": 5, "note": ""}
    assert registry.get("items")().get_config(first) == {"least": 5, "note": ""}
    assert registry.get("items")().get_config(second) == {"least": 0, "note": "none"}


def test_configure__refuses_what_the_form_refuses(problem: str, ada: User) -> None:
    with pytest.raises(UsageError, match="nothing to configure"):
        configure("items", problem, {}, user=ada)
    make_check(config_form=Limits, check=by_limit)
    with pytest.raises(UsageError, match="least"):
        configure("items", problem, {"least": "x"}, user=ada)


# -- list and show ------------------------------------------------------------


def test_list__states_counts_and_last_run(problem: str) -> None:
    make_check("never", run_every="@daily")
    make_check("overdue", run_every="*/5 * * * *")
    run("overdue")
    CheckState.objects.filter(slug="overdue").update(
        handled_slot=datetime.now(UTC) - timedelta(hours=1)
    )
    listed = {check.slug: check for check in list_checks().checks}
    assert listed["items"].state is DueState.manual
    assert listed["items"].counts == StatusCounts(critical=1)
    assert listed["items"].last_run_state == "complete"
    assert listed["never"].state is DueState.never
    assert listed["never"].last_run_at is None
    assert listed["overdue"].state is DueState.overdue
    assert listed["overdue"].last_duration is not None
    assert problem


def test_list__running_and_removed_checks(problem: str) -> None:
    later = datetime.now(UTC) + timedelta(minutes=1)
    CheckState.objects.update(lease_token="x", lease_expires=later, lease_owner="other")
    assert list_checks().checks[0].running_by == "other"
    registry.restore({})
    report = list_checks()
    assert report.checks == ()
    assert report.removed == (("items", 1),)
    assert problem


def test_show__worst_first_and_limited() -> None:
    make_items(1, -1, 2)
    make_check()
    run()
    report = show_results("items", limit=2)
    assert [row.status for row in report.results] == [Status.critical, Status.ok]
    assert report.matching == 3
    assert show_results("items", status=Status.ok).matching == 2
    Item.objects.filter(value=1).delete()
    run()
    assert show_results("items").matching == 2
    everything = show_results("items", include_vanished=True)
    assert everything.matching == 3
    assert [row.vanished_at is None for row in everything.results] == [True, True, False]
    assert len(show_results("items", include_vanished=True, limit=2).results) == 2
    of_ok = show_results("items", status=Status.ok, include_vanished=True)
    assert (of_ok.matching, len(of_ok.results)) == (2, 2)


def test_show__everything_of_one_result(problem: str, ada: User) -> None:
    make_check(
        get_assigned_users=lambda _self, _item, _status: [ada],
        format_result_data=lambda _self, result: f"status {result.status}",
    )
    run()
    acknowledge("items", problem, user=ada, days=1, reason="known")
    Tag.objects.create(result=Result.objects.get(), tag="later")
    change(problem, 1)
    shown = show_result("items", problem)
    assert shown.formatted_data == "status 1"
    assert shown.users == ("ada",)
    assert shown.tags == ("later",)
    assert shown.result.acknowledged_until is None
    assert [entry.kind for entry in shown.timeline].count("status") == 2
    assert {entry.kind for entry in shown.timeline} == {
        "status",
        "acknowledged",
        "acknowledgement ended",
    }


def test_show__formatting_that_raises_is_said(problem: str) -> None:
    make_check(format_result_data=lambda _self, _result: 1 / 0)
    assert "ZeroDivisionError" in show_result("items", problem).formatted_data


def test_show__unknown_check_and_result(problem: str) -> None:
    assert problem
    with pytest.raises(UnknownCheckError):
        show_results("nothing")
    with pytest.raises(UnknownResultError):
        show_result("items", "nobody")


def test_earlier_slug__is_listed_and_shown_before_the_next_run(problem: str) -> None:
    registry.restore({})
    make_check("now", aliases=("items",))
    (listed,) = list_checks().checks
    assert (listed.counts, listed.last_run_state) == (StatusCounts(critical=1), "complete")
    assert [row.identifier for row in show_results("now").results] == [problem]
    assert show_result("now", problem).result.status is Status.critical
    assert list(CheckState.objects.values_list("slug", flat=True)) == ["items"]


# -- try ----------------------------------------------------------------------


def test_try__shows_queries_and_stores_nothing(problem: str, ada: User) -> None:
    make_check(
        check=judging(lambda item: CheckResponse(Status.warning, value=item.value)),
        get_assigned_users=lambda _self, _item, _status: [ada],
    )
    tried = try_payload("items", problem)
    assert tried.status is Status.warning
    assert tried.stored_status is Status.critical
    assert tried.data == {"value": -1}
    assert tried.users == ("ada",)
    assert len(tried.queries) == 1
    assert Result.objects.get().status == Status.critical


def test_try__gone_raising_and_impossible(problem: str) -> None:
    assert try_payload("items", "0").outcome == "gone"
    make_check(check=judging(lambda _item: 1 / 0))
    assert "ZeroDivisionError" in try_payload("items", problem).error
    make_check(__init__=lambda _self: 1 / 0)
    with pytest.raises(DefinitionError):
        try_payload("items", problem)


# -- clean up -----------------------------------------------------------------


def long_ago(days: int) -> datetime:
    return datetime.now(UTC) - timedelta(days=days)


def test_cleanup__counts_and_deletes() -> None:
    make_items(1, 2)
    make_check("gone")
    make_check("kept")
    run_checks(RunRequest(force=True))
    registry.restore({"kept": registry.get("kept")})
    kept = Result.objects.filter(check_state__slug="kept").order_by("pk")
    Result.objects.filter(pk=kept[0].pk).update(vanished_at=long_ago(31))
    StatusChange.objects.filter(result=kept[1]).update(changed_at=long_ago(366))
    Run.objects.filter(check_state__slug="kept").update(started_at=long_ago(91))
    dry = clean_up(CleanupRequest(dry_run=True))
    assert Result.objects.count() == 4
    done = clean_up(CleanupRequest())
    assert done.removed_checks == dry.removed_checks == (("gone", 2),)
    assert done.vanished_results == dry.vanished_results == 1
    assert done.status_changes == 1
    assert done.runs == dry.runs == 1
    assert Result.objects.count() == 1
    assert not CheckState.objects.filter(slug="gone").exists()


def test_cleanup__none_leaves_that_kind_alone(problem: str) -> None:
    Result.objects.filter(identifier=problem).update(vanished_at=long_ago(1000))
    done = clean_up(
        CleanupRequest(vanished_for=None, history_older_than=None, runs_older_than=None)
    )
    assert (done.vanished_results, done.status_changes, done.runs) == (0, 0, 0)


def test_cleanup__refuses_while_a_module_is_missing(
    problem: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    failed = discovery.FailedModule("shop.checks", "ImportError: x", "")
    monkeypatch.setattr(discovery, "_failed", [failed])
    registry.restore({})
    with pytest.raises(ConfigurationError, match=r"shop\.checks"):
        clean_up(CleanupRequest())
    with pytest.raises(UnknownCheckError) as raised:
        show_results("items")
    assert "shop.checks" in raised.value.hint
    assert Result.objects.get().identifier == problem
    findings = [f for f in examine().findings if f.level == "error"]
    assert [f.subject for f in findings] == ["checks modules"]


# -- doctor, boundary, aliases ------------------------------------------------


def test_doctor__says_what_is_late(problem: str, settings: Any) -> None:
    make_check("never", run_every="@daily")
    make_check("ahead", run_every="@daily")
    make_check("overdue", run_every="*/5 * * * *")
    run("ahead")
    run("overdue")
    ahead = datetime.now(UTC) + timedelta(days=365)
    CheckState.objects.filter(slug="ahead").update(handled_slot=ahead)
    CheckState.objects.filter(slug="overdue").update(handled_slot=long_ago(1))
    registry.restore({k: v for k, v in registry.snapshot().items() if k != "items"})
    settings.DWATCH_BATCH_SIZE = 0
    settings.DWATCH_TYPO = 1
    report = examine()
    text = "\n".join(f"{f.level} {f.subject}: {f.text}" for f in report.findings)
    assert "error settings: DWATCH_BATCH_SIZE is 0" in text
    assert "warning settings: DWATCH_TYPO" in text
    assert "overdue: overdue" in text
    assert "never ran: never" in text
    assert "ahead ran in the future" in text
    assert "items is gone but has 1 results" in text
    assert not report.healthy
    assert problem


def test_doctor__healthy_installation() -> None:
    make_check()
    report = examine()
    assert report.healthy
    assert {f.level for f in report.findings} == {"ok"}


def test_doctor__nothing_registered() -> None:
    assert any("no check is registered" in f.text for f in examine().findings)


def test_boundary__missing_tables_are_told_from_other_errors() -> None:
    with (
        pytest.raises(ConfigurationError, match="tables are not up to date"),
        database_errors_in_words(),
        connection.cursor() as cursor,
    ):
        cursor.execute("SELECT * FROM dwatch_nothing")


def test_boundary__other_database_errors() -> None:
    with (
        pytest.raises(ConfigurationError, match="the database"),
        database_errors_in_words(),
        connection.cursor() as cursor,
    ):
        cursor.execute("SELECT FROM WHERE")


@pytest.mark.parametrize("what", ["database", "role"])
def test_boundary__missing_database_is_no_missing_table(what: str) -> None:
    with (
        pytest.raises(ConfigurationError, match="does not answer as it should"),
        database_errors_in_words(),
    ):
        raise OperationalError(f'FATAL:  {what} "dwatch_shop" does not exist')


def test_alias__takes_over_results_and_history(problem: str) -> None:
    registry.restore({})
    make_check("renamed", aliases=("items",))
    run("renamed")
    assert Result.objects.get().check_state.slug == "renamed"
    assert StatusChange.objects.count() == 1
    assert show_result("renamed", problem).result.identifier == problem
    assert list_checks(Selection(slugs=("ren*",))).checks[0].slug == "renamed"
