"""What django-datawatch does wrong and dwatch must never do: one test for each fault."""

from __future__ import annotations

import pickle
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import pytest
from django import forms
from django.contrib.auth.models import User
from django.db import connection

from dwatch.core.registry import registry
from dwatch.core.response import CheckResponse
from dwatch.core.status import Status
from dwatch.exceptions import (
    AcknowledgeError,
    ConfigurationError,
    SkipCheck,
    UnknownCheckError,
)
from dwatch.models import CheckState, Result, Tag
from dwatch.services.acknowledge import acknowledge
from dwatch.services.cleanup import clean_up
from dwatch.services.configure import configure
from dwatch.services.gate import ExitCode, exit_code
from dwatch.services.listing import list_checks
from dwatch.services.refresh import refresh_results
from dwatch.services.reports import RunState, StatusCounts
from dwatch.services.requests import CleanupRequest, RefreshRequest, RunRequest, Selection
from dwatch.services.run import run_checks
from dwatch.services.show import show_result, show_results
from tests.running import judging, make_check, make_items, refresh, run
from tests.testapp.models import Item

if TYPE_CHECKING:
    from dwatch.core.check import BaseCheck

pytestmark = pytest.mark.django_db


class Limits(forms.Form):
    least = forms.IntegerField(initial=0)


def by_limit(check: BaseCheck, item: Item) -> Status:
    return Status.ok if item.value >= check.get_config(item)["least"] else Status.critical


def level(item: Item) -> Status:
    return Status(item.value)


def a_problem(status: Status = Status.critical) -> str:
    """Store a result with this status and return its identifier."""
    (item,) = make_items(status)
    make_check(check=judging(level))
    run()
    return str(item.pk)


def becomes(*statuses: Status) -> None:
    for status in statuses:
        Item.objects.update(value=status)
        run()


def is_acknowledged() -> bool:
    return not Result.objects.unacknowledged(datetime.now(UTC)).exists()


def test_raising_payload__aborts_neither_its_check_nor_the_later_ones() -> None:
    make_items(1, 2, 3)
    make_check("a", run_every="@daily")
    make_check(
        "b",
        run_every="@daily",
        check=judging(lambda item: 1 / 0 if item.value == 1 else Status(item.value)),
    )
    make_check("c", run_every="@daily")
    report = run_checks(RunRequest())
    assert [check.state for check in report.checks] == [RunState.complete] * 3
    assert report.checks[1].counts == StatusCounts(unknown=1, warning=1, critical=1)


def test_raising_payload__its_earlier_ok_does_not_stay_on_show() -> None:
    a_problem(Status.ok)
    make_check(check=judging(lambda _item: 1 / 0))
    run()
    assert show_results("items").results[0].status is Status.unknown
    assert list_checks().checks[0].counts == StatusCounts(unknown=1)


@pytest.mark.parametrize("broken", ["check", "generate", "get_identifier", "__init__"])
def test_raising_check__is_not_repeated_before_its_next_slot(broken: str) -> None:
    def raises(*_args: object) -> Any:
        message = "broken"
        raise RuntimeError(message)

    make_items(1)
    make_check(run_every="0 0 1 1 *", **dict[str, Any]({broken: raises}))
    assert run(force=False).errors == 1
    assert run(force=False).state is RunState.not_due


def test_configuration__rechecks_its_own_payload_and_deletes_no_other() -> None:
    """The predecessor looked the payload up by the result's primary key."""
    make_items(9, 9)
    Item.objects.filter(value=9).delete()  # so that items and results differ in their keys
    items = make_items(1, 2, 3)
    make_check(config_form=Limits, check=by_limit)
    run()
    for item in items:
        report = configure("items", str(item.pk), {"least": item.value + 1}, user=None)
        assert report.checks[0].counts == StatusCounts(critical=1)
        assert report.checks[0].gone == 0
    assert Result.objects.visible().filter(status=Status.critical).count() == 3


def test_configuration__is_merged_over_the_defaults() -> None:
    class More(Limits):
        most = forms.IntegerField(initial=9)

    (item,) = make_items(5)
    make_check(config_form=Limits, check=by_limit)
    run()
    configure("items", str(item.pk), {"least": 1}, user=None)
    make_check(config_form=More, check=by_limit)
    assert registry.get("items")().get_config(item) == {"least": 1, "most": 9}


def test_deleting_the_user_who_acknowledged__keeps_the_result() -> None:
    ada = User.objects.create(username="ada")
    identifier = a_problem()
    acknowledge("items", identifier, user=ada, days=1)
    ada.delete()
    assert show_result("items", identifier).result.acknowledged_by == "ada"
    assert is_acknowledged()


def test_skip__keeps_configuration_acknowledgement_tags_and_history() -> None:
    def check(_self: BaseCheck, item: Item) -> Status:
        if item.note == "skip":
            raise SkipCheck
        return Status(item.value)

    identifier = a_problem()
    make_check(check=check, config_form=Limits)
    configure("items", identifier, {"least": 4}, user=None)
    acknowledge("items", identifier, user=None, days=9, reason="known")
    Tag.objects.create(result=Result.objects.get(), tag="later")
    before = show_result("items", identifier)
    Item.objects.update(note="skip")
    assert run().skipped == 1
    assert Result.objects.visible().count() == 0
    assert run().skipped == 1
    Item.objects.update(note="")
    run()
    after = show_result("items", identifier)
    assert after.result.acknowledged_reason == "known"
    assert (after.config, after.tags, after.timeline) == (
        before.config,
        before.tags,
        before.timeline,
    )
    assert after.result.since == before.result.since


def test_does_not_exist_of_another_model__deletes_no_result() -> None:
    identifier = a_problem()
    make_check(get_payload=lambda _self, _identifier: User.objects.get(username="nobody"))
    done = refresh()
    assert (done.gone, done.errors) == (0, 1)
    shown = show_result("items", identifier).result
    assert (shown.vanished_at, shown.status) == (None, Status.unknown)


def test_payload_no_longer_generated__does_not_stay_critical_for_ever() -> None:
    a_problem()
    Item.objects.all().delete()
    assert run().vanished == 1
    assert list_checks().checks[0].counts == StatusCounts()


def test_acknowledgement__ends_when_a_warning_becomes_critical() -> None:
    acknowledge("items", a_problem(Status.warning), user=None, days=9)
    becomes(Status.critical)
    assert not is_acknowledged()


def test_acknowledgement__ends_on_recovery_by_way_of_unknown() -> None:
    acknowledge("items", a_problem(), user=None, days=9)
    becomes(Status.unknown, Status.ok, Status.critical)
    assert not is_acknowledged()


def test_acknowledgement__is_not_given_in_advance() -> None:
    identifier = a_problem(Status.ok)
    with pytest.raises(AcknowledgeError, match="is ok"):
        acknowledge("items", identifier, user=None, days=9)
    becomes(Status.critical)
    assert not is_acknowledged()


def test_unknown_only__is_not_fine() -> None:
    a_problem(Status.unknown)
    report = run_checks(RunRequest(force=True))
    assert exit_code(report, Status.unknown) is ExitCode.gate
    assert report.checks[0].problems[0].status is Status.unknown
    assert Result.objects.problems().count() == 1


def test_result_of_a_removed_check__breaks_no_list() -> None:
    a_problem()
    make_check("other")
    registry.restore({"other": registry.get("other")})
    report = list_checks()
    assert [check.slug for check in report.checks] == ["other"]
    assert report.removed == (("items", 1),)
    assert run("other").state is RunState.complete
    assert clean_up(CleanupRequest()).removed_checks == (("items", 1),)


@pytest.mark.parametrize("typo", ["itms", "item", "Items"])
def test_typo_in_a_slug__is_an_error(typo: str) -> None:
    a_problem()
    selection = Selection(slugs=(typo,))
    for ask in (
        lambda: run_checks(RunRequest(selection)),
        lambda: refresh_results(RefreshRequest(selection)),
        lambda: list_checks(selection),
        lambda: show_results(typo),
        lambda: show_result(typo, "1"),
    ):
        with pytest.raises(UnknownCheckError) as raised:
            ask()
        assert raised.value.hint == "Did you mean items?"


def test_schedule__follows_the_projects_time_zone(settings: Any) -> None:
    make_check(run_every="0 6 * * *")
    hours = set()
    for zone in ("Asia/Tokyo", "America/Caracas"):
        settings.TIME_ZONE = zone
        upcoming = list_checks().checks[0].next_slot
        assert upcoming is not None
        hours.add(upcoming.astimezone(UTC).hour)
    assert hours == {21, 10}


@pytest.mark.django_db(transaction=True)
def test_cleanup__does_not_swallow_its_errors() -> None:
    a_problem()
    Result.objects.update(vanished_at=datetime.now(UTC) - timedelta(days=99))
    with connection.cursor() as cursor:
        cursor.execute("ALTER TABLE dwatch_tag RENAME TO dwatch_tag_away")
    try:
        with pytest.raises(ConfigurationError, match="dwatch_tag"):
            clean_up(CleanupRequest())
    finally:
        with connection.cursor() as cursor:
            cursor.execute("ALTER TABLE dwatch_tag_away RENAME TO dwatch_tag")
    assert Result.objects.count() == 1
    assert clean_up(CleanupRequest()).vanished_results == 1


def test_response__can_be_pickled() -> None:
    response = CheckResponse(Status.warning, balance=5)
    assert pickle.loads(pickle.dumps(response)) == response  # noqa: S301 - our own


@pytest.mark.parametrize("verdict", [None, 42, "critical", True])
def test_no_verdict__is_an_error_of_its_payload_only(verdict: object) -> None:
    make_items(1, 2)
    make_check(check=judging(lambda item: verdict if item.value == 1 else Status.ok))
    done = run()
    assert (done.errors, done.counts) == (1, StatusCounts(ok=1, unknown=1))


def test_overlapping_runs__are_refused() -> None:
    states: list[RunState] = []

    def check(_self: BaseCheck, _item: Item) -> Status:
        states.append(run().state)
        return Status.ok

    make_items(1)
    make_check(check=check)
    assert run().state is RunState.complete
    assert states == [RunState.held]
    assert CheckState.objects.get().lease_token == ""
