from __future__ import annotations

import itertools
import json
import os
import subprocess
import sys
from collections import OrderedDict, UserDict, UserString, namedtuple
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from enum import Enum, IntEnum
from types import MappingProxyType
from typing import TYPE_CHECKING, Any
from uuid import UUID

import pytest
from django.db import models
from django.utils.safestring import mark_safe
from django.utils.translation import gettext_lazy
from hypothesis import given
from hypothesis import strategies as st

from dwatch.core.encoding import MAX_DATA_BYTES, encode
from dwatch.core.status import Status
from tests.testapp.models import Item

if TYPE_CHECKING:
    from collections.abc import Iterator

Point = namedtuple("Point", "x y")  # noqa: PYI024 - what authors still write


class Colour(Enum):
    red = "r"
    nested = (1, Decimal("0.5"))


class Size(models.TextChoices):
    SMALL = "s", "Small"


class Level(IntEnum):
    high = 9


class Shout(str):
    __slots__ = ()

    def __str__(self) -> str:
        return self.upper()


class Metres(float):
    __slots__ = ()


class Broken:
    def __str__(self) -> str:
        raise RuntimeError("no text today")

    def __hash__(self) -> int:
        return 1


class Letters:
    def __iter__(self) -> Iterator[str]:
        return iter("ab")


def decoded(value: Any) -> Any:
    return json.loads(encode({"value": value}))["value"]


def test_encode__no_data() -> None:
    assert encode({}) == "{}"


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (None, None),
        (True, True),
        (5, 5),
        (-1.5, -1.5),
        ("Zoë \U0001f600", "Zoë \U0001f600"),
        ("a\0b", "a\0b"),
        ("a\ud800b", "a\ud800b"),
        (float("nan"), "nan"),
        (float("inf"), "inf"),
        (float("-inf"), "-inf"),
        (Metres("nan"), "nan"),
        (Metres(2.5), 2.5),
        (10**400, 10**400),
        (Decimal("1.10"), "1.10"),
        (Decimal("NaN"), "NaN"),
        (Decimal("sNaN"), "sNaN"),
        (1 + 2j, "(1+2j)"),
        (UUID(int=1), "00000000-0000-0000-0000-000000000001"),
        (date(2026, 2, 28), "2026-02-28"),
        (datetime(2026, 2, 28, 1, 2, 3, tzinfo=UTC), "2026-02-28T01:02:03+00:00"),
        (time(1, 2), "01:02:00"),
        (timedelta(days=1, seconds=1), "1 day, 0:00:01"),
        (b"abc", "abc"),
        (b"\xff\x00", "\\xff\0"),
        (Colour.red, "r"),
        (Colour.nested, [1, "0.5"]),
        (Size.SMALL, "s"),
        (Level.high, 9),
        (Status.critical, 3),
        (Shout("hi"), "HI"),
        (UserString("abc"), "abc"),
        (mark_safe("<b>x</b>"), "<b>x</b>"),
        (gettext_lazy("Monday"), "Monday"),
        ((1, (2,)), [1, [2]]),
        (Point(1, 2), [1, 2]),
        ({3, 1, 2}, [1, 2, 3]),
        (frozenset(), []),
        ({"b": 1, "a": 2}.keys(), ["b", "a"]),
        (range(3), [0, 1, 2]),
        (iter([Decimal(1)]), ["1"]),
        (Letters(), ["a", "b"]),
        (OrderedDict(a=1), {"a": 1}),
        (UserDict(a=Decimal(1)), {"a": "1"}),
        (MappingProxyType({"a": {1}}), {"a": [1]}),
        (Item(name="An item"), "An item"),
        (ValueError("no"), "no"),
        (Item, "<class 'tests.testapp.models.Item'>"),
    ],
)
def test_encode__value(value: Any, expected: Any) -> None:
    assert decoded(value) == expected


def test_encode__integer_that_python_will_not_print() -> None:
    assert decoded(10**5000) == "integer of 16,610 bits"
    assert decoded(-(10**5000)) == "integer of 16,610 bits"


@pytest.mark.parametrize(
    ("key", "expected"),
    [
        (1, "1"),
        (None, "None"),
        (True, "True"),
        (1.5, "1.5"),
        ((1, 2), "(1, 2)"),
        (date(2026, 2, 28), "2026-02-28"),
        (UUID(int=1), "00000000-0000-0000-0000-000000000001"),
        ("\ud800\0", "\ud800\0"),
        (gettext_lazy("Monday"), "Monday"),
        (mark_safe("k"), "k"),
    ],
)
def test_encode__key_becomes_text(key: Any, expected: str) -> None:
    assert decoded({key: 1}) == {expected: 1}


def test_encode__key_that_python_will_not_print() -> None:
    assert decoded({10**5000: 1}) == {"integer of 16,610 bits": 1}


def test_encode__order_of_keys_is_kept() -> None:
    assert encode({"b": 1, "a": 2}) == '{"b": 1, "a": 2}'


def test_encode__source_that_never_ends_is_cut() -> None:
    assert decoded(itertools.count()) == list(range(1000))


def test_encode__data_that_refers_to_itself() -> None:
    itself: dict[str, Any] = {"fine": 1}
    itself["me"] = [itself]

    assert json.loads(encode(itself)) == {
        "unreadable": "data refers to itself or is nested too deeply"
    }


def test_encode__nested_a_thousand_deep() -> None:
    deep: list[Any] = []
    for _ in range(1000):
        deep = [deep]

    assert "unreadable" in encode({"deep": deep})


def test_encode__nested_fifty_deep_is_kept() -> None:
    deep: list[Any] = []
    for _ in range(49):
        deep = [deep]

    assert decoded(deep) == deep


def test_encode__over_the_limit_leaves_a_note_and_a_preview() -> None:
    text = encode({"note": "é" * 1_000_000})

    note = json.loads(text)
    assert note["truncated"] == "data of 6,000,012 bytes or more; the limit is 65,536"
    assert note["preview"].startswith('{"note": "\\u00e9')
    assert len(text) <= MAX_DATA_BYTES


def test_encode__small_data_that_unfolds_without_end() -> None:
    doubled: list[Any] = [{1}]
    for _ in range(45):
        doubled = [doubled, doubled]

    assert "truncated" in json.loads(encode({"a": doubled}))


def test_encode__millions_of_values() -> None:
    note = json.loads(encode({"a": range(1000), "b": [1.5] * 3_000_000, "c": {3: [[]] * 100_000}}))

    assert "truncated" in note
    assert note["preview"].startswith('{"a": [0, 1, 2,')


@pytest.mark.parametrize(("length", "is_kept"), [(65_527, True), (65_528, False)])
def test_encode__limit_is_exact(length: int, is_kept: bool) -> None:  # noqa: FBT001
    text = encode({"a": "x" * length})

    assert ("truncated" not in text) is is_kept
    assert len(text) <= MAX_DATA_BYTES


@pytest.mark.parametrize(
    "data", [{"a": Broken()}, {"a": [Broken()]}, {"a": {Broken()}}, {Broken(): 1}]
)
def test_encode__text_that_raises_is_the_authors_error(data: Any) -> None:
    with pytest.raises(RuntimeError, match="no text today"):
        encode(data)


def test_encode__sets_are_in_one_order_in_every_process() -> None:
    script = (
        "from dwatch.core.encoding import encode\n"
        "print(encode({'a': {'1', 1, 'b', None, 'None', (2, 'x'), 'ü'}}))"
    )
    texts = {
        subprocess.run(
            [sys.executable, "-c", script],
            env={**os.environ, "PYTHONHASHSEED": str(seed)},
            capture_output=True,
            text=True,
            check=True,
        ).stdout
        for seed in range(1, 6)
    }

    assert len(texts) == 1


def test_encode__what_was_drawn_is_not_changed() -> None:
    data = {"rows": [Decimal(1), {"a": (1, 2)}]}

    encode(data)

    assert data == {"rows": [Decimal(1), {"a": (1, 2)}]}


SCALARS = (
    st.none()
    | st.booleans()
    | st.integers()
    | st.integers(min_value=10**4000, max_value=10**4500)
    | st.floats()
    | st.decimals()
    | st.text(st.characters(exclude_categories=()))
    | st.binary()
    | st.dates()
    | st.datetimes()
    | st.times()
    | st.timedeltas()
    | st.uuids()
    | st.sampled_from([*Colour, *Size, *Level, *Status])
)
KEYS = SCALARS.filter(lambda key: not (isinstance(key, Decimal) and key.is_snan()))
ANY_DATA = st.recursive(
    SCALARS,
    lambda inner: (
        st.lists(inner)
        | st.tuples(inner, inner)
        | st.sets(KEYS)
        | st.frozensets(KEYS)
        | st.dictionaries(KEYS, inner)
        | inner.map(lambda value: [value] * 100)
        | inner.map(lambda value: iter([value]))
    ),
    max_leaves=8,
)


@given(st.dictionaries(st.text(), ANY_DATA))
def test_encode__any_data_is_bounded_ascii_json(data: dict[str, Any]) -> None:
    text = encode(data)

    assert text.isascii()
    assert "\0" not in text
    assert len(text) <= MAX_DATA_BYTES
    assert isinstance(json.loads(text, parse_constant=pytest.fail), dict)


JSON_DATA = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=20,
)


@given(st.dictionaries(st.text(), JSON_DATA))
def test_encode__what_json_knows_comes_back_as_it_was(data: dict[str, Any]) -> None:
    text = encode(data)

    assert json.loads(text) == data
    assert encode(data) == text
