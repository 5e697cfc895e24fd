"""What is refused when a QuerySetCheck is registered, and what only a run can find out."""

from __future__ import annotations

import subprocess
import sys
from typing import Any

import pytest
from django.db.models import Case, Count, Exists, F, OuterRef, Q, Value, Window
from django.db.models.functions import Now, RowNumber
from django.db.models.lookups import LessThan

import dwatch
from dwatch.exceptions import DefinitionError
from dwatch.services.reports import RunState
from tests.running import judging, make_items, make_queryset_check, run
from tests.testapp.models import Item, Part

NUMBERED = Item.objects.annotate(place=Window(RowNumber(), order_by="value"))
MISTAKES: dict[str, tuple[dict[str, Any], str]] = {
    "no queryset": ({"queryset": None}, "has no queryset"),
    "a manager": ({"queryset": Item.objects}, "is a manager"),
    "a list": ({"queryset": [1]}, "not a queryset"),
    "a slice": ({"queryset": Item.objects.all()[:5]}, "is sliced"),
    "values()": ({"queryset": Item.objects.values("name")}, "gives values"),
    "values_list()": ({"queryset": Item.objects.values_list("pk")}, "gives values"),
    "a union": ({"queryset": Item.objects.all().union(Item.objects.all())}, "is combined"),
    "distinct on": ({"queryset": Item.objects.distinct("name")}, "distinct"),
    "reversed": ({"queryset": Item.objects.order_by("name").reverse()}, "is reversed"),
    "a window": ({"queryset": NUMBERED}, "window function"),
    "no condition": ({"critical": None}, "has no condition"),
    "True": ({"critical": True}, "critical is True, not a condition"),
    "a string": ({"warning": "value__lt=0"}, "warning is 'value__lt=0', not a condition"),
    "a value": ({"unknown": F("value")}, "not a condition"),
    "a queryset": ({"critical": Item.objects.all()}, "critical is a QuerySet, not a condition"),
    "a number": ({"critical": F("value") + 1}, "not a condition"),
    "an empty Q": ({"critical": Q()}, "empty Q()"),
    "unknown field": ({"critical": Q(valeu=1)}, "critical: Cannot resolve keyword 'valeu'"),
    "unknown lookup": ({"warning": Q(value__near=1)}, "warning: Unsupported lookup 'near'"),
    "wrong type": ({"critical": Q(value="many")}, "critical: Field 'value' expected a number"),
    "window in a condition": (
        {"critical": LessThan(Window(RowNumber()), 3)},
        "critical: a condition cannot use a window function",
    ),
    "data_fields": ({"data_fields": ("name", "colour")}, "data_fields: Cannot resolve"),
    "data_fields string": ({"data_fields": "name"}, "data_fields must be a tuple"),
    "data_fields number": ({"data_fields": (3,)}, "names a field by 3"),
    "data_fields many": ({"data_fields": ("parts__number",)}, "leads to several rows"),
    "data_fields path": ({"data_fields": ("name__first",)}, "data_fields: Cannot resolve"),
    "description": ({"description": "{colour}"}, "description: Cannot resolve"),
    "description word": ({"description": "an item"}, "names no field"),
    "description brace": ({"description": "{name"}, "description: "),
    "description index": ({"description": "{0}"}, "names '0', which is no field"),
    "description attribute": ({"description": "{name.x}"}, "names 'name.x'"),
    "description type": ({"description": None}, "description is None"),
    "identifier": ({"identifier_field": "name"}, "'name', which is no unique field"),
    "identifier type": ({"identifier_field": None}, "names a field by None"),
    "cap": ({"max_failing": 0}, "max_failing is 0"),
    "cap type": ({"max_failing": True}, "max_failing is True"),
    "cap and check": (
        {"max_failing": 3, "check": judging(lambda _item: dwatch.Status.ok)},
        "both max_failing and its own check()",
    ),
    "generate": ({"generate": lambda _self: []}, "defines generate()"),
    "get_payload": ({"get_payload": lambda _self, _one: None}, "defines get_payload()"),
    "get_identifier": ({"get_identifier": lambda _self, one: one.name}, "defines get_identifier"),
}


@pytest.mark.parametrize("mistake", MISTAKES)
def test_register__refuses_a_mistake_with_a_hint(mistake: str) -> None:
    members, words = MISTAKES[mistake]
    with pytest.raises(DefinitionError) as raised:
        make_queryset_check(**members)
    assert words in raised.value.message
    assert "MyQuerySetCheck" in raised.value.message
    assert raised.value.hint


@pytest.mark.parametrize(
    "members",
    [
        {"critical": LessThan(F("value"), 0)},
        {"critical": Exists(Part.objects.filter(item=OuterRef("pk")))},
        {"critical": ~Exists(Part.objects.filter(item=OuterRef("pk")))},
        {"critical": Case(default=Value(value=False))},
        {"critical": lambda _self: Q(value__lt=0)},
        {"critical": lambda: Q(value__lt=0)},
        {"warning": Q(parts__number=3)},
        {"queryset": Part.objects.filter(item__value__lt=Now()), "critical": Q(number=1)},
        {"queryset": Item.objects.annotate(n=Count("parts")), "critical": Q(n__gt=1)},
        {"queryset": None, "model_class": Item},
        {"data_fields": ["pk", "name", "value"]},
        {"queryset": Part.objects.all(), "critical": Q(number=1), "data_fields": ("item__name",)},
        {"queryset": Item.objects.annotate(n=Count("parts")), "data_fields": ("n",)},
        {"description": "{name!r:>10} is {{{value}}}"},
    ],
    ids=", ".join,
)
def test_register__accepts(members: dict[str, Any]) -> None:
    made = make_queryset_check(**members)
    assert made.model_class in {Item, Part}


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("members", "words"),
    [
        ({"get_queryset": lambda _self: Item.objects.all()[:3]}, "is sliced"),
        ({"get_queryset": lambda _self: [1, 2]}, "not a queryset"),
        ({"get_queryset": lambda _self: Part.objects.all(), "data_fields": ("name",)}, "name"),
        ({"critical": lambda _self: None}, "critical is None, not a condition"),
        ({"critical": lambda _self: Q()}, "empty Q()"),
        ({"critical": lambda _self: Q(valeu=3)}, "valeu"),
        ({"critical": lambda _self: 1 // 0}, "ZeroDivisionError"),
    ],
    ids=lambda value: value if isinstance(value, str) else ", ".join(value),
)
def test_run__fails_visibly_for_what_only_a_run_can_find_out(
    members: dict[str, Any], words: str
) -> None:
    make_items(-1)
    make_queryset_check(**members)
    done = run()
    assert done.state is RunState.failed
    assert words in done.error
    assert done.counts.total == 0


def test_import__of_dwatch_alone_needs_no_django() -> None:
    script = "import sys, dwatch; print('django' in sys.modules, 'QuerySetCheck' in dir(dwatch))"
    printed = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=True
    )
    assert printed.stdout == "False False\n"


def test_import__a_name_that_dwatch_lacks_is_an_attribute_error() -> None:
    with pytest.raises(AttributeError, match="no attribute 'QueryCheck'"):
        _ = dwatch.QueryCheck
