"""What single rows can do to their batch."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from django.contrib.auth.models import User
from django.db import connection

from dwatch.core.response import CheckResponse
from dwatch.core.status import Status
from dwatch.models import AssignedUser, Result, StatusChange
from dwatch.services.reports import StatusCounts
from dwatch.store import assignments
from tests.running import judging, make_check, make_items, run
from tests.testapp.models import Item, Part

if TYPE_CHECKING:
    from collections.abc import Iterator


@pytest.fixture
def _description_without_horses(transactional_db: None) -> Iterator[None]:  # noqa: ARG001
    """Give the column the character set that old databases have (MariaDB; others have one)."""
    change = "ALTER TABLE dwatch_result MODIFY description longtext CHARACTER SET {} NOT NULL"
    if connection.vendor == "mysql":
        with connection.cursor() as cursor:
            cursor.execute(change.format("latin1"))
    yield
    Result.objects.all().delete()
    if connection.vendor == "mysql":
        with connection.cursor() as cursor:
            cursor.execute(change.format("utf8mb4"))


@pytest.mark.usefixtures("_description_without_horses")
def test_text_outside_the_columns_character_set__costs_its_own_row_only() -> None:
    for name in ("one", "🐎", "three"):
        Item.objects.create(name=name)
    make_check()
    done = run()
    refused = 1 if connection.vendor == "mysql" else 0
    assert done.counts == StatusCounts(ok=3 - refused, unknown=refused)
    assert done.errors == refused
    reported = Result.objects.filter(status=Status.unknown, error__contains="the database refuses")
    assert reported.count() == refused
    run()
    assert Result.objects.count() == 3


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("given", "shown"), [(Status.ok, Status.unknown), (Status.critical, Status.critical)]
)
def test_impossible_assignee__costs_its_own_row_only(given: Status, shown: Status) -> None:
    ada = User.objects.create(username="ada")
    items = make_items(1, 2, 3, 4)
    make_check(
        check=judging(lambda item: given if item.value == 3 else Status.warning),
        get_assigned_users=lambda _self, item, _status: ["no key" if item.value == 3 else ada],
    )
    done = run()
    assert (done.counts.warning, done.errors, done.counts.total) == (3, 1, 4)
    refused = Result.objects.get(identifier=str(items[2].pk))
    assert refused.status == shown
    assert "the database refuses this result" in refused.error
    assert refused.error in [problem.error for problem in done.problems]
    assert AssignedUser.objects.filter(user=ada).count() == 3
    assert StatusChange.objects.count() == 4


@pytest.mark.django_db
def test_impossible_assignee__where_users_are_named_by_uuid(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    # Django says of text that is no UUID that it is invalid, and of one that is no number
    # that its value is wrong.
    monkeypatch.setattr(assignments, "get_user_model", lambda: Part)
    items = make_items(1, 2)
    make_check(
        get_assigned_users=lambda _self, item, _status: ["no key"] if item == items[0] else []
    )
    done = run()
    assert (done.counts.ok, done.counts.unknown, done.errors) == (1, 1, 1)
    assert "no key" in Result.objects.get(identifier=str(items[0].pk)).error


@pytest.mark.django_db(transaction=True)
def test_many_large_rows__are_inserted_and_rewritten(settings: Any) -> None:
    settings.DWATCH_BATCH_SIZE = 500
    make_items(*range(400))
    text = ["x"]
    make_check(check=judging(lambda _item: CheckResponse(Status.ok, text=text[0] * 60_000)))
    assert run().counts.ok == 400
    text[0] = "y"
    assert run().counts.ok == 400
    assert all(data["text"][0] == "y" for data in Result.objects.values_list("data", flat=True))
    assert Result.objects.count() == 400


@pytest.mark.django_db(transaction=True)
def test_many_large_rows__wait_to_be_confirmed(settings: Any) -> None:
    settings.DWATCH_BATCH_SIZE = 500
    make_items(*[1] * 300)

    def verdict(item: Item) -> CheckResponse:
        status = Status.ok if item.value > 0 else Status.critical
        return CheckResponse(status, text="x" * 60_000)

    make_check(check=judging(verdict), confirm_after=2)
    run()
    Item.objects.update(value=-1)
    assert run().unconfirmed == 300
    assert run().counts.critical == 300
