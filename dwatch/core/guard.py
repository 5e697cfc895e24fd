"""The one place that survives whatever authors' code raises."""

from __future__ import annotations

import traceback
from typing import TYPE_CHECKING, Any, NamedTuple, TypeVar

from dwatch.core.identifier import printable
from dwatch.core.interrupt import Interrupted
from dwatch.exceptions import DwatchError

if TYPE_CHECKING:
    from collections.abc import Callable

T = TypeVar("T")

MAX_ERROR_LENGTH = 500
MAX_TRACEBACK_LENGTH = 8000


class Failure(NamedTuple):
    """What authors' code raised, as text: no exception object leaves this module."""

    error: str
    traceback: str
    exception_type: type[BaseException]


def attempt(call: Callable[..., T], *args: Any) -> T | Failure:
    """Call authors' code with the arguments; return its result, or a Failure for what it raised.

    SystemExit, KeyboardInterrupt and the like raised by the author are failures as
    any other. A real Ctrl-C arrives as Interrupted and passes.
    """
    try:
        return call(*args)
    except Interrupted:
        raise
    # The one guard around authors' code; asyncio's CancelledError is no Exception either.
    except BaseException as error:  # noqa: BLE001
        return describe_failure(error)


def describe_failure(error: BaseException) -> Failure:
    """Return the failure in words that can be stored anywhere."""
    message = _message(error)
    if isinstance(error, DwatchError) and error.hint:
        message = f"{message} ({error.hint})"
    summary = f"{type(error).__name__}: {message}" if message else type(error).__name__
    try:
        trace = "".join(traceback.format_exception(error))
    except Exception:  # noqa: BLE001 - formatting asks the exception for its words, too
        trace = summary
    return Failure(
        printable(" ".join(summary.split()))[:MAX_ERROR_LENGTH],
        printable(trace)[-MAX_TRACEBACK_LENGTH:],
        type(error),
    )


def _message(error: BaseException) -> str:
    try:
        return str(error)
    except Interrupted:
        raise
    except BaseException:  # noqa: BLE001 - an author's __str__ may raise as well
        return "(its message cannot be shown)"
