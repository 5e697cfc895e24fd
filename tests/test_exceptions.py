from __future__ import annotations

import copy
import pickle

import pytest

from dwatch import exceptions
from dwatch.exceptions import (
    AcknowledgeError,
    DefinitionError,
    DwatchError,
    ScheduleError,
    SkipCheck,
    UnknownCheckError,
    UnknownResultError,
    UsageError,
)

ERRORS = [
    kind
    for kind in vars(exceptions).values()
    if isinstance(kind, type) and issubclass(kind, DwatchError)
]


@pytest.mark.parametrize("kind", ERRORS)
def test_error__has_a_message_and_a_hint(kind: type[DwatchError]) -> None:
    error = kind("it broke", "mend it")

    assert (str(error), error.message, error.hint) == ("it broke", "it broke", "mend it")
    assert kind("it broke").hint == ""


@pytest.mark.parametrize("kind", ERRORS)
def test_error__crosses_processes_with_its_hint(kind: type[DwatchError]) -> None:
    error = kind("it broke", "mend it")

    for other in (pickle.loads(pickle.dumps(error)), copy.copy(error)):  # noqa: S301 - our own bytes
        assert type(other) is kind
        assert (other.message, other.hint) == ("it broke", "mend it")


@pytest.mark.parametrize("kind", ERRORS)
def test_error__says_what_it_means(kind: type[DwatchError]) -> None:
    assert kind.__doc__


@pytest.mark.parametrize(
    ("kind", "base"),
    [
        (ScheduleError, DefinitionError),
        (UnknownCheckError, UsageError),
        (UnknownResultError, UsageError),
        (AcknowledgeError, UsageError),
    ],
)
def test_error__is_caught_as_its_base(kind: type[DwatchError], base: type[DwatchError]) -> None:
    with pytest.raises(base):
        raise kind("it broke")


def test_skip__is_no_error_of_ours() -> None:
    assert not issubclass(SkipCheck, DwatchError)
