from __future__ import annotations

from collections import UserString
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

import pytest
from django.utils.safestring import mark_safe
from django.utils.translation import gettext_lazy
from hypothesis import given
from hypothesis import strategies as st

from dwatch.core.identifier import MAX_KEY_LENGTH, Identity, identify, printable, storage_key
from tests.testapp.models import Item

ANY_TEXT = st.text(alphabet=st.characters(exclude_categories=()))
STORABLE_TEXT = st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"]))


class Loud(str):
    __slots__ = ()

    def __str__(self) -> str:
        return "loud " + str.__str__(self)


class Nameless:
    pass


class Named(Nameless):
    def __repr__(self) -> str:
        return "Named()"


class Broken:
    def __str__(self) -> str:
        raise RuntimeError("no text today")


class Wrong:
    def __str__(self) -> str:
        return 5  # type: ignore[return-value]  # noqa: PLE0307 - what goes wrong here


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (7, "7"),
        (0, "0"),
        (-1, "-1"),
        (False, "False"),
        (1.5, "1.5"),
        (Decimal("1.10"), "1.10"),
        (10**400, "1" + "0" * 400),
        (UUID(int=1), "00000000-0000-0000-0000-000000000001"),
        (("de", 7), "('de', 7)"),
        ((), "()"),
        (date(2026, 2, 28), "2026-02-28"),
        (datetime(2026, 2, 28, 1, tzinfo=UTC), "2026-02-28 01:00:00+00:00"),
        ("a", "a"),
        ("A ", "A "),
        (" ", " "),
        ("a\nb\t", "a\nb\t"),
        ("Zoë \U0001f600 \u202e", "Zoë \U0001f600 \u202e"),
        ("x" * 5000, "x" * 5000),
        (b"\x00raw", "b'\\x00raw'"),
        (Named(), "Named()"),
        (Loud("x"), "loud x"),
        (UserString("x"), "x"),
        (mark_safe("<b>"), "<b>"),
        (gettext_lazy("Monday"), "Monday"),
        (Item(pk=3, name="Third"), "Third"),
    ],
)
def test_identify__usable_value(value: object, text: str) -> None:
    identity = identify(value)

    assert identity == Identity(text, "")
    assert type(identity.identifier) is str


@pytest.mark.parametrize(
    ("value", "identifier", "problem"),
    [
        (None, "<None>", "returned None"),
        ("", "<empty>", "empty identifier"),
        (Loud(""), "loud ", ""),
        (UserString(""), "<empty>", "empty identifier"),
        (Nameless(), "<Nameless>", "no stable text"),
        (object(), "<object>", "no stable text"),
        ("a\0b", "a\\x00b", "NUL or lone surrogates"),
        ("é\0", "é\\x00", "NUL or lone surrogates"),
        ("a\ud800b", "a\\ud800b", "NUL or lone surrogates"),
    ],
)
def test_identify__unusable_value_is_shown_with_its_problem(
    value: object, identifier: str, problem: str
) -> None:
    identity = identify(value)

    assert identity.identifier == identifier
    assert problem in identity.problem
    assert bool(identity.problem) is bool(problem)


@pytest.mark.parametrize(
    ("value", "error"),
    [
        pytest.param(Broken(), RuntimeError, id="raises"),
        pytest.param(Wrong(), TypeError, id="no string"),
        pytest.param(10**5000, ValueError, id="too many digits"),
    ],
)
def test_identify__value_without_any_text_raises(value: object, error: type[Exception]) -> None:
    with pytest.raises(error):
        identify(value)


@given(ANY_TEXT)
def test_identify__any_text_is_deterministic_and_storable(text: str) -> None:
    identity = identify(text)

    assert identify(text) == identity
    assert identity.identifier
    assert "\0" not in identity.identifier
    identity.identifier.encode("utf-8")
    assert identity.problem or identity.identifier == text


@given(st.integers() | st.uuids() | st.datetimes() | st.tuples(st.integers(), st.text()))
def test_identify__is_the_text_of_plain_values(value: Any) -> None:
    assert identify(value).identifier == printable(str(value))


@pytest.mark.parametrize("length", [1, MAX_KEY_LENGTH - 1])
def test_storage_key__short_identifier_is_its_own(length: int) -> None:
    assert storage_key("ü" * length) == "ü" * length


@pytest.mark.parametrize("length", [MAX_KEY_LENGTH, MAX_KEY_LENGTH + 1, 5000, 1_000_000])
def test_storage_key__long_identifier_keeps_its_beginning(length: int) -> None:
    key = storage_key("ü" * length)

    assert len(key) == MAX_KEY_LENGTH
    assert key.startswith("ü" * 100)


def test_storage_key__long_identifiers_that_differ_in_the_last_character() -> None:
    assert storage_key("x" * 5000 + "a") != storage_key("x" * 5000 + "b")


@pytest.mark.parametrize("variant", ["casex", "CaseX ", " CaseX", "CaseX\u200b", "Casex"])
def test_storage_key__keeps_what_some_databases_merge_apart(variant: str) -> None:
    assert storage_key(variant) != storage_key("CaseX")


def test_storage_key__of_a_key_is_not_the_key() -> None:
    key = storage_key("x" * 5000)

    assert storage_key(key) != key


@given(STORABLE_TEXT, STORABLE_TEXT, st.sampled_from([1, 20, 190]))
def test_storage_key__is_bounded_and_tells_identifiers_apart(
    one: str, other: str, times: int
) -> None:
    one, other = one * times, other * times

    assert len(storage_key(one)) <= MAX_KEY_LENGTH
    assert storage_key(one) == storage_key(one)
    assert (storage_key(one) == storage_key(other)) is (one == other)


@given(ANY_TEXT)
def test_printable__every_database_takes_it(text: str) -> None:
    shown = printable(text)

    assert "\0" not in shown
    assert shown.encode("utf-8").decode("utf-8") == shown
    assert printable(shown) == shown
