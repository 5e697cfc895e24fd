from __future__ import annotations

from typing import Any

import pytest

from dwatch.builtin import RowCount
from dwatch.core.status import Status
from dwatch.exceptions import DefinitionError
from dwatch.models import Result
from tests.running import make_items, make_kind, refresh, run
from tests.testapp.models import Item

BOUNDS = {"minimum": 1, "warning_minimum": 2, "warning_maximum": 4, "maximum": 5}


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("rows", "bounds", "expected"),
    [
        (0, BOUNDS, Status.critical),
        (1, BOUNDS, Status.warning),
        (2, BOUNDS, Status.ok),
        (4, BOUNDS, Status.ok),
        (5, BOUNDS, Status.warning),
        (6, BOUNDS, Status.critical),
        (0, {"minimum": 0}, Status.ok),
        (1, {"maximum": 0}, Status.critical),
        (3, {"warning_maximum": 2}, Status.warning),
    ],
)
def test_rows__are_compared_with_the_bounds(
    rows: int, bounds: dict[str, int], expected: Status
) -> None:
    make_items(*range(rows))
    make_kind(RowCount, model_class=Item, **bounds)
    assert run().counts.worst is expected
    assert refresh().counts.worst is expected
    result = Result.objects.get()
    assert (result.description, result.data) == (f"{rows} items", {"rows": rows})


@pytest.mark.django_db
def test_queryset__chooses_what_is_counted() -> None:
    make_items(1, -1)
    make_kind(RowCount, queryset=Item.objects.filter(value__lt=0), maximum=1)
    assert run().counts.ok == 1
    make_kind(RowCount, get_queryset=lambda _self: Item.objects.all(), maximum=1)
    assert run().counts.critical == 1


@pytest.mark.parametrize(
    ("members", "words"),
    [
        ({"model_class": Item}, "has no bound"),
        ({"minimum": 1}, "has no queryset"),
        ({"queryset": Item.objects, "minimum": 1}, "is a manager"),
        ({"model_class": Item, "minimum": -1}, "minimum is -1"),
        ({"model_class": Item, "maximum": "9"}, "maximum is '9'"),
        ({"model_class": Item, "minimum": 5, "maximum": 4}, "wrong order"),
        ({"model_class": Item, "minimum": 5, "warning_minimum": 4}, "wrong order"),
    ],
)
def test_register__refuses_mistakes(members: dict[str, Any], words: str) -> None:
    with pytest.raises(DefinitionError) as raised:
        make_kind(RowCount, **members)
    assert words in raised.value.message
    assert raised.value.hint
