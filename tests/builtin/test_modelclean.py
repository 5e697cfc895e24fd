from __future__ import annotations

from typing import Any

import pytest
from django.contrib.auth.models import User
from django.db import connection
from django.test.utils import CaptureQueriesContext

from dwatch.builtin import ModelClean
from dwatch.core.status import Status
from dwatch.exceptions import DefinitionError
from dwatch.models import Result
from dwatch.services.reports import StatusCounts
from tests.running import make_kind, refresh, run
from tests.testapp.models import Document, Item

IGNORED = ("scan", "code", "serial", "level", "created", "day", "object_id", "number")
"""Fields that may be NULL and not blank, as forms have it."""


@pytest.mark.django_db
def test_rows__that_their_model_refuses_are_found_with_its_words() -> None:
    Document.objects.create()
    Document.objects.create(state="lost", label="blue")
    Document.objects.create(title="forbidden", item_id=99)
    make_kind(ModelClean, model_class=Document, exclude=IGNORED, status=Status.warning)
    assert run().counts == StatusCounts(warning=2, ok=1)
    data = [result.data["errors"] for result in Result.objects.problems().order_by("pk")]
    assert data == [
        {
            "state": ["Value 'lost' is not a valid choice."],
            "label": ["Value 'blue' is not a valid choice."],
        },
        {"__all__": ["no such title"]},
    ]
    assert refresh().counts == StatusCounts(warning=2, ok=1)


@pytest.mark.django_db
def test_rows__take_no_query_each_unless_wanted() -> None:
    for number in range(5):
        Document.objects.create(item_id=number + 100)

    def queries(**members: Any) -> tuple[int, StatusCounts]:
        make_kind(ModelClean, model_class=Document, exclude=IGNORED, **members)
        with CaptureQueriesContext(connection) as captured:
            done = run(dry_run=True)
        return sum("testapp" in query["sql"] for query in captured), done.counts

    assert queries() == (1, StatusCounts(ok=5))
    asked, counts = queries(ask_database=True)
    assert asked > 5
    assert counts == StatusCounts(critical=5)  # their items do not exist


@pytest.mark.django_db
def test_queryset__chooses_the_rows() -> None:
    User.objects.create(username="not allowed!", password="x")
    User.objects.create(username="ada", password="x")
    make_kind(ModelClean, queryset=User.objects.filter(username__contains="!"))
    assert run().counts == StatusCounts(critical=1)
    User.objects.filter(username__contains="!").update(username="fine")
    assert run().vanished == 1


@pytest.mark.parametrize(
    ("members", "words"),
    [
        ({"queryset": 5}, "does not name its payloads"),
        ({"model_class": Item, "exclude": ("nil",)}, "exclude is"),
        ({"model_class": Item, "exclude": "name"}, "exclude is 'name'"),
        ({"model_class": Item, "status": Status.ok}, "status is"),
        # A refresh would look for the rows of one model among the keys of another.
        ({"model_class": Item, "queryset": User.objects.all()}, "queryset gives User"),
    ],
)
def test_register__refuses_mistakes(members: dict[str, Any], words: str) -> None:
    with pytest.raises(DefinitionError, match=words) as raised:
        make_kind(ModelClean, **members)
    assert raised.value.hint
