from __future__ import annotations

from typing import Any

import pytest
from django.db.models import Count

from dwatch.builtin import Duplicates
from dwatch.core.status import Status
from dwatch.exceptions import DefinitionError
from dwatch.models import Result
from dwatch.services.reports import StatusCounts
from tests.running import make_items, make_kind, refresh, run
from tests.testapp.models import Document, Item, Part


def documents(*codes: str | None, **values: Any) -> list[Document]:
    return [Document.objects.create(code=code, **values) for code in codes]


def found() -> list[str]:
    rows = Result.objects.problems().order_by("pk").values_list("identifier", flat=True)
    codes = dict(Document.objects.values_list("pk", "code"))
    return sorted(str(codes[int(pk)]) for pk in rows)


@pytest.mark.django_db
def test_duplicates__each_row_that_shares_its_value_is_a_problem() -> None:
    _, second, *_ = documents("a", "a", "b", "c", "c", "c", None, None)
    make_kind(Duplicates, model_class=Document, fields=("code",), description="{title} {code}")
    done = run()
    assert (done.counts, done.error) == (StatusCounts(critical=5, ok=3), "")
    assert found() == ["a", "a", "c", "c", "c"]
    assert Result.objects.order_by("pk")[0].data == {"code": "a"}
    second.code = "d"
    second.save()
    # The one that is left is no duplicate any more, though nobody touched it.
    done = run()
    assert (done.counts, done.status_changes) == (StatusCounts(critical=3, ok=5), 2)
    assert refresh().counts == StatusCounts(critical=3, ok=2)


@pytest.mark.django_db
def test_duplicates__a_row_that_a_join_repeats_is_no_other_row() -> None:
    one, two, three = make_items(1, 1, 3)
    Part.objects.bulk_create(Part(item=item) for item in (one, two, three, three))
    make_kind(Duplicates, queryset=Item.objects.filter(parts__number=0), fields=("value",))
    assert run().counts == StatusCounts(critical=2, ok=1)
    counted = Item.objects.annotate(amount=Count("parts")).filter(amount__gt=0)
    make_kind(Duplicates, queryset=counted, fields=("value",))
    assert run().counts == StatusCounts(critical=2, ok=1)


@pytest.mark.django_db
def test_duplicates__spelling_counts_unless_case_is_ignored() -> None:
    documents("Ada", "ada", "ADA", "ada ", "ádá", "eve")
    make_kind(Duplicates, model_class=Document, fields=("code",))
    assert run().counts == StatusCounts(ok=6)
    make_kind(Duplicates, model_class=Document, fields=("code",), ignore_case=True)
    assert run().counts == StatusCounts(critical=3, ok=3)
    assert found() == ["ADA", "Ada", "ada"]


@pytest.mark.django_db
def test_duplicates__several_fields_are_compared_together() -> None:
    documents("a", "b", level=1)
    documents("a", "a", level=2)
    documents("a", "a", level=None)
    make_kind(
        Duplicates,
        model_class=Document,
        fields=("code", "level"),
        status=Status.warning,
        ignore_case=True,
    )
    assert run().counts == StatusCounts(warning=2, ok=4)


@pytest.mark.django_db
def test_duplicates__only_rows_of_the_queryset_count() -> None:
    documents("a", title="kept")
    documents("a")
    make_kind(Duplicates, queryset=Document.objects.filter(title="kept"), fields=("code",))
    assert run().counts == StatusCounts(ok=1)


@pytest.mark.django_db
def test_duplicates__with_a_cap_and_in_pages(monkeypatch: Any) -> None:
    from dwatch.querysetcheck import failing

    monkeypatch.setattr(failing, "PAGE", 2)
    documents(*"aabbccdd")
    make_kind(Duplicates, model_class=Document, fields=("code",), max_failing=3)
    done = run()
    assert (done.counts, Result.objects.count()) == (StatusCounts(critical=8), 3)


@pytest.mark.parametrize(
    ("members", "words"),
    [
        ({"model_class": Document}, "names no fields"),
        ({"model_class": Document, "fields": ("nil",)}, "Document.nil does not exist"),
        ({"model_class": Document, "fields": ("subject",)}, "Document.subject is no field"),
        ({"fields": ("code",)}, "has no queryset"),
    ],
)
def test_register__refuses_mistakes(members: dict[str, Any], words: str) -> None:
    with pytest.raises(DefinitionError) as raised:
        make_kind(Duplicates, **members)
    assert words in raised.value.message
    assert raised.value.hint
