"""A check that the database judges and one that judges row by row find the same problems."""

from __future__ import annotations

from typing import Any

import pytest
from django.db.models import F, Q
from django.db.models.lookups import GreaterThan
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from dwatch.core.response import CheckResponse
from dwatch.core.status import Status
from dwatch.models import CheckState, Result, StatusChange
from dwatch.querysetcheck import failing
from tests.running import make_check, make_queryset_check, run
from tests.testapp.models import Item

VALUES = st.one_of(st.none(), st.integers(-3, 12))
"""The value of a row; None: there is no such row."""
ROWS = 6


def judged_in_python(_self: Any, item: Item) -> CheckResponse:
    if item.value < 0 or item.name == "odd":
        status = Status.critical
    elif item.value < 4:
        status = Status.warning
    elif item.value > len(item.name) + 5:
        status = Status.unknown
    else:
        status = Status.ok
    return CheckResponse(status, value=item.value)


def judged_by_the_database(**members: Any) -> None:
    make_queryset_check(
        "database",
        critical=Q(value__lt=0) | Q(name="odd"),
        warning=Q(value__lt=4),
        unknown=GreaterThan(F("value"), 9),
        data_fields=("value",),
        **members,
    )


def change(before: list[int | None], after: list[int | None]) -> None:
    for number, (old, new) in enumerate(zip(before, after, strict=True), start=1):
        if new is None:
            Item.objects.filter(pk=number).delete()
        elif old is None:
            Item.objects.create(pk=number, name=NAMES[number % 3], value=new)
        else:
            Item.objects.filter(pk=number).update(value=new)


NAMES = ("even", "odd", "none")


def problems(slug: str) -> dict[str, tuple[Any, ...]]:
    rows = Result.objects.problems().filter(check_state__slug=slug)
    return {row.identifier: (row.status, row.description, row.data, row.digest) for row in rows}


def history(slug: str, rows: list[str]) -> list[tuple[Any, ...]]:
    """Return how problems of these rows came and went; what was fine at first tells nothing."""
    changes = StatusChange.objects.filter(result__check_state__slug=slug).order_by("pk")
    changes = changes.filter(result__identifier__in=rows)
    told: dict[str, list[int]] = {}
    for identifier, status in changes.values_list("result__identifier", "to_status"):
        if told.get(identifier) or status != Status.ok:
            told.setdefault(identifier, []).append(status)
    return sorted(told.items())


@pytest.mark.django_db
@given(
    st.lists(st.lists(VALUES, min_size=ROWS, max_size=ROWS), min_size=1, max_size=5),
    st.integers(1, 4),
    st.sampled_from(["", "{name}"]),
)
@settings(max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_both_find_the_same_after_any_changes(
    moments: list[list[int | None]], page: int, description: str
) -> None:
    Item.objects.all().delete()
    CheckState.objects.all().delete()
    make_check("python", check=judged_in_python)
    judged_by_the_database(description=description)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(failing, "PAGE", page)
        before: list[int | None] = [None] * ROWS
        for moment in moments:
            change(before, moment)
            before = moment
            python, database = run("python"), run("database")
            assert database.counts == python.counts
            assert (database.error, database.errors, database.duplicates) == ("", 0, 0)
            assert problems("database") == problems("python")
    # Of a row that was away, and is fine when it comes back, only the other check learns.
    always = [
        str(n) for n, values in enumerate(zip(*moments, strict=True), 1) if None not in values
    ]
    assert history("database", always) == history("python", always)


@pytest.mark.django_db
@given(
    st.lists(st.lists(VALUES, min_size=ROWS, max_size=ROWS), min_size=1, max_size=4),
    st.integers(1, ROWS),
)
@settings(max_examples=15, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_a_cap_hides_no_problem_from_the_counts(moments: list[list[int | None]], cap: int) -> None:
    Item.objects.all().delete()
    CheckState.objects.all().delete()
    make_check("python", check=judged_in_python)
    judged_by_the_database(description="{name}", max_failing=cap)
    before: list[int | None] = [None] * ROWS
    for moment in moments:
        change(before, moment)
        before = moment
        python, database = run("python"), run("database")
        assert database.counts == python.counts
        assert problems("database").items() <= problems("python").items()
        assert len(problems("database")) >= min(cap, python.counts.problems)
