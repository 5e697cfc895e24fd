from __future__ import annotations

import json
import pickle
import threading
from decimal import Decimal
from enum import IntEnum
from typing import TYPE_CHECKING, Any
from uuid import UUID

import pytest
from django.contrib.auth.models import AnonymousUser, Group, User
from django.utils.safestring import mark_safe
from django.utils.translation import gettext_lazy
from hypothesis import given
from hypothesis import strategies as st

from dwatch.core.check import BaseCheck
from dwatch.core.evaluate import MAX_DESCRIPTION_LENGTH, NamedPayload, evaluate, name_payloads
from dwatch.core.guard import Failure
from dwatch.core.interrupt import Interrupted
from dwatch.core.outcome import Disposition, Outcome
from dwatch.core.response import CheckResponse
from dwatch.core.status import Status
from dwatch.exceptions import SkipCheck

if TYPE_CHECKING:
    from collections.abc import Callable


class ForeignStatus(IntEnum):
    ok = 1


class UnpicklableError(Exception):
    def __init__(self, one: object, other: object) -> None:
        super().__init__("stuck")
        self.parts = (one, other, threading.Lock())


class SilentError(Exception):
    def __str__(self) -> str:
        raise SystemExit


class Mute:
    def __str__(self) -> str:
        raise RuntimeError("no text today")

    __repr__ = __str__


class Payload:
    """Something that is named by a number and has words."""

    def __init__(self, key: object = 1) -> None:
        self.key = key

    def __str__(self) -> str:
        return f"payload {self.key}"


class PlainCheck(BaseCheck):
    def check(self, payload: Any) -> Any:
        return Status.ok if payload else Status.critical

    def get_identifier(self, payload: Any) -> Any:
        return payload.key


class Answering(PlainCheck):
    """Answers with what a function returns or raises."""

    def __init__(self, answer: Callable[[], Any]) -> None:
        self.answer = answer

    def check(self, payload: Any) -> Any:  # noqa: ARG002 - the answer does not depend on it
        return self.answer()


def raising(error: BaseException) -> Any:
    raise error


def outcome_of(check: BaseCheck, payload: object = None) -> Outcome:
    (named,) = name_payloads(check, [payload or Payload()])
    (outcome,) = evaluate(check, [named])
    assert pickle.loads(pickle.dumps(outcome)) == outcome  # noqa: S301 - our own bytes
    assert json.loads(json.dumps(outcome))[0] == outcome.identifier
    json.loads(outcome.data)
    assert isinstance(outcome.digest(), int)
    return outcome


def test_evaluate__status() -> None:
    outcome = outcome_of(Answering(lambda: Status.warning))

    assert outcome == Outcome("1", Status.warning, "payload 1")


def test_evaluate__response_with_data() -> None:
    outcome = outcome_of(Answering(lambda: CheckResponse(Status.critical, balance=Decimal("-1.5"))))

    assert outcome == Outcome("1", Status.critical, "payload 1", '{"balance": "-1.5"}')


def test_evaluate__response_without_a_verdict_is_unknown_but_no_error() -> None:
    outcome = outcome_of(Answering(CheckResponse))

    assert (outcome.status, outcome.error) == (Status.unknown, "")


@pytest.mark.parametrize(
    ("answer", "shown"),
    [
        (None, "None"),
        (42, "42"),
        (1, "1"),
        (True, "True"),
        (False, "False"),
        ("ok", "'ok'"),
        (ForeignStatus.ok, "<ForeignStatus.ok: 1>"),
        (Status, "<enum 'Status'>"),
        (CheckResponse, "<class 'dwatch.core.response.CheckResponse'>"),
        ((Status.ok, {}), "(<Status.ok: 1>, {})"),
        ("x" * 1_000_000, "'xxx"),
        ("\0\ud800", "'\\x00\\ud800'"),
    ],
)
def test_evaluate__answer_that_is_no_verdict(answer: object, shown: str) -> None:
    outcome = outcome_of(Answering(lambda: answer))

    assert outcome.status is Status.unknown
    assert outcome.error.startswith(f"InvalidResponseError: check() returned {shown}")
    assert outcome.error.endswith("return a Status (such as Status.ok) or a CheckResponse")
    assert outcome.description == "payload 1"


def test_evaluate__answer_that_cannot_even_be_shown() -> None:
    outcome = outcome_of(Answering(Mute))

    assert (outcome.status, outcome.error) == (Status.unknown, "RuntimeError: no text today")


def test_evaluate__check_that_yields_has_no_verdict() -> None:
    outcome = outcome_of(Answering(lambda: (status for status in Status)))

    assert outcome.status is Status.unknown
    assert "check() returned <generator object" in outcome.error


@pytest.mark.parametrize(
    ("error", "words"),
    [
        (ValueError("broken"), "ValueError: broken"),
        (SystemExit(0), "SystemExit: 0"),
        (KeyboardInterrupt(), "KeyboardInterrupt"),
        (GeneratorExit(), "GeneratorExit"),
        (StopIteration(), "StopIteration"),
        (BaseException("base"), "BaseException: base"),
        (SilentError(), "SilentError: (its message cannot be shown)"),
        (UnpicklableError(1, 2), "UnpicklableError: stuck"),
        (ValueError("a\0\ud800"), "ValueError: a\\x00\\ud800"),
    ],
)
def test_evaluate__check_that_raises(error: BaseException, words: str) -> None:
    outcome = outcome_of(Answering(lambda: raising(error)))

    assert outcome.status is Status.unknown
    assert outcome.disposition is Disposition.judged
    assert outcome.error.startswith(words)
    assert outcome.description == "payload 1"
    assert ", in check\n" in outcome.traceback


def test_evaluate__one_that_raises_leaves_the_others() -> None:
    class ThirdIsBad(PlainCheck):
        def check(self, payload: Any) -> Status:
            return raising(SystemExit()) if payload.key == 3 else Status.ok

    check = ThirdIsBad()
    outcomes = list(evaluate(check, name_payloads(check, [Payload(key) for key in range(10)])))

    assert [outcome.identifier for outcome in outcomes] == [str(key) for key in range(10)]
    assert [outcome.identifier for outcome in outcomes if outcome.error] == ["3"]
    assert [outcome.status for outcome in outcomes].count(Status.ok) == 9


def test_evaluate__interruption_passes_after_what_was_judged() -> None:
    class Interrupting(PlainCheck):
        def check(self, payload: Any) -> Status:
            return raising(Interrupted()) if payload.key == 2 else Status.ok

    check = Interrupting()
    judged: list[str] = []

    def judge() -> None:
        for outcome in evaluate(check, name_payloads(check, [Payload(1), Payload(2)])):
            judged.append(outcome.identifier)  # noqa: PERF401 - what came before counts

    with pytest.raises(Interrupted):
        judge()
    assert judged == ["1"]


def test_evaluate__is_lazy() -> None:
    answers = iter([Status.ok, Status.warning])
    check = Answering(lambda: next(answers))
    outcomes = evaluate(check, name_payloads(check, [Payload(1), Payload(2)]))

    next(outcomes)

    assert list(answers) == [Status.warning]


def test_evaluate__skipped() -> None:
    outcome = outcome_of(Answering(lambda: raising(SkipCheck("not today"))))

    assert outcome == Outcome("1", disposition=Disposition.skipped)


def test_evaluate__skip_of_the_authors_own_kind() -> None:
    own_kind = type("NotToday", (SkipCheck,), {})

    assert outcome_of(Answering(lambda: raising(own_kind()))).disposition is Disposition.skipped


def test_evaluate__skip_while_naming_is_a_visible_error() -> None:
    class Unnamed(PlainCheck):
        def get_identifier(self, payload: Any) -> Any:
            return raising(SkipCheck(payload.key))

    outcome = outcome_of(Unnamed())

    assert outcome.disposition is Disposition.judged
    assert (outcome.status, outcome.error) == (Status.unknown, "SkipCheck: 1")


def test_evaluate__skip_while_loading_is_a_visible_error() -> None:
    failure = Failure("SkipCheck: later", "", SkipCheck)
    (outcome,) = evaluate(PlainCheck(), [NamedPayload("1", None, failure)])

    assert outcome == Outcome("1", description="1", error="SkipCheck: later")


def test_evaluate__gone() -> None:
    (outcome,) = evaluate(PlainCheck(), [NamedPayload("1", None, gone=True)])

    assert outcome == Outcome("1", disposition=Disposition.gone)


@pytest.mark.parametrize(
    ("key", "identifier", "problem"),
    [
        (7, "7", ""),
        (UUID(int=7), "00000000-0000-0000-0000-000000000007", ""),
        (("a", 1), "('a', 1)", ""),
        ("Zoë", "Zoë", ""),
        ("x" * 5000, "x" * 5000, ""),
        (mark_safe("safe"), "safe", ""),
        (None, "<None>", "ValueError: get_identifier() returned None"),
        ("", "<empty>", "returned an empty identifier"),
        (object(), "<object>", "returned a object object, which has no stable text"),
        ("a\0", "a\\x00", "NUL or lone surrogates"),
        ("\udcff", "\\udcff", "NUL or lone surrogates"),
        (Mute(), "<no identifier>", "RuntimeError: no text today"),
    ],
)
def test_evaluate__identifier(key: object, identifier: str, problem: str) -> None:
    outcome = outcome_of(PlainCheck(), Payload(key))

    assert type(outcome.identifier) is str
    assert outcome.identifier == identifier
    assert problem.removeprefix("ValueError: ") in outcome.error
    assert outcome.status is (Status.unknown if problem else Status.ok)


def test_evaluate__identifier_of_more_digits_than_python_prints() -> None:
    outcome = outcome_of(PlainCheck(), Payload(10**5000))

    assert outcome.identifier == "<no identifier>"
    assert outcome.error.startswith("ValueError: Exceeds the limit")


@pytest.mark.parametrize("error", [KeyError("key"), SystemExit(1), KeyboardInterrupt()])
def test_name_payloads__get_identifier_that_raises(error: BaseException) -> None:
    class Unnamed(PlainCheck):
        def get_identifier(self, payload: Any) -> Any:
            return raising(error) if payload.key == 2 else payload.key

    first, second, third = name_payloads(Unnamed(), [Payload(1), Payload(2), Payload(3)])

    assert (first.identifier, third.identifier) == ("1", "3")
    assert second.identifier == "<no identifier>"
    assert second.failure is not None
    assert second.failure.exception_type is type(error)


@pytest.mark.parametrize(
    ("description", "shown"),
    [
        ("words", "words"),
        ("", ""),
        (None, "None"),
        (5, "5"),
        (gettext_lazy("Monday"), "Monday"),
        (mark_safe("<b>"), "<b>"),
        ("a\0b\ud800", "a\\x00b\\ud800"),
        ("é" * 1_000_000, "é" * MAX_DESCRIPTION_LENGTH),
    ],
)
@pytest.mark.parametrize("answer", [Status.ok, "no verdict"])
def test_evaluate__description(description: Any, shown: str, answer: object) -> None:
    class Described(Answering):
        def get_payload_description(self, payload: Any) -> Any:
            return description if payload else None

    outcome = outcome_of(Described(lambda: answer))

    assert outcome.description == shown
    assert type(outcome.description) is str


@pytest.mark.parametrize("description", [lambda: raising(ValueError("no words")), Mute])
def test_evaluate__description_that_raises_is_an_error_shown_by_identifier(
    description: Callable[[], Any],
) -> None:
    class Undescribed(PlainCheck):
        def get_payload_description(self, payload: Any) -> Any:
            return description() if payload else None

    outcome = outcome_of(Undescribed(), Payload("x" * 5000))

    assert outcome.status is Status.unknown
    assert outcome.description == "x" * MAX_DESCRIPTION_LENGTH
    assert outcome.error.startswith(("ValueError: no words", "RuntimeError: no text today"))


@pytest.mark.parametrize(
    ("data", "error"),
    [
        ({"value": Mute()}, "RuntimeError: no text today"),
        ({"value": [{"inner": Mute()}]}, "RuntimeError: no text today"),
    ],
)
def test_evaluate__data_that_has_no_text_is_an_error(data: dict[str, Any], error: str) -> None:
    outcome = outcome_of(Answering(lambda: CheckResponse(Status.ok, **data)))

    assert (outcome.status, outcome.data, outcome.error) == (Status.unknown, "{}", error)


@pytest.mark.parametrize(
    "value",
    [float("nan"), 10**400, 10**5000, {1}, b"\0\xff", "\0\ud800", iter(int, 1), "x" * 1_000_000],
    ids=["NaN", "10^400", "10^5000", "set", "bytes", "NUL", "endless", "1 MB"],
)
def test_evaluate__data_that_json_does_not_know_keeps_the_verdict(value: object) -> None:
    outcome = outcome_of(Answering(lambda: CheckResponse(Status.critical, value=value)))

    assert (outcome.status, outcome.error) == (Status.critical, "")


class Assigning(PlainCheck):
    """Assigns whoever is given."""

    def __init__(self, users: Any = None, groups: Any = None) -> None:
        self.users = users
        self.groups = groups

    def get_assigned_users(self, payload: Any, status: Status) -> Any:
        return self.users if payload and status is Status.ok else None

    def get_assigned_groups(self, payload: Any, status: Status) -> Any:
        return self.groups if payload and status is Status.ok else None


@pytest.mark.parametrize(
    ("people", "keys"),
    [
        (None, ()),
        ([], ()),
        ([3, 1, 2, 1], (1, 2, 3)),
        ((key for key in (2, 1)), (1, 2)),
        ({10, 9}, (9, 10)),
        ([UUID(int=2), UUID(int=1)], (str(UUID(int=1)), str(UUID(int=2)))),
        (["b", 1, "a"], (1, "a", "b")),
        ([User(pk=2), User(pk=1), 2], (1, 2)),
        ([User(), AnonymousUser(), None, User(pk=1)], (1,)),
    ],
    ids=["none", "empty", "ids", "generator", "set", "uuids", "mixed", "users", "unsaved"],
)
def test_evaluate__assigned_people_become_sorted_keys(
    people: Any, keys: tuple[int | str, ...]
) -> None:
    people = list(people) if people is not None else None
    outcome = outcome_of(Assigning(users=people, groups=people))

    assert (outcome.users, outcome.groups, outcome.error) == (keys, keys, "")


@pytest.mark.django_db
def test_evaluate__assigned_queryset() -> None:
    users = [User.objects.create(username=name) for name in "ba"]
    group = Group.objects.create(name="finance")

    outcome = outcome_of(Assigning(users=User.objects.order_by("username"), groups=[group]))

    assert outcome.users == tuple(user.pk for user in users)
    assert outcome.groups == (group.pk,)


@pytest.mark.parametrize(
    ("people", "words"),
    [
        ("bob", "not the text 'bob'"),
        (User(pk=1), "'User' object is not iterable"),
        (5, "'int' object is not iterable"),
        ([["nested"]], "unhashable type: 'list'"),
    ],
)
def test_evaluate__assigned_to_something_else_is_an_error(people: Any, words: str) -> None:
    outcome = outcome_of(Assigning(groups=people))

    assert outcome.status is Status.unknown
    assert outcome.error.startswith("TypeError: ")
    assert words in outcome.error
    assert (outcome.users, outcome.groups) == ((), ())


def test_evaluate__assigned_by_payload_and_status() -> None:
    asked: list[tuple[object, Status]] = []

    class Asking(PlainCheck):
        def get_assigned_users(self, payload: Any, status: Status) -> Any:
            asked.append((payload.key, status))

    outcome_of(Asking(), Payload(7))

    assert asked == [(7, Status.ok)]


ANSWERS = (
    st.sampled_from(Status)
    | st.none()
    | st.integers()
    | st.text()
    | st.builds(CheckResponse, st.sampled_from(Status))
    | st.sampled_from([ValueError("x"), SystemExit(), SkipCheck(), KeyboardInterrupt()])
)


@given(st.lists(st.tuples(st.integers() | st.text(st.characters(exclude_categories=())), ANSWERS)))
def test_evaluate__one_outcome_for_each_payload(answers: list[tuple[Any, Any]]) -> None:
    class Replaying(PlainCheck):
        def check(self, payload: Any) -> Any:
            answer = payload.answer
            return raising(answer) if isinstance(answer, BaseException) else answer

    payloads = [Payload(key) for key, _ in answers]
    for payload, (_, answer) in zip(payloads, answers, strict=True):
        payload.answer = answer  # type: ignore[attr-defined]
    check = Replaying()

    outcomes = list(evaluate(check, name_payloads(check, payloads)))

    assert len(outcomes) == len(answers)
    for outcome, (_, answer) in zip(outcomes, answers, strict=True):
        assert outcome.identifier.encode("utf-8")
        if outcome.status is Status.ok:
            assert answer in (Status.ok, CheckResponse(Status.ok))
            assert type(answer) in (Status, CheckResponse)
