from __future__ import annotations

import subprocess
import sys
from datetime import date
from decimal import Decimal
from typing import TYPE_CHECKING, Any, ClassVar

import pytest
from django import forms

from dwatch.core.check import BaseCheck, merge_config
from dwatch.core.registry import register
from dwatch.core.status import Status
from tests.testapp.models import Item

if TYPE_CHECKING:
    from collections.abc import Mapping


class LimitForm(forms.Form):
    limit = forms.DecimalField(initial=Decimal("10.5"))
    until = forms.DateField(initial=lambda: date(2026, 1, 1))
    active = forms.BooleanField(required=False)
    note = forms.CharField(initial="none", required=False)


class ItemCheck(BaseCheck):
    model_class = Item
    config_form: ClassVar[Any] = LimitForm

    def check(self, payload: Item) -> Status:
        return Status.ok if payload.value else Status.warning


INITIAL = {"limit": Decimal("10.5"), "until": date(2026, 1, 1), "active": None, "note": "none"}


def test_slug__is_module_and_class_by_default() -> None:
    assert ItemCheck.slug == "tests.core.test_check.ItemCheck"


def test_slug__explicit_one_is_not_inherited() -> None:
    class Parent(ItemCheck):
        slug = "parent"

    class Child(Parent):
        pass

    assert Parent.slug == "parent"
    assert Child.slug == "tests.core.test_check.Child"


def test_merge_config__nothing_stored_gives_the_initial_values() -> None:
    assert merge_config(LimitForm, {}) == INITIAL


def test_merge_config__stored_values_are_typed_by_their_fields() -> None:
    stored = {"limit": "3.20", "until": "2026-02-28", "active": True}

    assert merge_config(LimitForm, stored) == {
        "limit": Decimal("3.20"),
        "until": date(2026, 2, 28),
        "active": True,
        "note": "none",
    }


def test_merge_config__field_that_is_gone_is_left_out() -> None:
    assert merge_config(LimitForm, {"removed": 5}) == INITIAL


def test_merge_config__emptied_value_stays_empty() -> None:
    config = merge_config(LimitForm, {"limit": None, "note": ""})

    assert (config["limit"], config["note"]) == (None, "")


FIELDS: list[forms.Field] = [
    forms.BooleanField(initial=True),
    forms.CharField(initial="x"),
    forms.ChoiceField(choices=[("a", "A")], initial="a"),
    forms.DateField(initial=date(2026, 1, 1)),
    forms.DateTimeField(initial=None),
    forms.DecimalField(initial=1),
    forms.DurationField(initial=None),
    forms.EmailField(initial="a@example.org"),
    forms.FloatField(initial=1.0),
    forms.GenericIPAddressField(initial="::1"),
    forms.IntegerField(initial=1),
    forms.JSONField(initial=None),
    forms.MultipleChoiceField(choices=[("a", "A")], initial=["a"]),
    forms.TimeField(initial=None),
    forms.TypedChoiceField(choices=[(1, "1")], coerce=int, initial=1),
    forms.URLField(initial="https://example.org", assume_scheme="https"),
    forms.UUIDField(initial=None),
]


@pytest.mark.parametrize("field", FIELDS, ids=lambda field: type(field).__name__)
@pytest.mark.parametrize(
    "junk", ["junk", "", None, 5, -1.5, float("inf"), True, [], ["a", 1], {"a": 1}, "9" * 400]
)
def test_merge_config__value_of_an_earlier_kind_of_field_never_raises(
    field: forms.Field, junk: object
) -> None:
    form = type("Form", (forms.Form,), {"value": field})

    assert list(merge_config(form, {"value": junk})) == ["value"]


@pytest.mark.parametrize(
    ("name", "stored"),
    [("limit", "much"), ("limit", [1]), ("until", 30), ("until", "tomorrow"), ("until", [2026])],
)
def test_merge_config__value_the_field_does_not_understand_gives_way(
    name: str, stored: object
) -> None:
    assert merge_config(LimitForm, {name: stored}) == INITIAL


class BuggyField(forms.Field):
    def to_python(self, value: Any) -> Any:
        return 1 / value


def test_merge_config__bug_of_an_authors_field_is_not_hidden() -> None:
    form = type("Form", (forms.Form,), {"value": BuggyField()})

    with pytest.raises(ZeroDivisionError):
        merge_config(form, {"value": 0})


def test_get_config__without_a_form_is_empty() -> None:
    class Plain(ItemCheck):
        config_form = None

    assert Plain().get_config(Item(pk=1)) == {}


def test_get_config__comes_from_the_batch_by_identifier() -> None:
    check = ItemCheck()
    check.use_configs({"1": {"limit": "7"}})

    assert check.get_config(Item(pk=1)) == {**INITIAL, "limit": Decimal(7)}
    assert check.get_config(Item(pk=2)) == INITIAL


def test_get_config__outside_a_batch_is_looked_up() -> None:
    asked: list[tuple[BaseCheck, str]] = []

    def look_up(check: BaseCheck, identifier: str) -> Mapping[str, Any]:
        asked.append((check, identifier))
        return {"note": "stored"}

    class Looked(ItemCheck):
        stored_config = staticmethod(look_up)

    check = Looked()
    check.use_configs({})
    assert check.get_config(Item(pk=1))["note"] == "none"
    check.use_configs(None)
    assert check.get_config(Item(pk=1))["note"] == "stored"
    assert asked == [(check, "1")]


def test_get_config__without_django_is_initial() -> None:
    script = """
import sys
from types import SimpleNamespace
from dwatch import BaseCheck

class Alone(BaseCheck):
    config_form = SimpleNamespace(base_fields={"limit": SimpleNamespace(initial=5)})

print(Alone().get_config(SimpleNamespace(pk=1)))
print(sorted({"django", "celery", "croniter", "rich", "typer"} & sys.modules.keys()))
"""
    done = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=True
    )

    assert done.stdout.splitlines() == ["{'limit': 5}", "[]"]


def test_get_config__form_class_chosen_by_the_check() -> None:
    class Chosen(ItemCheck):
        config_form = None

        def get_form_class(self) -> Any:
            return LimitForm

    check = Chosen()
    check.use_configs({})

    assert check.get_config(Item(pk=1)) == INITIAL


@pytest.mark.django_db
def test_model_check__generates_names_and_finds_its_rows() -> None:
    item = Item.objects.create(name="Wallet 7")
    check = ItemCheck()

    assert list(check.generate()) == [item]
    assert check.get_identifier(item) == item.pk
    assert check.get_payload(str(item.pk)) == item
    assert check.get_payload_description(item) == "Wallet 7"
    with pytest.raises(Item.DoesNotExist):
        check.get_payload("0")


@pytest.mark.django_db
def test_get_payloads__leaves_out_what_is_gone_or_no_key_at_all() -> None:
    item = Item.objects.create(name="a")

    found = ItemCheck().get_payloads([str(item.pk), "0", "text", "", "1.5", "(1, 2)", "a\ud800"])

    assert found == {str(item.pk): item}


@pytest.mark.django_db
@pytest.mark.parametrize("identifier", ["9" * 30, "-" + "9" * 30, "9" * 4000, "9" * 5000])
def test_get_payloads__number_too_large_for_a_key_is_gone(identifier: str) -> None:
    item = Item.objects.create(name="a")

    assert ItemCheck().get_payloads([identifier, str(item.pk)]) == {str(item.pk): item}


def test_hooks__do_nothing_unless_overridden() -> None:
    check = ItemCheck()
    item = Item(pk=1)

    assert check.get_assigned_users(item, Status.critical) is None
    assert check.get_assigned_groups(item, Status.critical) is None
    assert check.format_result_data(object()) == ""
    assert check.get_context_data(object()) == {}
    assert check.get_template_name() is None
    assert check.get_max_acknowledge() is None


def test_hooks__read_the_attributes() -> None:
    class Described(ItemCheck):
        title = "Wallets"
        template_name = "wallet.html"
        max_acknowledge = 7

    check = Described()

    assert check.get_title() == "Wallets"
    assert check.get_template_name() == "wallet.html"
    assert check.get_max_acknowledge() == 7


def test_check__that_forgot_to_judge_says_so() -> None:
    with pytest.raises(NotImplementedError):
        BaseCheck().check(None)


def test_register__returns_the_class() -> None:
    assert register(ItemCheck) is ItemCheck
