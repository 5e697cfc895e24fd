from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from dwatch.core.check import BaseCheck
from dwatch.core.interrupt import Interrupted
from dwatch.core.resolve import load_payloads
from dwatch.core.status import Status
from dwatch.exceptions import SkipCheck
from tests.testapp.models import Item

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from pytest_django import DjangoAssertNumQueries


class ItemCheck(BaseCheck):
    model_class = Item

    def check(self, payload: Any) -> Status:
        return Status.ok if payload else Status.warning


class ByName(ItemCheck):
    """Names and finds its rows its own way."""

    def get_identifier(self, payload: Item) -> str:
        return payload.name

    def get_payload(self, identifier: str) -> Item | None:
        if identifier == "other model":
            raise KeyError(identifier)
        if identifier == "none":
            return None
        return Item.objects.get(name=identifier)


class Together(BaseCheck):
    """Finds payloads of no model, many at once."""

    def check(self, payload: Any) -> Status:
        return Status.ok if payload else Status.warning

    def get_payloads(self, identifiers: Iterable[str]) -> Mapping[Any, Any]:
        known = {1: "one", "two": 2, "gone": None, "false": False, "zero": 0}
        return {key: value for key, value in known.items() if str(key) in set(identifiers)}


class OneByOne(BaseCheck):
    """Finds payloads of no model, one at a time."""

    def check(self, payload: Any) -> Status:
        return Status.ok if payload else Status.warning

    def get_payload(self, identifier: str) -> Any:
        error = {
            "skip": SkipCheck("later"),
            "exit": SystemExit(1),
            "interrupted": Interrupted(),
            "gone elsewhere": Item.DoesNotExist("no item"),
        }.get(identifier)
        if error is not None:
            raise error
        return identifier


@pytest.mark.django_db
def test_load_payloads__of_a_model_in_one_query(
    django_assert_num_queries: DjangoAssertNumQueries,
) -> None:
    first, second = (Item.objects.create(name=name) for name in "ab")
    asked = [str(second.pk), "0", str(first.pk), "no number"]

    with django_assert_num_queries(1):
        loaded = load_payloads(ItemCheck(), asked)

    assert [named.identifier for named in loaded] == asked
    assert [named.payload for named in loaded] == [second, None, first, None]
    assert [named.gone for named in loaded] == [False, True, False, True]
    assert all(named.failure is None for named in loaded)


@pytest.mark.django_db
def test_load_payloads__own_get_payload_is_asked_for_each() -> None:
    item = Item.objects.create(name="a")

    found, absent, none, broken = load_payloads(ByName(), ["a", "b", "none", "other model"])

    assert found.payload == item
    assert not found.gone
    assert absent.gone
    assert none.gone
    assert not broken.gone
    assert broken.failure is not None
    assert broken.failure.error == "KeyError: 'other model'"


@pytest.mark.django_db
def test_load_payloads__own_get_identifier_alone_is_asked_one_by_one() -> None:
    class Prefixed(ItemCheck):
        def get_identifier(self, payload: Item) -> str:
            return f"item-{payload.pk}"

    (named,) = load_payloads(Prefixed(), ["item-1"])

    assert not named.gone
    assert named.failure is not None
    assert named.failure.exception_type is ValueError


def test_load_payloads__own_get_payloads_may_use_any_key() -> None:
    loaded = load_payloads(Together(), ["two", "1", "absent", "gone", "false", "zero"])

    assert [(named.payload, named.gone) for named in loaded] == [
        (2, False),
        ("one", False),
        (None, True),
        (None, True),
        (False, False),
        (0, False),
    ]


@pytest.mark.parametrize("returned", [None, 5, [("1", "x")], "text"])
def test_load_payloads__get_payloads_that_returns_no_mapping_fails_all(returned: Any) -> None:
    class Broken(Together):
        def get_payloads(self, identifiers: Iterable[str]) -> Any:
            return returned if list(identifiers) else {}

    loaded = load_payloads(Broken(), ["1", "2"])

    assert [named.identifier for named in loaded] == ["1", "2"]
    assert all(named.failure and not named.gone for named in loaded)


def test_load_payloads__another_models_absence_is_a_failure() -> None:
    (named,) = load_payloads(OneByOne(), ["gone elsewhere"])

    assert not named.gone
    assert named.failure is not None
    assert named.failure.error == "DoesNotExist: no item"


def test_load_payloads__one_failure_leaves_the_others() -> None:
    loaded = load_payloads(OneByOne(), ["a", "exit", "skip", "b"])

    assert [named.payload for named in loaded] == ["a", None, None, "b"]
    assert [named.failure is not None for named in loaded] == [False, True, True, False]
    assert not any(named.gone for named in loaded)


def test_load_payloads__interruption_passes() -> None:
    with pytest.raises(Interrupted):
        load_payloads(OneByOne(), ["interrupted"])


@pytest.mark.parametrize("check", [ItemCheck(), Together(), OneByOne()])
@pytest.mark.django_db
def test_load_payloads__nothing_asked(check: BaseCheck) -> None:
    assert load_payloads(check, []) == []
