from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from dwatch.core.status import Status
from dwatch.exceptions import AcknowledgeError, AlreadyAcknowledgedError, UnknownResultError
from dwatch.models import Acknowledgement, Result
from dwatch.services.acknowledge import acknowledge, withdraw
from dwatch.services.show import show_result
from tests.running import judging, make_check, make_items, run
from tests.testapp.models import Item

pytestmark = pytest.mark.django_db

NAMES = {status.name[0]: status for status in Status}  # u, o, w, c


def problem(status: Status = Status.critical) -> str:
    (item,) = make_items(status)
    make_check(check=judging(lambda item: Status(item.value)))
    run()
    return str(item.pk)


@pytest.mark.parametrize("between", ["", "u", "uu", "w", "wu"])
@pytest.mark.parametrize("before", ["u", "w", "c"])
@pytest.mark.parametrize("after", ["u", "w", "c", "o"])
def test_acknowledge__ends_on_recovery_and_on_worse_than_was_acknowledged(
    before: str, between: str, after: str
) -> None:
    acknowledge("items", problem(NAMES[before]), user=None, days=9)
    path = [NAMES[letter] for letter in between + after]
    for status in path:
        Item.objects.update(value=status)
        run()
    worst = max(path, key=lambda status: status.severity)
    holds = worst.severity <= NAMES[before].severity and after != "o"
    assert Result.objects.unacknowledged(datetime.now(UTC)).exists() is not holds
    assert Acknowledgement.objects.count() == 1


def test_acknowledge__limits_are_inclusive_and_measured_from_now() -> None:
    identifier = problem()
    make_check(max_acknowledge=14, check=judging(lambda item: Status(item.value)))
    before = datetime.now(UTC)
    given = acknowledge("items", identifier, user=None, days=14, reason="holiday")
    assert before + timedelta(days=14) <= given.until <= datetime.now(UTC) + timedelta(days=14)
    with pytest.raises(AcknowledgeError, match="15 days"):
        acknowledge("items", identifier, user=None, days=15)


def test_acknowledge__expired_one_is_no_obstacle() -> None:
    identifier = problem()
    first = acknowledge("items", identifier, user=None, days=9)
    Acknowledgement.objects.update(until=datetime.now(UTC) - timedelta(seconds=1))
    assert show_result("items", identifier).result.acknowledged_until is None
    assert not withdraw("items", identifier)
    assert acknowledge("items", identifier, user=None, days=1).pk != first.pk


def test_acknowledge__refused_one_changes_nothing() -> None:
    identifier = problem()
    acknowledge("items", identifier, user=None, days=9, reason="first")
    with pytest.raises(AlreadyAcknowledgedError):
        acknowledge("items", identifier, user=None, days=8, reason="second")
    assert show_result("items", identifier).result.acknowledged_reason == "first"
    assert Acknowledgement.objects.get().ended == ""


def test_acknowledge__vanished_result_keeps_what_was_given() -> None:
    identifier = problem()
    acknowledge("items", identifier, user=None, days=9)
    make_check(generate=lambda _self: [])
    run()
    with pytest.raises(AcknowledgeError, match="has vanished"):
        acknowledge("items", identifier, user=None, days=20)
    make_check(check=judging(lambda item: Status(item.value)))
    run()
    assert not Result.objects.unacknowledged(datetime.now(UTC)).exists()


def test_acknowledge__unknown_result() -> None:
    problem()
    with pytest.raises(UnknownResultError):
        acknowledge("items", "nobody", user=None, days=1)
    with pytest.raises(UnknownResultError):
        withdraw("items", "nobody")
