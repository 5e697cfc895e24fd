from __future__ import annotations

import uuid
from typing import Any

import pytest
from django.contrib.contenttypes.models import ContentType

from dwatch.builtin import Orphans
from dwatch.core.status import Status
from dwatch.exceptions import DefinitionError
from dwatch.models import Result
from dwatch.services.reports import RunState, StatusCounts
from tests.running import make_items, make_kind, refresh, run
from tests.testapp.models import Document, Item, Part


def descriptions() -> list[str]:
    """Return them in the order of the rows' keys."""
    found = Result.objects.problems().values_list("identifier", "description")
    return [text for _, text in sorted(found, key=lambda row: int(row[0]))]


@pytest.mark.django_db
def test_foreign_keys__that_point_nowhere_are_found() -> None:
    (item,) = make_items(1)
    part = Part.objects.create(item=item)
    Document.objects.create(item=item, part=part)
    Document.objects.create()
    lost = Document.objects.create(item_id=item.pk + 99)
    both = Document.objects.create(item=item, part_id=uuid.uuid4())
    make_kind(Orphans, model_class=Document, fields=("item", "part"))
    done = run()
    assert (done.counts, done.error) == (StatusCounts(critical=2, ok=2), "")
    assert descriptions() == [
        f"Document {lost.pk}: item_id {item.pk + 99}, part_id None",
        f"Document {both.pk}: item_id {item.pk}, part_id {both.part_id}",
    ]
    assert Result.objects.get(identifier=lost.pk).data == {
        "item_id": item.pk + 99,
        "part_id": None,
    }
    Document.objects.filter(pk=lost.pk).update(item=item)
    assert run().counts == StatusCounts(critical=1, ok=3)
    assert refresh().counts == StatusCounts(critical=1, ok=1)


@pytest.mark.django_db
@pytest.mark.parametrize("target", ["number", "uuid"])
def test_generic_foreign_keys__are_followed_by_their_type(target: str) -> None:
    (item,) = make_items(1)
    row: Any = item if target == "number" else Part.objects.create(item=item)
    kind = ContentType.objects.get_for_model(type(row))
    other = ContentType.objects.get_for_model(Document)
    Document.objects.create(content_type=kind, object_id=str(row.pk))
    Document.objects.create(content_type=None, object_id=str(row.pk))
    Document.objects.create(content_type=kind, object_id=None)
    lost = [
        Document.objects.create(content_type=kind, object_id="none of them"),
        Document.objects.create(content_type=kind, object_id=""),
        Document.objects.create(content_type=other, object_id="987654321"),
    ]
    make_kind(Orphans, model_class=Document, fields=("subject",), status=Status.warning)
    done = run()
    assert (done.counts, done.error) == (StatusCounts(warning=3, ok=3), "")
    assert set(Result.objects.values_list("identifier", flat=True)) == {str(d.pk) for d in lost}


@pytest.mark.django_db
def test_generic_foreign_keys__of_numbers_and_of_models_that_are_gone() -> None:
    (item,) = make_items(1)
    kind = ContentType.objects.get_for_model(Item)
    gone = ContentType.objects.create(app_label="testapp", model="removed")
    Document.objects.create(number_type=kind, number=item.pk)
    Document.objects.create(number_type=kind, number=item.pk + 5)
    Document.objects.create(number_type=gone, number=1)
    Document.objects.create(number_type_id=gone.pk + 99, number=1)
    make_kind(Orphans, model_class=Document, fields=("numbered",))
    assert run().counts == StatusCounts(critical=3, ok=1)


@pytest.mark.django_db
def test_all_keys__are_looked_at_by_default() -> None:
    Document.objects.create(item_id=77)
    Document.objects.create(number_type_id=98765)  # that foreign key itself points nowhere
    Document.objects.create()
    make_kind(Orphans, model_class=Document)
    assert run().counts == StatusCounts(critical=2, ok=1)
    result = Result.objects.get(identifier=Document.objects.get(item_id=77).pk)
    foreign = {"item_id", "part_id", "content_type_id", "number_type_id"}
    assert set(result.data) == foreign | {"content_type", "object_id", "number_type", "number"}


@pytest.mark.django_db
def test_queryset__chooses_the_rows() -> None:
    Document.objects.create(item_id=77, title="kept")
    Document.objects.create(item_id=78)
    make_kind(Orphans, queryset=Document.objects.filter(title="kept"), fields=["item"])
    assert run().counts == StatusCounts(critical=1)


@pytest.mark.parametrize(
    ("members", "words"),
    [
        ({}, "has no queryset"),
        ({"model_class": Document, "fields": ("title",)}, "Document.title is no foreign key"),
        ({"model_class": Document, "fields": ("nil",)}, "Document.nil does not exist"),
        ({"model_class": Document, "fields": "item"}, "fields must be a tuple"),
        ({"model_class": Item}, "Item has no foreign key"),
        ({"model_class": Document, "status": Status.ok}, "status is <Status.ok"),
        ({"model_class": Document, "status": 3}, "status is 3"),
        ({"model_class": Document, "critical": 3}, "sets critical"),
        ({"queryset": Document.objects, "fields": ("item",)}, "is a manager"),
    ],
)
def test_register__refuses_mistakes(members: dict[str, Any], words: str) -> None:
    with pytest.raises(DefinitionError) as raised:
        make_kind(Orphans, **members)
    assert words in raised.value.message
    assert raised.value.hint


@pytest.mark.django_db
def test_run__says_that_one_query_cannot_see_two_databases(settings: Any) -> None:
    Document.objects.create(item_id=77)
    settings.DATABASE_ROUTERS = [Elsewhere()]
    make_kind(Orphans, model_class=Document, fields=("item",))
    done = run()
    assert done.state is RunState.failed
    assert "Item is in database 'elsewhere'" in done.error


class Elsewhere:
    def db_for_read(self, model: type[Any], **_hints: Any) -> str | None:
        return "elsewhere" if model is Item else None
