"""Put an exception into words: one line, a hint, an exit code."""

from __future__ import annotations

import sys
from dataclasses import dataclass

from dwatch.exceptions import (
    ConfigurationError,
    DefinitionError,
    DwatchError,
    UsageError,
)
from dwatch.services.gate import ExitCode

_WRONG_USE = (UsageError, ConfigurationError, DefinitionError)


@dataclass(frozen=True, slots=True)
class Explanation:
    """What a person reads, and what the shell gets."""

    message: str
    hint: str
    code: ExitCode


def explain(error: Exception) -> Explanation:
    """Return the words and the exit code for an error, ours or not."""
    if isinstance(error, DwatchError):
        code = ExitCode.usage if isinstance(error, _WRONG_USE) else ExitCode.error
        return Explanation(error.message, error.hint, code)
    said = one_line(error)
    if _is_database_error(error):
        hint = "`dwatch doctor` looks at the database and its migrations."
        return Explanation(f"The database refused: {said}", hint, ExitCode.usage)
    hint = "This was not expected. Run again with --traceback to see where it happened."
    return Explanation(said, hint, ExitCode.error)


def one_line(error: BaseException) -> str:
    """Return the exception's type and the first line of its message."""
    lines = str(error).strip().splitlines()
    name = type(error).__name__
    return f"{name}: {lines[0]}" if lines else name


def _is_database_error(error: Exception) -> bool:
    # An error of django.db can only arrive once it is loaded: help stays light.
    module = sys.modules.get("django.db")
    return module is not None and isinstance(error, module.Error)
