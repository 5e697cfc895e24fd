"""What the database says of rows, and what becomes of it."""

from __future__ import annotations

import uuid
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.db import connection
from django.db.models import Count, Exists, F, OuterRef, Q, Subquery, Value
from django.db.models.functions import Abs, Length
from django.db.models.lookups import GreaterThan
from django.test.utils import CaptureQueriesContext

from dwatch import QuerySetCheck
from dwatch.core.evaluate import evaluate, name_payloads
from dwatch.core.outcome import Disposition, Outcome
from dwatch.core.response import CheckResponse
from dwatch.core.status import Status
from dwatch.models import AssignedUser, Result
from dwatch.querysetcheck import failing
from dwatch.services.reports import RunState, StatusCounts
from dwatch.services.trial import try_payload
from tests.running import deleting_before, make_items, make_queryset_check, refresh, run
from tests.testapp.models import Document, Item, Part, SpecialItem

pytestmark = pytest.mark.django_db

ALL: dict[str, Any] = {
    "critical": Q(value__lt=0),
    "warning": Q(value__lt=10),
    "unknown": Q(value__lt=20),
}
BOTH_SHAPES = pytest.mark.parametrize("description", ["", "{name}"], ids=["instances", "outcomes"])


def stored() -> dict[str, Status]:
    rows = Result.objects.visible().values_list("identifier", "status")
    return {identifier: Status(status) for identifier, status in rows}


def _raising() -> Any:
    """Return an expression that no database can work out."""
    if connection.vendor == "sqlite":
        return Abs(Value(-(2**63)))
    return Subquery(Item.objects.values("value"))  # several rows where one is wanted


@BOTH_SHAPES
def test_run__the_worst_condition_that_holds_counts(description: str) -> None:
    bad, poor, odd, good = make_items(-1, 1, 11, 21)
    make_queryset_check(**ALL, description=description, data_fields=("value", "pk"))
    done = run()
    assert done.counts == StatusCounts(critical=1, warning=1, unknown=1, ok=1)
    assert (done.errors, done.error, done.duplicates) == (0, "", 0)
    assert stored() == {
        str(bad.pk): Status.critical,
        str(poor.pk): Status.warning,
        str(odd.pk): Status.unknown,
    }
    result = Result.objects.get(identifier=str(bad.pk))
    assert (result.description, result.data) == ("item 0", {"value": -1, "pk": bad.pk})
    assert str(good.pk) not in stored()


def test_run__the_worst_condition_counts_in_whatever_order_they_are_given() -> None:
    make_items(-9, -1)
    given: dict[Any, Any] = {Status.warning: Q(value__lt=0), Status.critical: Q(value__lt=-5)}
    make_queryset_check(get_conditions=lambda _self: given)
    assert run().counts == StatusCounts(critical=1, warning=1)


@pytest.mark.parametrize("given", [{}, {"critical": Q(value__lt=0)}, {Status.ok: Q(value=1)}])
def test_run__conditions_for_no_problem_are_an_error(given: dict[Any, Any]) -> None:
    make_items(-1)
    make_queryset_check(get_conditions=lambda _self: given)
    done = run()
    assert (done.state, done.errors) == (RunState.failed, 1)
    assert "get_conditions() gives conditions for" in done.error


@BOTH_SHAPES
def test_run__both_shapes_store_the_same(description: str) -> None:
    (item,) = make_items(-1)
    make_queryset_check(data_fields=("value", "name"), description=description)
    run()
    result = Result.objects.get()
    result.refresh_from_db()
    outcome = Outcome(str(item.pk), Status.critical, "item 0", '{"value": -1, "name": "item 0"}')
    assert result.digest == outcome.digest()


def test_run__null_is_not_true() -> None:
    Part.objects.create(number=1, item=None)
    make_queryset_check(
        queryset=Part.objects.all(), critical=Q(item__value__lt=5), warning=~Q(item__value__gt=5)
    )
    # Django makes of the second one "not true", which holds for what is absent.
    assert run().counts == StatusCounts(warning=1)


def test_run__null_comparison_holds_neither_way() -> None:
    Part.objects.create(number=1, item=None)
    make_queryset_check(
        queryset=Part.objects.all(),
        critical=GreaterThan(F("item__value"), 5),
        warning=~Q(GreaterThan(F("item__value"), 5)),
    )
    assert run().counts == StatusCounts(ok=1)


@BOTH_SHAPES
@pytest.mark.parametrize(
    ("conditions", "expected"),
    [
        ({"critical": Q(parts__number=3)}, [3, 1, 1, 1]),
        ({"critical": ~Q(parts__number=3)}, [1, 3, 3, 3]),
        ({"critical": Q(parts__number=3), "warning": Q(parts__number=4)}, [3, 2, 1, 1]),
        ({"critical": Q(parts__number=9), "warning": ~Q(parts__number=3)}, [1, 2, 2, 2]),
        ({"critical": Q(parts=None), "unknown": Q(parts__number__gt=3)}, [0, 0, 1, 3]),
        ({"critical": Exists(Part.objects.filter(item=OuterRef("pk"), number=4))}, [3, 3, 1, 1]),
        ({"critical": GreaterThan(F("parts__number"), 3), "unknown": Q(value=0)}, [3, 3, 0, 0]),
    ],
    ids=str,
)
def test_run__across_a_relation_conditions_mean_what_filter_makes_of_them(
    conditions: dict[str, Any], expected: list[int], description: str
) -> None:
    items = make_items(0, 0, 0, 0)
    for item, numbers in zip(items, ([3, 3, 4], [4, 4], [1]), strict=False):
        for number in numbers:
            Part.objects.create(item=item, number=number)
    make_queryset_check(**conditions, description=description)
    done = run()
    for name, condition in conditions.items():
        found = set(Item.objects.filter(condition))
        pairs = zip(items, expected, strict=True)
        assert {item for item, status in pairs if status == Status[name]} <= found
    wanted = {str(i.pk): Status(s) for i, s in zip(items, expected, strict=True) if s != Status.ok}
    assert stored() == wanted
    assert (done.counts.ok, done.duplicates, done.error) == (expected.count(1), 0, "")


@BOTH_SHAPES
def test_run__a_queryset_that_joins_gives_each_row_once(description: str, monkeypatch: Any) -> None:
    monkeypatch.setattr(failing, "PAGE", 2)
    items = make_items(-1, -2, -3, 1)
    for item in items:
        for number in range(5):
            Part.objects.create(item=item, number=number)
    make_queryset_check(
        queryset=Item.objects.filter(parts__number__gt=1),
        warning=Q(value=-2),
        description=description,
    )
    assert run().counts == StatusCounts(critical=0, warning=1, ok=3)
    make_queryset_check(queryset=Item.objects.filter(parts__number__gt=1), description=description)
    done = run()
    assert (done.counts, done.duplicates) == (StatusCounts(critical=3, ok=1), 0)


@BOTH_SHAPES
def test_generate__rows_that_go_between_two_queries_do_not_end_it(
    description: str, monkeypatch: Any
) -> None:
    monkeypatch.setattr(failing, "PAGE", 2)
    items = make_items(-1, -2, -3, -4, -5, -6)
    Part.objects.bulk_create(Part(item=item) for item in (*items, items[1]))
    rows = Item.objects.filter(parts__number=0)
    check = make_queryset_check(queryset=rows, description=description)()
    gone = Part.objects.filter(item=items[1])
    # On MariaDB each query stands between others that set its time zone.
    with deleting_before(5 if connection.vendor == "mysql" else 2, gone):
        found = list(check.generate())
    assert [check.get_identifier(one) for one in found] == [
        str(item.pk) if description else item.pk for item in (items[0], *items[2:])
    ]


def test_run__of_rows_with_one_key_the_worst_counts(settings: Any, monkeypatch: Any) -> None:
    settings.DWATCH_BATCH_SIZE = settings.DWATCH_TRANSACTION_SIZE = 2
    monkeypatch.setattr(failing, "PAGE", 2)
    items = make_items(0, 0, 0)
    for item in items:
        for number in (5, 9, 7):
            Part.objects.create(item=item, number=number)
    make_queryset_check(
        queryset=Item.objects.annotate(n=F("parts__number")),
        critical=GreaterThan(F("n"), 8),
        warning=GreaterThan(F("n"), 4),
        data_fields=("n",),
        description="{name}",
    )
    done = run()
    assert (done.counts, done.duplicates) == (StatusCounts(critical=3), 0)
    assert {result.data["n"] for result in Result.objects.all()} == {9}
    assert refresh().counts == StatusCounts(critical=3)


@BOTH_SHAPES
def test_run__aggregates_can_be_conditions_and_data(description: str) -> None:
    some, none, many = make_items(0, 0, 0)
    for item, amount in ((some, 1), (many, 3)):
        for _ in range(amount):
            Part.objects.create(item=item)
    make_queryset_check(
        queryset=Item.objects.annotate(n=Count("parts")),
        critical=Q(n=0),
        warning=Q(n__gt=2),
        data_fields=("n",),
        description=description,
    )
    assert run().counts == StatusCounts(critical=1, warning=1, ok=1)
    assert {r.identifier: r.data for r in Result.objects.all()} == {
        str(none.pk): {"n": 0},
        str(many.pk): {"n": 3},
    }
    assert refresh().counts == StatusCounts(critical=1, warning=1)


def test_run__expressions_callables_and_methods_are_asked_anew() -> None:
    make_items(1, 5, 9)
    limits = {"least": 4}
    make_queryset_check(
        critical=lambda: Q(value__lt=limits["least"]),
        warning=lambda _self: GreaterThan(F("value"), Value(8)),
        unknown=GreaterThan(Length("name"), 100),
    )
    assert run().counts == StatusCounts(critical=1, warning=1, ok=1)
    limits["least"] = 6
    assert run().counts == StatusCounts(critical=2, warning=1)


@BOTH_SHAPES
def test_run__other_keys_and_identifiers(description: str) -> None:
    key = uuid.uuid4()
    Part.objects.create(id=key, number=-1)
    make_queryset_check(queryset=Part.objects.all(), critical=Q(number__lt=0))
    run()
    assert stored() == {str(key): Status.critical}
    assert refresh().counts == StatusCounts(critical=1)
    SpecialItem.objects.create(name="special", value=-1, extra="x")
    make_queryset_check(
        "special", queryset=SpecialItem.objects.all(), description=description and "{extra}"
    )
    run("special")
    assert refresh("special").counts == StatusCounts(critical=1)


@BOTH_SHAPES
def test_run__names_rows_by_another_field(description: str) -> None:
    User.objects.create(username="Ada", is_staff=True)
    User.objects.create(username="bob")
    make_queryset_check(
        queryset=User.objects.all(),
        critical=Q(is_staff=True),
        identifier_field="username",
        description=description and "{username}",
    )
    run()
    assert stored() == {"Ada": Status.critical}
    assert try_payload("items", "bob").status is Status.ok
    assert try_payload("items", "eve").outcome == "gone"
    User.objects.update(is_staff=False)
    assert run().status_changes == 1


@BOTH_SHAPES
def test_run__a_row_without_a_name_shows_as_a_problem_until_it_has_one(description: str) -> None:
    Document.objects.create(level=9)
    Document.objects.create(level=9, serial="Ü 1\x7f")
    make_queryset_check(
        queryset=Document.objects.all(),
        critical=Q(level=9),
        identifier_field="serial",
        description=description and "{serial}",
    )
    done = run()
    assert (done.counts.problems, done.errors) == (2, 1)
    assert "returned None" in Result.objects.get(identifier="<None>").error
    Document.objects.filter(serial=None).update(serial="2")
    done = run()
    assert (done.counts, done.vanished) == (StatusCounts(critical=2), 1)
    assert set(stored()) == {"Ü 1\x7f", "2"}


def test_run__a_row_that_cannot_be_named_or_described_shows_with_its_verdict() -> None:
    make_items(-1)
    make_queryset_check(description="{value:%Y}")
    done = run()
    assert (done.counts, done.errors, done.state) == (
        StatusCounts(critical=1),
        1,
        RunState.complete,
    )
    assert "Invalid format specifier" in Result.objects.get().error


def test_run__hooks_get_an_instance() -> None:
    user = User.objects.create(username="ada")
    seen: list[Any] = []

    def get_assigned_users(_self: Any, item: Item, status: Status) -> list[User]:
        seen.append((type(item), item.value, status))
        return [user]

    make_items(-1, 1)
    make_queryset_check(get_assigned_users=get_assigned_users, description="{name}: {value}")
    run()
    assert seen == [(Item, -1, Status.critical)]
    assert AssignedUser.objects.count() == 1
    assert Result.objects.get().description == "item 0: -1"


def test_run__an_author_s_check_looks_closer_at_failing_rows_only() -> None:
    seen: list[int] = []

    def check(self: Any, item: Item) -> CheckResponse | Status:
        seen.append(item.value)
        if item.value < -5:
            return Status.ok
        response = QuerySetCheck.check(self, item)
        assert isinstance(response, CheckResponse)
        response.extra = 1
        return response

    make_items(-1, -9, 3)
    make_queryset_check(check=check, data_fields=("value",))
    done = run()
    assert (done.counts, sorted(seen)) == (StatusCounts(critical=1, ok=2), [-9, -1])
    assert Result.objects.get(status=Status.critical).data == {"value": -1, "extra": 1}


@BOTH_SHAPES
def test_check__judges_any_instance_by_asking_the_database(description: str) -> None:
    bad, good, other = make_items(-1, 1, 50)
    kind = make_queryset_check(
        queryset=Item.objects.filter(value__lt=20), data_fields=("value",), description=description
    )
    check = kind()
    # As a trigger hands them over: not annotated, perhaps changed and saved again.
    plain = Item.objects.get(pk=bad.pk)
    (outcome,) = evaluate(check, name_payloads(check, [plain]))
    assert outcome == Outcome(str(bad.pk), Status.critical, "item 0", '{"value": -1}')
    plain.value = 5
    plain.save()
    named = name_payloads(check, [plain, good, other])
    outcomes = list(evaluate(check, named))
    assert [o.status for o in outcomes[:2]] == [Status.ok, Status.ok]
    assert outcomes[2].disposition is Disposition.skipped


def test_check__can_be_asked_of_what_generate_gives() -> None:
    make_items(-1, 1)
    for description in ("", "{name}"):
        check = make_queryset_check(data_fields=("value",), description=description)()
        (payload,) = check.generate()
        assert check.check(payload) == CheckResponse(Status.critical, value=-1)
        assert check.get_payload_description(payload) == "item 0"
        assert check.get_identifier(payload) == check.get_identifier(
            Item.objects.get(value=-1)
        ) or (check.get_identifier(payload) == str(Item.objects.get(value=-1).pk))


def test_get_payload__raises_the_model_s_does_not_exist() -> None:
    (item,) = make_items(1)
    check = make_queryset_check(queryset=Item.objects.filter(value=1))()
    assert check.get_payload(str(item.pk)).pk == item.pk
    for identifier in ("0", "no number", str(2**70)):
        with pytest.raises(Item.DoesNotExist):
            check.get_payload(identifier)


def test_run__of_many_conditions_asks_one_query_a_page(settings: Any) -> None:
    settings.DWATCH_BATCH_SIZE = 5000
    Item.objects.bulk_create(Item(name=f"i{n}", value=n % 30) for n in range(300))
    make_queryset_check(**ALL, description="{name}")
    with CaptureQueriesContext(connection) as captured:
        run(dry_run=True)
    asked = [query["sql"] for query in captured if "testapp_item" in query["sql"]]
    assert len(asked) == 2  # the failing rows, and how many there are in all


@pytest.mark.django_db(transaction=True)
@BOTH_SHAPES
def test_run__a_condition_that_raises_in_the_database_fails_the_check(description: str) -> None:
    make_items(-1, 1)
    make_queryset_check(description=description)
    run()
    make_queryset_check(critical=GreaterThan(F("value"), _raising()), description=description)
    Item.objects.filter(value=-1).update(value=3)
    done = run()
    assert (done.state, done.errors) == (RunState.failed, 1)
    assert done.error
    assert list(stored().values()) == [Status.critical]  # nothing recovered, nothing vanished
