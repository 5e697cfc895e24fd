from __future__ import annotations

import copy
import pickle
from decimal import Decimal
from enum import IntEnum
from typing import TYPE_CHECKING, Any

import pytest

from dwatch.core.response import CheckResponse
from dwatch.core.status import Status

if TYPE_CHECKING:
    from collections.abc import Callable


class Verdict(IntEnum):
    bad = 3
    absurd = 42


def through_pickle(response: CheckResponse) -> CheckResponse:
    loaded: CheckResponse = pickle.loads(pickle.dumps(response))  # noqa: S301 - our own bytes
    return loaded


def test_status__is_unknown_until_it_is_given() -> None:
    response = CheckResponse()

    assert response.get_status() is Status.unknown
    assert response.get_data() == {}


@pytest.mark.parametrize("given", [3, Status.critical, Verdict.bad])
def test_status__number_becomes_a_status(given: Any) -> None:
    response = CheckResponse()
    response.set_status(given)

    assert response.get_status() is Status.critical
    assert CheckResponse(given).get_status() is Status.critical


@pytest.mark.parametrize(
    "given", [True, False, 42, -1, None, "critical", 1.0, Decimal(1), Verdict.absurd, 10**400]
)
def test_status__refuses_what_is_no_verdict(given: Any) -> None:
    response = CheckResponse(Status.warning)

    with pytest.raises(ValueError, match="is not a valid Status"):
        response.set_status(given)
    with pytest.raises(ValueError, match="is not a valid Status"):
        CheckResponse(given)
    assert response.get_status() is Status.warning


def test_values__as_keywords_and_as_attributes_are_the_same() -> None:
    response = CheckResponse(Status.critical, balance=-5)
    response.currency = "EUR"

    assert response.get_data() == {"balance": -5, "currency": "EUR"}
    assert response.balance == -5
    assert response.currency == "EUR"


def test_values__dict_and_attributes_are_one() -> None:
    response = CheckResponse()
    response.get_data()["rows"] = 3

    assert response.rows == 3


def test_values__typo_raises_and_names_what_is_there() -> None:
    response = CheckResponse(balance=1)

    with pytest.raises(AttributeError, match=r"no value 'balnce'; values: \['balance'\]"):
        _ = response.balnce


def test_values__typo_beside_keys_that_are_no_strings() -> None:
    response = CheckResponse(balance=1)
    response.get_data().update({1: "one", None: "nothing"})  # type: ignore[dict-item]

    with pytest.raises(AttributeError, match="no value 'balnce'"):
        _ = response.balnce


@pytest.mark.parametrize("name", ["get_status", "set_status", "get_data"])
def test_values__named_like_a_method_leave_the_method_alone(name: str) -> None:
    response = CheckResponse(Status.ok)
    setattr(response, name, 1)

    assert response.get_status() is Status.ok
    assert response.get_data() == {name: 1}
    assert callable(getattr(response, name))


def test_values__may_be_called_status_self_and_data() -> None:
    response = CheckResponse(Status.ok, status="paid", self="me", data=1)

    assert response.get_status() is Status.ok
    assert response.get_data() == {"status": "paid", "self": "me", "data": 1}
    assert (response.status, response.self, response.data) == ("paid", "me", 1)


def test_values__beginning_with_an_underscore_are_values() -> None:
    response = CheckResponse(_hidden=1)
    response._raw = 2
    response.__version__ = 3

    assert (response._hidden, response._raw, response.__version__) == (1, 2, 3)
    assert response.get_data() == {"_hidden": 1, "_raw": 2, "__version__": 3}


def test_values__cannot_touch_the_verdict() -> None:
    response = CheckResponse(Status.critical, kept=1)
    response._status = Status.ok
    response._data = {}

    assert response.get_status() is Status.critical
    assert response.kept == 1


def test_values__of_an_object_that_was_never_initialised_raise_no_recursion() -> None:
    blank = CheckResponse.__new__(CheckResponse)

    with pytest.raises(AttributeError):
        _ = blank.anything


@pytest.mark.parametrize("duplicate", [copy.copy, copy.deepcopy, through_pickle])
def test_copy__is_equal_and_independent(
    duplicate: Callable[[CheckResponse], CheckResponse],
) -> None:
    original = CheckResponse(Status.warning, balance=Decimal("-1.50"), _raw="x", get_data=7)

    other = duplicate(original)
    assert other == original

    other.balance = 0
    other.set_status(Status.ok)
    assert original == CheckResponse(Status.warning, balance=Decimal("-1.50"), _raw="x", get_data=7)


def test_deepcopy__of_a_response_that_holds_itself() -> None:
    response = CheckResponse(Status.ok)
    response.me = response

    other = copy.deepcopy(response)

    assert other.me is other


def test_equality__goes_by_status_and_values() -> None:
    assert CheckResponse(Status.ok, a=1) == CheckResponse(Status.ok, a=1)
    assert CheckResponse(Status.ok, a=1) != CheckResponse(Status.ok, a=2)
    assert CheckResponse(Status.ok, a=1) != CheckResponse(Status.unknown, a=1)
    assert CheckResponse(Status.ok) != Status.ok


def test_hash__is_refused_as_a_response_can_change() -> None:
    with pytest.raises(TypeError, match="unhashable"):
        hash(CheckResponse())


def test_repr__reads_like_the_call() -> None:
    assert repr(CheckResponse(Status.ok, a="x")) == "CheckResponse(Status.ok, a='x')"
