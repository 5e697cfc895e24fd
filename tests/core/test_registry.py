from __future__ import annotations

import sys
from importlib import import_module
from typing import TYPE_CHECKING, Any

import pytest

import dwatch
from dwatch.core.check import BaseCheck
from dwatch.core.registry import Registry, registry
from dwatch.core.status import Status
from dwatch.exceptions import DefinitionError, UnknownCheckError
from tests.testapp.models import Item

if TYPE_CHECKING:
    from pathlib import Path


def check_class(name: str, slug: str = "", **attributes: Any) -> type[BaseCheck]:
    def check(_self: BaseCheck, _payload: Item) -> Status:
        return Status.ok

    own = {"model_class": Item, "check": check, "__module__": "shop.checks"}
    return type(name, (BaseCheck,), own | ({"slug": slug} if slug else {}) | attributes)


def slugs(classes: list[type[BaseCheck]]) -> list[str]:
    return [cls.slug for cls in classes]


@pytest.fixture
def shop() -> Registry:
    checks = Registry()
    checks.register(check_class("WalletBalance", tags=("money",), aliases=("old.Wallet",)))
    checks.register(check_class("OverdueInvoices", tags=("money", "daily")))
    checks.register(check_class("Stock", slug="stock"))
    return checks


def test_register__adds_and_returns_the_class() -> None:
    checks = Registry()
    stock = check_class("Stock", slug="stock")

    assert checks.register(stock) is stock
    assert checks.get("stock") is stock
    assert "stock" in checks
    assert len(checks) == 1
    assert list(checks) == [stock]


def test_register__refuses_what_cannot_work_and_keeps_nothing_of_it() -> None:
    checks = Registry()

    with pytest.raises(DefinitionError):
        checks.register(check_class("Stock", check=None))
    assert len(checks) == 0


@pytest.mark.parametrize(
    ("newcomer", "taken"),
    [
        (check_class("Other", slug="stock"), "stock"),
        (check_class("Other", slug="old.Wallet"), "old.Wallet"),
        (check_class("Other", aliases=("stock",)), "stock"),
        (check_class("Other", aliases=("new", "old.Wallet")), "old.Wallet"),
    ],
)
def test_register__slug_or_alias_that_is_taken(
    shop: Registry, newcomer: type[BaseCheck], taken: str
) -> None:
    before = shop.snapshot()

    with pytest.raises(DefinitionError) as caught:
        shop.register(newcomer)

    assert caught.value.message.startswith(
        f"slug {taken!r} of shop.checks.Other is taken by shop.checks."
    )
    assert caught.value.hint == "Give one of them another `slug` (or remove the alias)."
    assert shop.snapshot() == before


def test_register__slug_that_differs_in_case_is_another(shop: Registry) -> None:
    shop.register(check_class("Other", slug="Stock"))

    assert len(shop) == 4


def test_register__same_class_imported_again_replaces_itself(shop: Registry) -> None:
    again = shop.register(check_class("Stock", slug="stock"))

    assert shop.get("stock") is again
    assert len(shop) == 3


def test_register__imported_again_under_another_slug_leaves_the_earlier_one(
    shop: Registry,
) -> None:
    shop.register(check_class("Stock", slug="warehouse", aliases=("stock",)))

    assert "stock" not in shop
    assert "warehouse" in shop
    assert len(shop) == 3


def test_register__module_imported_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "reimported_checks.py").write_text(
        "from dwatch import BaseCheck, Status, register\n"
        "from tests.testapp.models import Item\n"
        "@register\n"
        "class Again(BaseCheck):\n"
        "    model_class = Item\n"
        "    def check(self, payload):\n"
        "        return Status.ok\n"
    )
    monkeypatch.syspath_prepend(tmp_path)
    count = len(registry)
    first = import_module("reimported_checks").Again
    monkeypatch.delitem(sys.modules, "reimported_checks")
    second = import_module("reimported_checks").Again
    monkeypatch.delitem(sys.modules, "reimported_checks")

    assert first is not second
    assert registry.get("reimported_checks.Again") is second
    assert len(registry) == count + 1


def test_registry__what_authors_import_is_the_projects_one() -> None:
    stock = dwatch.register(check_class("Stock", slug="only-here"))

    assert registry.get("only-here") is stock


def test_snapshot__restores_what_was_there(shop: Registry) -> None:
    before = shop.snapshot()
    shop.register(check_class("More", slug="more"))
    shop.restore(before)
    shop.register(check_class("Later", slug="later"))

    assert "more" not in shop
    assert "later" not in before
    assert len(shop) == 4


@pytest.mark.parametrize(
    ("patterns", "excludes", "tags", "expected"),
    [
        ([], [], [], ["shop.checks.OverdueInvoices", "shop.checks.WalletBalance", "stock"]),
        (["stock"], [], [], ["stock"]),
        (["shop.*"], [], [], ["shop.checks.OverdueInvoices", "shop.checks.WalletBalance"]),
        (["s*", "stock"], ["*Wallet*"], [], ["shop.checks.OverdueInvoices", "stock"]),
        (["*.[OW]*"], ["*Wallet*"], [], ["shop.checks.OverdueInvoices"]),
        ([], ["shop.*"], [], ["stock"]),
        ([], [], ["daily"], ["shop.checks.OverdueInvoices"]),
        ([], [], ["daily", "money"], ["shop.checks.OverdueInvoices", "shop.checks.WalletBalance"]),
        ([], ["*Invoices"], ["money"], ["shop.checks.WalletBalance"]),
    ],
)
def test_select__by_patterns_excludes_and_tags(
    shop: Registry, patterns: list[str], excludes: list[str], tags: list[str], expected: list[str]
) -> None:
    assert slugs(shop.select(iter(patterns), iter(excludes), iter(tags))) == expected


@pytest.mark.parametrize(
    ("patterns", "excludes", "tags"), [([], ["*"], []), (["stock"], [], ["money"])]
)
def test_select__that_leaves_nothing_is_refused(
    shop: Registry, patterns: list[str], excludes: list[str], tags: list[str]
) -> None:
    with pytest.raises(UnknownCheckError, match="no check is left"):
        shop.select(patterns, excludes, tags)


@pytest.mark.parametrize(
    "arguments",
    [
        {"patterns": ["nothing*"]},
        {"patterns": ["stock", "STOCK"]},
        {"excludes": ["nothing"]},
        {"patterns": [""]},
        {"tags": ["mony"]},
        {"tags": ["money", "mony"]},
    ],
)
def test_select__what_matches_nothing_is_refused(
    shop: Registry, arguments: dict[str, list[str]]
) -> None:
    with pytest.raises(UnknownCheckError):
        shop.select(**arguments)


def test_select__unknown_tag_names_those_in_use(shop: Registry) -> None:
    with pytest.raises(UnknownCheckError) as caught:
        shop.select(tags=["mony"])

    assert caught.value.message == "no check has the tag 'mony'"
    assert caught.value.hint == "Tags in use: daily, money."


def test_select__of_an_empty_registry_is_empty() -> None:
    assert Registry().select() == []


@pytest.mark.parametrize("asked", ["stock", "stock*", "*", ""])
def test_get__empty_registry_tells_how_to_begin(asked: str) -> None:
    with pytest.raises(UnknownCheckError) as caught:
        Registry().get(asked)

    assert caught.value.message == f"no check matches {asked!r}: no check is registered at all"
    assert "<app>/checks.py" in caught.value.hint


@pytest.mark.parametrize(
    ("asked", "meant"),
    [
        ("stcok", "stock"),
        ("STOCK", "stock"),
        ("WalletBalance", "shop.checks.WalletBalance"),
        ("walletbalanc", "shop.checks.WalletBalance"),
        ("OverdueInvoice", "shop.checks.OverdueInvoices"),
        ("shop.checks.WaletBalance", "shop.checks.WalletBalance"),
        ("elsewhere.tests.OverdueInvoices", "shop.checks.OverdueInvoices"),
    ],
)
def test_get__unknown_slug_did_you_mean(shop: Registry, asked: str, meant: str) -> None:
    with pytest.raises(UnknownCheckError) as caught:
        shop.get(asked)

    assert caught.value.message == f"no check matches {asked!r}"
    assert caught.value.hint == f"Did you mean {meant}?"


@pytest.mark.parametrize("asked", ["zzzzzz", "", "\0", "☃", "x" * 5000])
def test_get__nothing_alike_points_to_the_list(shop: Registry, asked: str) -> None:
    with pytest.raises(UnknownCheckError) as caught:
        shop.get(asked)

    assert caught.value.hint == "`dwatch list` shows all of them."
