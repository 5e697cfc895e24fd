from __future__ import annotations

from itertools import count as endless
from typing import TYPE_CHECKING, Any

import pytest
from django.db.models import F, Window
from django.db.models.functions import RowNumber

from dwatch import payloads
from tests.running import make_check, make_items
from tests.testapp.models import Item

if TYPE_CHECKING:
    from collections.abc import Callable

    from django.db.models import QuerySet

pytestmark = pytest.mark.django_db


def drawn(source: object, size: int = 2) -> list[payloads.PayloadBatch]:
    check = make_check(generate=lambda _self: source)()
    return list(payloads.draw(check, size))


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
}


@pytest.mark.parametrize("name", QUERYSETS)
@pytest.mark.parametrize("size", [1, 2, 5, 100])
def test_draw__gives_what_the_queryset_gives(name: str, size: int) -> None:
    make_items(1, 2, 3, 4, 5)

    def plain(rows: list[Any]) -> list[str]:
        values = [row if isinstance(row, dict) else row.__dict__ for row in rows]
        return sorted(str({k: v for k, v in one.items() if k != "_state"}) for one in values)

    batches = drawn(QUERYSETS[name](), size)
    assert plain(flat(batches)) == plain(list(QUERYSETS[name]()))
    assert all(len(batch.payloads) <= size for batch in batches)


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
    batches = payloads.draw(check, 1000)
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
    assert payloads.count(make_check(generate=lambda _self: source())()) == total
