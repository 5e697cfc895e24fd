from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from django.db import models

from dwatch.core.check import BaseCheck
from dwatch.core.definition import MAX_SLUG_LENGTH, overrides, parse_schedule, validate
from dwatch.core.status import Status
from dwatch.exceptions import DefinitionError, ScheduleError
from tests.testapp.models import Item

if TYPE_CHECKING:
    from collections.abc import Iterable

SPACES_OR_PATTERN = "holds spaces, control characters or one of"


class AbstractItem(models.Model):
    class Meta:
        abstract = True


def judge(_self: BaseCheck, _payload: object) -> Status:
    return Status.ok


async def judge_later(_self: BaseCheck, _payload: object) -> Status:
    return Status.ok


def defined(**attributes: Any) -> type[BaseCheck]:
    """Return a usable check over a model, with these attributes instead."""
    return type("Wallets", (BaseCheck,), {"model_class": Item, "check": judge} | attributes)


def generated(**attributes: Any) -> type[BaseCheck]:
    """Return a usable check without a model, with these attributes instead."""
    own = {
        "model_class": None,
        "generate": lambda _self: [1],
        "get_identifier": lambda _self, payload: payload,
        "get_payload": lambda _self, identifier: identifier,
    }
    return defined(**own | attributes)


NAME = "tests.core.test_definition.Wallets"


@pytest.mark.parametrize(
    "check_class",
    [
        defined(),
        generated(),
        generated(get_payload=BaseCheck.get_payload, get_payloads=lambda _self, keys: dict(keys)),
        defined(slug="x" * MAX_SLUG_LENGTH),
        defined(slug="kunden.zahlungen-Übersicht_1"),
        defined(aliases=("old", "older"), tags=["money"], owner="finance", runbook="https://x"),
        defined(tags={"a", "b"}, aliases=frozenset()),
        defined(run_every="*/5 * * * *", timezone="Asia/Kolkata"),
        defined(max_acknowledge=1),
        defined(confirm_after=3),
        defined(timeout=0.5),
        defined(timeout=86_400),
        defined(trigger_update={"item": Item}, get_item_payload=lambda _self, item: item),
        defined(trigger_update=None),
    ],
)
def test_validate__usable(check_class: type[BaseCheck]) -> None:
    validate(check_class)

    assert issubclass(check_class, BaseCheck)


REFUSED: list[tuple[str, Any, str, str]] = [
    ("an instance", defined()(), "is not a check", "Decorate a class that extends"),
    ("a function", judge, "is not a check", "Decorate a class that extends"),
    ("a foreign class", dict, "<class 'dict'> is not a check", "Decorate a class that extends"),
    ("slug None", defined(slug=None), "a slug must be a string of 1 to 190", "It is None."),
    ("slug empty", defined(slug=""), "a slug must be a string of 1 to 190", "It is ''."),
    ("slug number", defined(slug=5), "a slug must be a string of 1 to 190", "It is 5."),
    ("slug long", defined(slug="x" * 191), "a slug must be a string of 1 to 190", "It is 'xxx"),
    ("slug space", defined(slug="a b"), SPACES_OR_PATTERN, "Use letters, digits"),
    ("slug glob", defined(slug="a*"), SPACES_OR_PATTERN, "Use letters, digits"),
    ("slug NUL", defined(slug="a\0"), SPACES_OR_PATTERN, "Use letters, digits"),
    ("slug surrogate", defined(slug="a\ud800"), SPACES_OR_PATTERN, "Use letters, digits"),
    ("slug right to left", defined(slug="a\u202e"), SPACES_OR_PATTERN, "Use letters, digits"),
    ("alias empty", defined(aliases=("",)), "a slug must be a string of 1 to 190", "It is ''."),
    ("alias glob", defined(aliases=("[a]",)), SPACES_OR_PATTERN, "Use letters, digits"),
    ("aliases string", defined(aliases="old"), "aliases must be a tuple of strings", '("money",)'),
    ("tags string", defined(tags="money"), "tags must be a tuple of strings", '("money",)'),
    ("tags None", defined(tags=None), "tags must be a tuple of strings", '("money",)'),
    ("tags number", defined(tags=5), "tags must be a tuple of strings", '("money",)'),
    ("tags of numbers", defined(tags=(1,)), "tags must be a tuple of strings", '("money",)'),
    ("tags iterator", defined(tags=iter("a")), "tags must be a tuple of strings", '("money",)'),
    ("no check", defined(check=BaseCheck.check), "has no check() method", "Define check(self"),
    ("check None", defined(check=None), "has no check() method", "Define check(self"),
    ("check async", defined(check=judge_later), "is a coroutine", "not `async def`"),
    (
        "no source",
        generated(generate=BaseCheck.generate),
        "has neither model_class nor generate()",
        "Set model_class, or define generate()",
    ),
    ("model name", defined(model_class="shop.Item"), "not a Django model", "a concrete model"),
    ("model abstract", defined(model_class=AbstractItem), "not a Django model", "a concrete"),
    ("model instance", defined(model_class=Item()), "not a Django model", "a concrete model"),
    (
        "no resolver",
        generated(get_payload=BaseCheck.get_payload),
        "cannot find a payload by its identifier",
        "Define get_payload(self, identifier)",
    ),
    (
        "no identifier",
        generated(get_identifier=BaseCheck.get_identifier),
        "does not name its payloads",
        "Define get_identifier(self, payload)",
    ),
    ("trigger list", defined(trigger_update=[Item]), "must be a dict of name", '{"customer"'),
    (
        "trigger string",
        defined(trigger_update={"item": "Item"}),
        "trigger_update['item'] is 'Item', not a Django model",
        "Name the model class",
    ),
    (
        "trigger without method",
        defined(trigger_update={"item": Item}),
        "has trigger 'item' but no get_item_payload()",
        "Define get_item_payload(self, instance)",
    ),
    (
        "trigger method no method",
        defined(trigger_update={"item": Item}, get_item_payload=5),
        "no get_item_payload()",
        "Define get_item_payload(self, instance)",
    ),
    ("acknowledge 0", defined(max_acknowledge=0), "max_acknowledge is 0", "whole number of days"),
    ("acknowledge True", defined(max_acknowledge=True), "max_acknowledge is True", "at least 1"),
    ("timeout 0", defined(timeout=0), "timeout is 0", "number of seconds, above 0"),
    ("timeout -1", defined(timeout=-1), "timeout is -1", "None for no limit"),
    ("timeout True", defined(timeout=True), "timeout is True", "number of seconds"),
    ("timeout text", defined(timeout="5"), "timeout is '5'", "number of seconds"),
    ("timeout nan", defined(timeout=float("nan")), "timeout is nan", "at most 86,400"),
    ("timeout inf", defined(timeout=float("inf")), "timeout is inf", "at most 86,400"),
    ("acknowledge 1.5", defined(max_acknowledge=1.5), "max_acknowledge is 1.5", "whole number"),
    ("confirm 0", defined(confirm_after=0), "confirm_after is 0", "at least 1"),
    ("confirm True", defined(confirm_after=True), "confirm_after is True", "whole number of runs"),
    ("confirm None", defined(confirm_after=None), "confirm_after is None", "whole number"),
    ("owner None", defined(owner=None), "owner must be a string", '"finance"'),
    ("runbook list", defined(runbook=["x"]), "runbook must be a string", "For example"),
]


@pytest.mark.parametrize(
    ("check_class", "message", "hint"),
    [pytest.param(*case[1:], id=case[0]) for case in REFUSED],
)
def test_validate__refused_with_words_and_a_hint(check_class: Any, message: str, hint: str) -> None:
    with pytest.raises(DefinitionError) as caught:
        validate(check_class)

    assert message in caught.value.message
    assert hint in caught.value.hint
    assert "\n" not in caught.value.message


@pytest.mark.parametrize(
    "attributes",
    [
        {"slug": "a b"},
        {"tags": "money"},
        {"check": None},
        {"model_class": 5},
        {"run_every": "nonsense"},
        {"trigger_update": 5},
        {"max_acknowledge": -1},
        {"owner": 5},
    ],
)
def test_validate__names_the_class(attributes: dict[str, Any]) -> None:
    with pytest.raises(DefinitionError) as caught:
        validate(defined(**attributes))

    assert caught.value.message.startswith(NAME)


@pytest.mark.parametrize(
    "attributes",
    [
        {"run_every": "61 * * * *"},
        {"run_every": 5},
        {"run_every": ""},
        {"run_every": "0 0 31 2 *"},
        {"run_every": "* " * 50_000},
        {"run_every": "@daily", "timezone": "Mars/Olympus"},
    ],
)
def test_validate__bad_schedule_is_named_as_such(attributes: dict[str, Any]) -> None:
    with pytest.raises(ScheduleError) as caught:
        validate(defined(**attributes))

    assert caught.value.message.startswith(f"{NAME}: ")
    assert caught.value.hint


def test_parse_schedule__none_without_run_every() -> None:
    assert parse_schedule(defined()) is None
    assert parse_schedule(defined(run_every="@daily")) is not None


@pytest.mark.parametrize(
    ("names", "expected"),
    [
        (["check"], True),
        (["generate"], False),
        (["get_payload", "check"], True),
        (["get_payload", "get_payloads"], False),
        ([], False),
    ],
)
def test_overrides__own_versions_only(names: Iterable[str], expected: bool) -> None:  # noqa: FBT001
    assert overrides(defined(), *names) is expected


def test_overrides__inherited_from_a_mixin_count() -> None:
    class Mixin:
        def get_payload(self, identifier: str) -> str:
            return identifier

    mixed = type("Mixed", (Mixin, BaseCheck), {})

    assert overrides(mixed, "get_payload")
