"""A clock that was wrong for a while must not freeze what is shown."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import pytest

from dwatch.core.paging import Page
from dwatch.core.plan import MAX_CLOCK_SKEW
from dwatch.core.status import Status
from dwatch.models import CheckState, Result
from dwatch.services.reports import RunState
from tests.running import make_check, make_items, refresh, run
from tests.testapp.models import Item

if TYPE_CHECKING:
    from collections.abc import Iterator

pytestmark = pytest.mark.django_db


def judged_by_a_clock_ahead(ahead: timedelta) -> Result:
    make_items(1)
    make_check()
    run()
    Result.objects.update(evaluated_at=datetime.now(UTC) + ahead)
    return Result.objects.get()


def test_run__replaces_what_a_clock_a_year_ahead_judged() -> None:
    judged_by_a_clock_ahead(timedelta(days=365))
    Item.objects.update(value=-1)
    assert run().status_changes == 1
    result = Result.objects.get()
    assert result.status == Status.critical
    assert result.evaluated_at < datetime.now(UTC)


def test_run__hides_what_a_clock_a_year_ahead_judged() -> None:
    judged_by_a_clock_ahead(timedelta(days=365))
    Item.objects.all().delete()
    assert run().vanished == 1


def test_refresh__hides_what_a_clock_a_year_ahead_judged() -> None:
    judged_by_a_clock_ahead(timedelta(days=365))
    Item.objects.all().delete()
    assert refresh().gone == 1
    assert Result.objects.visible().count() == 0


def test_run__believes_a_clock_that_is_a_little_ahead() -> None:
    judged_by_a_clock_ahead(MAX_CLOCK_SKEW / 2)
    Item.objects.update(value=-1)
    assert run().status_changes == 0
    assert Result.objects.get().status == Status.ok


class Aging:
    """The same payload twice: loaded before it was judged elsewhere, and after that."""

    def __init__(self, item: Item, judged: datetime) -> None:
        self.item, self.judged = item, judged

    def pages(self, size: int) -> Iterator[Page]:  # noqa: ARG002
        for seconds in (-1, 1):
            yield Page([self.item], self.judged + timedelta(seconds=seconds))


def test_run__counts_are_never_below_zero_when_a_newer_verdict_is_overtaken() -> None:
    result = judged_by_a_clock_ahead(timedelta(seconds=30))
    Item.objects.update(value=-1)
    source = Aging(Item.objects.get(), result.evaluated_at)
    make_check(generate=lambda _self: source)
    done = run()
    assert done.state is RunState.complete
    assert done.counts.ok == 0
    assert done.counts.critical > 0
    assert Result.objects.get().status == Status.critical


def test_run__takes_over_a_lease_that_a_clock_a_year_ahead_made() -> None:
    make_items(1)
    make_check()
    run()
    CheckState.objects.update(
        lease_token="left by a killed run",
        lease_since=datetime.now(UTC) + timedelta(days=365),
        lease_expires=datetime.now(UTC) + timedelta(days=365, seconds=60),
    )
    assert run().state is RunState.complete


def test_run__respects_a_lease_that_a_clock_a_little_ahead_made() -> None:
    make_items(1)
    make_check()
    run()
    soon = datetime.now(UTC) + MAX_CLOCK_SKEW / 2
    CheckState.objects.update(lease_token="in use", lease_since=soon, lease_expires=soon)
    assert run().state is RunState.held
