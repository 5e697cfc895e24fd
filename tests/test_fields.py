from __future__ import annotations

from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

import pytest
from django.core import serializers
from django.db import IntegrityError, connection, transaction
from django.db.models import Max

from dwatch.fields import EncodedJSON, as_json
from dwatch.models import CheckState, Result, ResultConfig

pytestmark = pytest.mark.django_db

ALIKE_ELSEWHERE = ["A", "a", "a ", " a", "á", "Á", "ss", "ß", "é", "e\u0301", "ﬁ", "fi", "🐎", "🐴"]


@pytest.fixture
def state() -> CheckState:
    return CheckState.objects.create(slug="items")


def store(state: CheckState, identifier: str, **values: Any) -> Result:
    now = datetime.now(UTC)
    moments = {"since": now, "first_seen": now, "evaluated_at": now}
    return Result.objects.create(
        check_state=state, identifier=identifier, status=1, digest=0, **moments, **values
    )


def test_key__is_equal_only_byte_for_byte(state: CheckState) -> None:
    for key in ALIKE_ELSEWHERE:
        store(state, key)
    for key in ALIKE_ELSEWHERE:
        assert Result.objects.get(identifier=key).identifier == key
    found = Result.objects.filter(identifier__in=ALIKE_ELSEWHERE[::2])
    assert set(found.values_list("identifier", flat=True)) == set(ALIKE_ELSEWHERE[::2])


def test_key__is_refused_twice(state: CheckState) -> None:
    store(state, "a")
    with pytest.raises(IntegrityError), transaction.atomic():
        store(state, "a")


@pytest.mark.parametrize("character", ["x", "é", "🐎"])
def test_key__holds_200_characters_of_any_kind(state: CheckState, character: str) -> None:
    store(state, character * 200)
    assert Result.objects.get().identifier == character * 200


def test_key__is_text_wherever_it_is_read(state: CheckState) -> None:
    ResultConfig.objects.create(result=store(state, "é"), config={}, changed_at=datetime.now(UTC))
    assert Result.objects.values_list("identifier", flat=True).get() == "é"
    assert Result.objects.aggregate(last=Max("identifier")) == {"last": "é"}
    assert ResultConfig.objects.values_list("result__identifier", flat=True).get() == "é"
    assert CheckState.objects.filter(slug__startswith="it").get().slug == "items"
    assert list(Result.objects.filter(identifier__contains="é").order_by("identifier"))


@pytest.mark.parametrize(
    "value",
    [
        {},
        {"z": 1, "a": 2},
        {"text": 'a"b\\c\0d\ud800é🐎%s'},
        {"big": 10**400, "small": -0.1},
        {"list": [1, None, True, {"deep": []}]},
    ],
)
def test_json__comes_back_as_it_was(state: CheckState, value: dict[str, Any]) -> None:
    stored = store(state, "a", data=value)
    stored.refresh_from_db()
    assert stored.data == value
    assert list(stored.data) == list(value)


def test_json__encoded_already_is_stored_as_it_is(state: CheckState) -> None:
    store(state, "a", data=EncodedJSON('{"z":  1}'))
    with connection.cursor() as cursor:
        cursor.execute("SELECT data FROM dwatch_result")
        assert cursor.fetchone() == ('{"z":  1}',)


def test_json__survives_a_fixture(state: CheckState) -> None:
    stored = store(state, "é ", data={"z": [1, "é"], "a": None})
    text = serializers.serialize("json", [state, stored])
    state.delete()
    for one in serializers.deserialize("json", text):
        one.save()
    copy = Result.objects.get()
    assert (copy.identifier, copy.data) == ("é ", {"z": [1, "é"], "a": None})


def test_as_json__dates_and_decimals_are_text() -> None:
    values = {"day": date(2026, 2, 3), "amount": Decimal("1.50"), "none": None, "on": True}
    assert as_json(values) == {"day": "2026-02-03", "amount": "1.50", "none": None, "on": True}
