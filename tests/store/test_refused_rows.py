"""What single rows can do to their batch."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from django.db import connection

from dwatch.core.response import CheckResponse
from dwatch.core.status import Status
from dwatch.models import Result
from tests.running import judging, make_check, make_items, run
from tests.testapp.models import Item

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
    make_check(check=judging(lambda _item: Status.warning))
    done = run()
    assert done.counts.total == 3
    assert done.counts.warning == (2 if connection.vendor == "mysql" else 3)
    assert Result.objects.filter(status=Status.warning).count() == done.counts.warning
    assert Result.objects.exclude(status=Status.warning).count() == done.errors
    run()
    assert Result.objects.count() == 3


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
