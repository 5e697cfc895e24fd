from __future__ import annotations

from itertools import count as endless
from typing import TYPE_CHECKING, Any

import pytest
from django.db import connection
from django.db.models import Count, F, Window
from django.db.models.functions import RowNumber
from django.db.models.lookups import GreaterThan
from django.test.utils import CaptureQueriesContext

from dwatch import payloads
from tests.running import deleting_before, make_check, make_items
from tests.testapp.models import Item, Part, SpecialItem

if TYPE_CHECKING:
    from collections.abc import Callable

    from django.db.models import QuerySet

pytestmark = pytest.mark.django_db


def drawn(source: object, size: int = 2) -> list[payloads.PayloadBatch]:
    check = make_check(generate=lambda _self: source)()
    return list(payloads.Supply(check).draw(size))


def flat(batches: list[payloads.PayloadBatch]) -> list[Any]:
    return [payload for batch in batches for payload in batch.payloads]


QUERYSETS: dict[str, Callable[[], QuerySet[Any]]] = {
    "all": Item.objects.all,
    "ordered": lambda: Item.objects.order_by("-value"),
    "filtered": lambda: Item.objects.filter(value__gt=1),
    "annotated": lambda: Item.objects.annotate(twice=F("value") * 2).filter(twice__gt=2),
    "distinct": Item.objects.distinct,
    "sliced": lambda: Item.objects.order_by("value")[1:4],
    "values": lambda: Item.objects.values("name"),
    "union": lambda: Item.objects.filter(value=1).union(Item.objects.filter(value=2)),
    "window": lambda: Item.objects.annotate(row=Window(RowNumber(), order_by=F("value").asc())),
    "empty": Item.objects.none,
    "deferred": lambda: Item.objects.only("name"),
    "reversed": lambda: Item.objects.order_by("value").reverse(),
    "backwards": lambda: Item.objects.order_by("-pk"),
    "inherited": SpecialItem.objects.all,
    "UUID keys": Part.objects.all,
    "aggregated": lambda: Item.objects.annotate(parts_sold=Count("parts")),
    "joined": lambda: Item.objects.filter(parts__number__gte=0).annotate(part=F("parts__number")),
    "joined and distinct": lambda: Item.objects.filter(parts__number__gte=0).distinct(),
    "by a window": lambda: Item.objects.filter(
        GreaterThan(Window(RowNumber(), order_by=F("value").asc()), 2)
    ),
    "subquery": lambda: Item.objects.filter(pk__in=Part.objects.values("item")),
}


def make_rows() -> None:
    items = make_items(1, 2, 3, 4, 5)
    Part.objects.bulk_create(Part(item=items[n % 2], number=n) for n in range(6))
    for number in range(3):
        SpecialItem.objects.create(name=f"special {number}", value=number)


@pytest.mark.parametrize("name", QUERYSETS)
@pytest.mark.parametrize("size", [1, 2, 5, 100])
def test_draw__gives_what_the_queryset_gives(name: str, size: int) -> None:
    make_rows()

    def plain(rows: list[Any]) -> list[str]:
        values = [row if isinstance(row, dict) else vars(row) for row in rows]
        return sorted(str({k: v for k, v in one.items() if k != "_state"}) for one in values)

    batches = drawn(QUERYSETS[name](), size)
    assert plain(flat(batches)) == plain(list(QUERYSETS[name]()))
    assert all(batch.payloads for batch in batches)


def test_draw__fetches_related_rows_a_page_at_a_time() -> None:
    make_rows()
    source = Item.objects.prefetch_related("parts").order_by("-value")
    expected = sorted(part.number for item in source for part in item.parts.all())
    with CaptureQueriesContext(connection) as captured:
        items = flat(drawn(source, 4))
        found = sorted(part.number for item in items for part in item.parts.all())
    assert found == expected == [0, 1, 2, 3, 4, 5]
    assert len(captured) == 4  # eight items: two pages of up to 4 and 16, both with parts


@pytest.mark.parametrize("size", [1, 2, 3, 100])
def test_draw__pages_are_no_larger_than_asked(size: int) -> None:
    make_rows()
    assert [len(batch.payloads) for batch in drawn(Item.objects.all(), size)] == [
        len(range(8)[start : start + size]) for start in range(0, 8, size)
    ]


def test_draw__rows_that_go_between_two_queries_do_not_end_it() -> None:
    items = make_items(1, 2, 3, 4, 5, 6)
    Part.objects.bulk_create(Part(item=item) for item in (*items, items[1]))
    source = Item.objects.filter(parts__number=0)
    with deleting_before(2, Part.objects.filter(item=items[1])):
        batches = drawn(source, 2)
    assert flat(batches) == [items[0], *items[2:]]


def test_draw__goes_on_behind_a_payload_that_its_check_deletes() -> None:
    make_items(1, 2, 3)
    check = make_check(generate=lambda _self: Item.objects.all())()
    values = []
    for batch in payloads.Supply(check).draw(1):
        (item,) = batch.payloads
        values.append(item.value)
        item.delete()
    assert values == [1, 2, 3]


def test_draw__source_that_raises_gives_what_came_before() -> None:
    def source() -> Any:
        yield from "abc"
        raise OSError

    *others, last = drawn(source(), 2)
    assert flat([*others, last]) == ["a", "b", "c"]
    assert last.failure is not None
    assert last.failure.error == "OSError"


def test_draw__query_that_fails_is_a_failure() -> None:
    make_items(1)
    (batch,) = drawn(Item.objects.extra(where=["1 / 'x' = nothing"]))
    assert batch.failure is not None


def test_draw__slow_source_gives_small_batches(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(payloads, "_DRAW_SECONDS", -1)
    check = make_check(generate=lambda _self: endless())()
    batches = payloads.Supply(check).draw(1000)
    assert next(batches).payloads == [0]
    assert next(batches).payloads == [1]


def test_draw__loaded_at_is_when_the_page_was_read_or_the_source_began() -> None:
    make_items(1, 2, 3)
    first, second = drawn(Item.objects.all(), 2)
    assert first.loaded_at < second.loaded_at
    first, second = drawn(iter([1, 2, 3]), 2)
    assert first.loaded_at == second.loaded_at


@pytest.mark.parametrize(("source", "total"), [(Item.objects.all, 2), (lambda: iter(()), None)])
def test_count__is_known_for_querysets(source: Callable[[], Any], total: int | None) -> None:
    make_items(1, 2)
    assert payloads.Supply(make_check(generate=lambda _self: source())()).count() == total
