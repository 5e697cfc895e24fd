from __future__ import annotations

import asyncio
import pickle
import threading
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dwatch.core.guard import (
    MAX_ERROR_LENGTH,
    MAX_TRACEBACK_LENGTH,
    Failure,
    attempt,
    describe_failure,
)
from dwatch.core.interrupt import Interrupted
from dwatch.exceptions import SkipCheck, UsageError


class SilentError(Exception):
    def __init__(self, inner: BaseException) -> None:
        super().__init__()
        self.inner = inner

    def __str__(self) -> str:
        raise self.inner


class UnpicklableError(Exception):
    def __init__(self, first: object, second: object) -> None:
        super().__init__("stuck")
        self.lock = threading.Lock()
        self.parts = (first, second)


class Beyond(BaseException):
    pass


def raising(error: BaseException) -> Any:
    raise error


def failure_of(error: BaseException) -> Failure:
    failure = attempt(raising, error)
    assert isinstance(failure, Failure)
    return failure


def test_attempt__result_comes_through() -> None:
    assert attempt(divmod, 7, 2) == (3, 1)
    assert attempt(lambda: None) is None


@pytest.mark.parametrize(
    ("error", "words"),
    [
        (ValueError("no  \n good"), "ValueError: no good"),
        (ValueError(), "ValueError"),
        (KeyError("a"), "KeyError: 'a'"),
        (SystemExit(3), "SystemExit: 3"),
        (SystemExit(), "SystemExit"),
        (KeyboardInterrupt(), "KeyboardInterrupt"),
        (GeneratorExit(), "GeneratorExit"),
        (MemoryError(), "MemoryError"),
        (StopIteration(4), "StopIteration: 4"),
        (asyncio.CancelledError(), "CancelledError"),
        (Beyond("out"), "Beyond: out"),
        (BaseExceptionGroup("two", [Beyond(), ValueError()]), "two (2 sub-exceptions)"),
        (SkipCheck("later"), "SkipCheck: later"),
        (UsageError("wrong", "do it right"), "UsageError: wrong (do it right)"),
        (UsageError("wrong"), "UsageError: wrong"),
        (UnpicklableError(1, 2), "UnpicklableError: stuck"),
        (SilentError(ValueError()), "SilentError: (its message cannot be shown)"),
        (SilentError(SystemExit()), "SilentError: (its message cannot be shown)"),
        (SilentError(Beyond()), "SilentError: (its message cannot be shown)"),
        (ValueError("a\0b\ud800"), "ValueError: a\\x00b\\ud800"),
        (ValueError("ü"), "ValueError: ü"),
    ],
)
def test_attempt__whatever_is_raised_becomes_words(error: BaseException, words: str) -> None:
    failure = failure_of(error)

    assert failure.error.endswith(words)
    assert failure.exception_type is type(error)
    assert "raising" in failure.traceback


def test_attempt__failure_travels_between_processes() -> None:
    failure = failure_of(UnpicklableError(1, 2))

    assert pickle.loads(pickle.dumps(failure)) == failure  # noqa: S301 - our own bytes


def test_attempt__interruption_passes() -> None:
    with pytest.raises(Interrupted):
        attempt(raising, Interrupted())


def test_attempt__interruption_while_the_message_is_made_passes() -> None:
    with pytest.raises(Interrupted):
        attempt(raising, SilentError(Interrupted()))


def test_attempt__endless_recursion() -> None:
    def endless() -> None:
        endless()

    failure = attempt(endless)

    assert isinstance(failure, Failure)
    assert failure.error.startswith("RecursionError: maximum recursion depth exceeded")


def test_describe_failure__is_bounded_and_keeps_the_end_of_the_traceback() -> None:
    failure = failure_of(ValueError("x" * 1_000_000 + "end"))

    assert len(failure.error) == MAX_ERROR_LENGTH
    assert failure.error.startswith("ValueError: xxx")
    assert len(failure.traceback) == MAX_TRACEBACK_LENGTH
    assert failure.traceback.endswith("end\n")


def test_describe_failure__error_that_python_itself_cannot_format() -> None:
    place: Any = ("f.py", 1, "no number", "text")
    failure = describe_failure(SyntaxError("bad", place))

    assert failure.error == "SyntaxError: bad (f.py, line 1)"
    assert failure.traceback == failure.error


def test_describe_failure__names_the_cause() -> None:
    error = ValueError("outer")
    error.__cause__ = KeyError("inner")

    failure = describe_failure(error)

    assert failure.error == "ValueError: outer"
    assert "KeyError: 'inner'" in failure.traceback


def test_describe_failure__hint_of_a_foreign_error_is_left_alone() -> None:
    error = ValueError("no")
    error.hint = SilentError(ValueError())  # type: ignore[attr-defined]

    assert describe_failure(error).error == "ValueError: no"


@given(st.text(st.characters(exclude_categories=())))
def test_describe_failure__every_database_takes_the_words(message: str) -> None:
    failure = describe_failure(ValueError(message))

    for text in (failure.error, failure.traceback):
        assert "\0" not in text
        text.encode("utf-8")
    assert "\n" not in failure.error
    assert len(failure.error) <= MAX_ERROR_LENGTH
