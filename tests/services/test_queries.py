"""How many queries things take, whatever the number of payloads and of what people did."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from django import forms
from django.contrib.auth.models import Group, User
from django.db import connection
from django.test.utils import CaptureQueriesContext

from dwatch.core.response import CheckResponse
from dwatch.core.status import Status
from dwatch.models import (
    Acknowledgement,
    AssignedGroup,
    AssignedUser,
    CheckState,
    Result,
    ResultConfig,
    Run,
    StatusChange,
)
from dwatch.services.listing import list_checks
from dwatch.services.show import show_result, show_results
from tests.running import make_check, make_items, refresh, run
from tests.testapp.models import Item

if TYPE_CHECKING:
    from collections.abc import Callable

    from dwatch.core.check import BaseCheck

pytestmark = pytest.mark.django_db

TABLES = (CheckState, Run, Result, StatusChange, Acknowledgement, ResultConfig, AssignedUser)


class Limits(forms.Form):
    least = forms.IntegerField(initial=0)


def by_limit(check: BaseCheck, item: Item) -> CheckResponse:
    status = Status.ok if item.value >= check.get_config(item)["least"] else Status.critical
    return CheckResponse(status, value=item.value)


def kinds(call: Callable[[], Any]) -> dict[str, int]:
    """Return how many statements of each kind and table the call makes."""
    with CaptureQueriesContext(connection) as captured:
        call()
    counts: dict[str, int] = {}
    for query in captured:
        # MariaDB's statements begin with how long they may wait for a lock.
        sql = query["sql"].removeprefix("SET STATEMENT innodb_lock_wait_timeout=3 FOR ")
        words = sql.replace('"', "").replace("`", "").split()
        if words[0] == "INSERT":  # SQLite takes fewer rows in a statement than a batch has
            continue
        if "UPDATE dwatch_result SET" in " ".join(words):  # on PostgreSQL within a query
            words = ["UPDATE", "dwatch_result"]
        kind = f"{words[0]} {words[1]}" if words[0] == "UPDATE" else words[0]
        counts[kind] = counts.get(kind, 0) + 1
    return counts


def everything_everywhere(amount: int) -> None:
    """Store that many results, each configured, acknowledged, assigned, and about to change."""
    for model in (Item, Result):
        model._default_manager.all().delete()
    users = [User.objects.get_or_create(username=f"user {n}")[0] for n in range(3)]
    groups = [Group.objects.get_or_create(name=f"group {n}")[0] for n in range(3)]
    Item.objects.bulk_create(Item(name=f"item {n}", value=n % 2 - 1) for n in range(amount))
    make_check(
        config_form=Limits,
        check=by_limit,
        get_assigned_users=lambda _self, _item, status: users[: 1 + status % 3],
        get_assigned_groups=lambda _self, _item, status: groups[status % 3 :],
    )
    run()
    now = CheckState.objects.get().last_run_at
    assert now is not None
    results = list(Result.objects.all())
    ResultConfig.objects.bulk_create(
        ResultConfig(result=one, config={"least": 0}, changed_at=now) for one in results
    )
    Acknowledgement.objects.bulk_create(
        Acknowledgement(result=one, status=3, created_at=now, until=now)
        for one in results
        if one.status == Status.critical
    )
    for item in Item.objects.all():
        Item.objects.filter(pk=item.pk).update(value=-1 - item.value)


@pytest.mark.parametrize("judge", [run, refresh])
def test_judging__takes_as_many_queries_for_400_changed_results_as_for_100(
    judge: Callable[[], Any], settings: Any
) -> None:
    settings.DWATCH_BATCH_SIZE = 500

    def changed(amount: int) -> dict[str, int]:
        everything_everywhere(amount)
        counts = kinds(judge)
        assert Result.objects.filter(status=Status.ok).count() == amount // 2
        assert StatusChange.objects.count() == 2 * amount
        assert Acknowledgement.objects.exclude(ended_at=None).count() == amount // 2
        assert AssignedUser.objects.count() == amount // 2 * (2 + 1)
        assert AssignedGroup.objects.count() == amount // 2 * (2 + 3)
        return counts

    few, many = changed(100), changed(400)
    assert few == many


def test_judging__unchanged_results_take_one_update_a_transaction(settings: Any) -> None:
    settings.DWATCH_BATCH_SIZE = settings.DWATCH_TRANSACTION_SIZE = 50
    make_items(*range(200))
    make_check()
    run()
    counts = kinds(run)
    assert counts["UPDATE dwatch_result"] == 4 + 1  # the last one hides what is no longer there
    # A batch asks what is stored and for the database's clock; a page serves one or four of
    # them, and the rest is per run.
    assert counts["SELECT"] <= 2 * 4 + 2 + 6


def test_judging__batches_are_stored_together(settings: Any) -> None:
    settings.DWATCH_BATCH_SIZE = 50
    make_items(*range(200))
    make_check(generate=lambda _self: iter(Item.objects.all()))
    run()
    assert kinds(run)["UPDATE dwatch_result"] == 1 + 1


def test_dry_run__writes_nothing_at_all() -> None:
    make_items(1, -1)
    make_check(config_form=Limits, check=by_limit)
    run()
    Item.objects.update(value=-5)
    before = {model: list(model._default_manager.order_by("pk").values()) for model in TABLES}
    with CaptureQueriesContext(connection) as captured:
        done = run(dry_run=True)
    assert done.counts.critical == 2
    assert {query["sql"].split()[0] for query in captured} == {"SELECT"}
    after = {model: list(model._default_manager.order_by("pk").values()) for model in TABLES}
    assert after == before


def test_show__takes_as_many_queries_for_50_results_as_for_2() -> None:
    def shown(amount: int) -> int:
        everything_everywhere(amount)
        with CaptureQueriesContext(connection) as captured:
            assert len(show_results("items", limit=50).results) == amount
        return len(captured)

    assert shown(2) == shown(50)


def test_show_result__takes_as_many_queries_for_a_long_history_as_for_a_short_one() -> None:
    (item,) = make_items(1)
    make_check()
    run()

    def shown() -> int:
        with CaptureQueriesContext(connection) as captured:
            show_result("items", str(item.pk))
        return len(captured)

    short = shown()
    for value in (-1, 1, -1, 1):
        Item.objects.update(value=value)
        run()
    assert len(show_result("items", str(item.pk)).timeline) == 5
    assert shown() == short


def test_list__takes_as_many_queries_for_20_checks_as_for_one() -> None:
    make_items(1, -1)

    def listed(amount: int) -> int:
        for number in range(amount):
            make_check(f"check-{number}", run_every="@daily")
            run(f"check-{number}")
        with CaptureQueriesContext(connection) as captured:
            assert len(list_checks().checks) == amount
        return len(captured)

    assert listed(1) == listed(20)
