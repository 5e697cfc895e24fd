from __future__ import annotations

from enum import Enum
from typing import Any

import pytest

from dwatch.builtin import InvalidChoices
from dwatch.exceptions import DefinitionError
from dwatch.models import Result
from dwatch.services.reports import StatusCounts
from tests.running import make_kind, refresh, run
from tests.testapp.models import Document, Item


class Colour(str, Enum):  # noqa: UP042 - not a StrEnum, whose str() would do
    RED = "red"


def make_documents(field: str, *values: Any) -> None:
    for value in values:
        Document.objects.create(**{field: value})


def bad_values(field: str) -> list[Any]:
    pks = Result.objects.problems().values_list("identifier", flat=True)
    rows = Document.objects.filter(pk__in=[int(pk) for pk in pks]).order_by("pk")
    return list(rows.values_list(field, flat=True))


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("field", "good", "bad"),
    [
        ("state", ["draft", "sent"], ["", "Sent", "SENT", "sent ", "Group", "lost"]),
        ("label", ["", "red"], ["Red", "blue", " "]),
        ("level", [None, 1, 2], [0, 3, -1]),
    ],
)
def test_values__that_are_not_offered_are_found(
    field: str, good: list[Any], bad: list[Any]
) -> None:
    make_documents(field, *good, *bad)
    make_kind(InvalidChoices, model_class=Document, fields=(field,))
    done = run()
    assert (done.counts, done.error) == (StatusCounts(critical=len(bad), ok=len(good)), "")
    assert bad_values(field) == bad
    assert {key for result in Result.objects.all() for key in result.data} == {field}
    Document.objects.update(**{field: good[-1]})
    assert run().counts == StatusCounts(ok=len(good) + len(bad))


@pytest.mark.django_db
def test_all_fields__with_choices_are_looked_at_by_default() -> None:
    Document.objects.create(state="lost")
    Document.objects.create(level=9)
    Document.objects.create()
    make_kind(InvalidChoices, model_class=Document, description="{title}")
    assert run().counts == StatusCounts(critical=2, ok=1)
    assert refresh().counts == StatusCounts(critical=2)
    assert sorted(Result.objects.all()[0].data) == ["label", "level", "state"]


@pytest.mark.django_db
def test_rows__can_be_chosen_by_a_method_too() -> None:
    Document.objects.create(state="lost")
    Document.objects.create(state="lost", title="left out")
    make_kind(
        InvalidChoices,
        get_queryset=lambda _self: Document.objects.exclude(title="left out"),
        model_class=Document,
    )
    assert run().counts == StatusCounts(critical=1)


@pytest.mark.parametrize(
    ("members", "words"),
    [
        ({"model_class": Item}, "Item has no field with choices"),
        ({"model_class": Document, "fields": ("title",)}, "title is no field with choices"),
        ({}, "has no queryset"),
    ],
)
def test_register__refuses_mistakes(members: dict[str, Any], words: str) -> None:
    with pytest.raises(DefinitionError) as raised:
        make_kind(InvalidChoices, **members)
    assert words in raised.value.message
    assert raised.value.hint


@pytest.mark.django_db
def test_values__may_be_offered_as_an_enum(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Document._meta.get_field("label"), "choices", [(Colour.RED, "Red")])
    make_documents("label", "red", "RED", "Colour.RED")
    make_kind(InvalidChoices, model_class=Document, fields=("label",))
    assert run().counts == StatusCounts(critical=2, ok=1)
