from __future__ import annotations

import os
import signal
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import pytest

from dwatch.core.registry import registry
from dwatch.core.status import Status
from dwatch.exceptions import UnknownCheckError, UnknownResultError
from dwatch.models import CheckState, Result, Run
from dwatch.services.refresh import refresh_results
from dwatch.services.reports import RunState, StatusCounts
from dwatch.services.requests import RefreshRequest, Selection
from tests.running import judging, make_check, make_items, refresh, run
from tests.testapp.models import Item, Part

if TYPE_CHECKING:
    from dwatch.core.check import BaseCheck

pytestmark = pytest.mark.django_db


def test_refresh__uuid_keys() -> None:
    parts = [Part.objects.create(number=number) for number in (1, 2, 3)]
    make_check(model_class=Part, check=judging(lambda _part: Status.ok))
    run()
    parts[0].delete()
    done = refresh()
    assert (done.counts, done.gone) == (StatusCounts(ok=2), 1)


def test_refresh__no_check_at_all_is_no_success() -> None:
    registry.restore({})
    with pytest.raises(UnknownCheckError, match="no check is registered"):
        refresh_results(RefreshRequest())


def test_refresh__long_identifier_is_found_by_its_whole_text() -> None:
    make_items(1, 2)
    make_check(
        get_identifier=lambda _self, item: f"{item.value}" * 5000,
        get_payload=lambda _self, identifier: Item.objects.get(value=identifier[0]),
    )
    run()
    Item.objects.update(value=-1)
    Item.objects.filter(name="item 1").update(value=2)
    assert refresh(identifiers=("2" * 5000,)).counts == StatusCounts(ok=1)
    with pytest.raises(UnknownResultError):
        refresh(identifiers=("2" * 4999,))


def test_refresh__identifier_known_to_one_of_two_checks() -> None:
    item, other = make_items(1, 2)
    make_check("a")
    make_check("b", generate=lambda _self: [other])
    run("a")
    run("b")
    report = refresh_results(RefreshRequest(Selection(), identifiers=(str(item.pk),)))
    assert [check.counts.total for check in report.checks] == [1, 0]


def test_refresh__bulk_load_that_raises_makes_errors_and_hides_nothing() -> None:
    make_items(1, 2)
    make_check()
    run()
    make_check(get_payloads=lambda _self, _identifiers: 1 / 0)
    done = refresh()
    assert (done.errors, done.gone, done.counts) == (2, 0, StatusCounts(unknown=2))
    assert Result.objects.visible().count() == 2


def test_refresh__handles_no_slot_and_is_no_last_run() -> None:
    make_items(1)
    make_check(run_every="0 0 1 1 *")
    run()
    before = CheckState.objects.get()
    CheckState.objects.update(handled_slot=datetime(2020, 1, 1, tzinfo=UTC))
    refresh()
    after = CheckState.objects.get()
    assert after.last_run_at == before.last_run_at
    assert run(force=False).state is RunState.complete


def test_refresh__hides_nothing_that_was_not_asked_for() -> None:
    items = make_items(1, -1)
    make_check()
    run()
    Item.objects.all().delete()
    assert refresh(identifiers=(str(items[0].pk),)).gone == 1
    assert Result.objects.visible().get().identifier == str(items[1].pk)


def test_refresh__interrupted_keeps_what_was_judged() -> None:
    def check(_self: BaseCheck, item: Item) -> Status:
        if item.value == 2 and armed:
            os.kill(os.getpid(), signal.SIGTERM)
        return Status.warning if armed else Status.ok

    armed: list[Any] = []
    make_items(1, 2, 3)
    make_check(check=check)
    run()
    armed.append(True)
    done = refresh()
    assert done.state is RunState.interrupted
    assert Result.objects.filter(status=Status.warning).count() == 2
    assert Run.objects.get(pk=done.run_id or 0).state == Run.State.INTERRUPTED
    assert CheckState.objects.get().lease_token == ""
