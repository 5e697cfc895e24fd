from __future__ import annotations

from typing import Any

import pytest

from dwatch.core.check import BaseCheck
from dwatch.core.definition import validate
from dwatch.core.registry import Registry
from dwatch.core.status import Status
from dwatch.exceptions import DefinitionError, UnknownCheckError
from tests.testapp.models import Item


def ok(_self: BaseCheck, _payload: object) -> Status:
    return Status.ok


async def later(_self: BaseCheck, _payload: object) -> Status:
    return Status.ok


PLAIN: dict[str, Any] = {
    "check": ok,
    "generate": lambda _self: [],
    "get_identifier": lambda _self, payload: payload,
    "get_payload": lambda _self, identifier: identifier,
}


def make(**members: Any) -> type[BaseCheck]:
    return type("Made", (BaseCheck,), {**PLAIN, **members})


def without(*names: str) -> type[BaseCheck]:
    return type("Made", (BaseCheck,), {k: v for k, v in PLAIN.items() if k not in names})


@pytest.mark.parametrize(
    ("check_class", "message"),
    [
        (object, "is not a check"),
        (without("check"), "no check() method"),
        (make(check=later), "coroutine"),
        (without("generate"), "neither model_class nor generate"),
        (without("get_payload"), "cannot find a payload"),
        (without("get_identifier"), "does not name its payloads"),
        (make(model_class=int), "not a Django model"),
        (make(slug=""), "slug must be"),
        (make(slug=5), "slug must be"),
        (make(slug="x" * 191), "slug must be"),
        (make(slug="a b"), "holds spaces"),
        (make(slug="a*"), "holds spaces"),
        (make(aliases="old"), "aliases must be a tuple"),
        (make(tags="money"), "tags must be a tuple"),
        (make(tags=(1,)), "tags must be a tuple"),
        (make(owner=1), "owner must be a string"),
        (make(max_acknowledge=0), "max_acknowledge is 0"),
        (make(max_acknowledge=True), "max_acknowledge is True"),
        (make(run_every="61 * * * *"), "61"),
        (make(run_every=5), "run_every"),
        (make(run_every="* * * * *", timezone="Mars/Base"), "Mars/Base"),
        (make(trigger_update=[Item]), "trigger_update must be a dict"),
        (make(trigger_update={"item": "Item"}), "not a Django model"),
        (make(trigger_update={"item": Item}), "no get_item_payload()"),
    ],
)
def test_validate__refuses_with_a_hint(check_class: Any, message: str) -> None:
    with pytest.raises(DefinitionError) as raised:
        validate(check_class)
    assert message in raised.value.message
    assert raised.value.hint
    assert "\n" not in raised.value.message


@pytest.mark.parametrize(
    "check_class",
    [
        make(),
        make(model_class=Item),
        make(trigger_update={"item": Item}, get_item_payload=ok),
        make(trigger_update=None),
        make(run_every="@daily", timezone="Asia/Kolkata", tags=("a",), max_acknowledge=3),
        type("Bulk", (BaseCheck,), {**PLAIN, "get_payloads": ok}),
    ],
)
def test_validate__accepts(check_class: type[BaseCheck]) -> None:
    validate(check_class)


def test_slug__is_module_and_class_and_not_inherited() -> None:
    class Parent(BaseCheck):
        slug = "parent"

    class Child(Parent):
        pass

    assert Parent.slug == "parent"
    assert Child.slug == f"{__name__}.Child"


def test_registry__refuses_a_slug_or_alias_that_is_taken() -> None:
    registry = Registry()
    registry.register(make(slug="one", aliases=("old",)))
    for taken in ({"slug": "one"}, {"slug": "old"}, {"slug": "two", "aliases": ("one",)}):
        other = type("Other", (BaseCheck,), {**PLAIN, **taken})
        with pytest.raises(DefinitionError, match="is taken by"):
            registry.register(other)
    assert len(registry) == 1


def test_registry__same_class_again_replaces_itself() -> None:
    registry = Registry()
    registry.register(make(slug="one"))
    again = registry.register(make(slug="one"))
    assert registry.get("one") is again
    assert "one" in registry


def test_registry__select() -> None:
    registry = Registry()
    for slug, tags in (("a.x", ("t",)), ("a.y", ()), ("b.z", ("t", "u"))):
        registry.register(type(slug, (BaseCheck,), {**PLAIN, "slug": slug, "tags": tags}))

    def slugs(*args: Any, **kwargs: Any) -> list[str]:
        return [cls.slug for cls in registry.select(*args, **kwargs)]

    assert slugs() == ["a.x", "a.y", "b.z"]
    assert slugs(["a.*"]) == ["a.x", "a.y"]
    assert slugs(["a.*"], ["*.y"]) == ["a.x"]
    assert slugs(tags=["t"]) == ["a.x", "b.z"]
    for patterns, excludes in ((["c*"], []), ([], ["c*"])):
        with pytest.raises(UnknownCheckError):
            slugs(patterns, excludes)
    with pytest.raises(UnknownCheckError, match="tag"):
        slugs(tags=["nothing"])


def test_registry__unknown_slug_says_what_was_meant_or_how_to_begin() -> None:
    registry = Registry()
    with pytest.raises(UnknownCheckError) as raised:
        registry.get("x")
    assert "@register" in raised.value.hint
    registry.register(make(slug="shop.checks.WalletBalance"))
    for typed in ("walletbalance", "shop.checks.WalletBalanc", "WalletBalence"):
        with pytest.raises(UnknownCheckError) as raised:
            registry.get(typed)
        assert "shop.checks.WalletBalance" in raised.value.hint
    with pytest.raises(UnknownCheckError) as raised:
        registry.get("q")
    assert "dwatch list" in raised.value.hint
