"""Every error dwatch raises on purpose, as one tree.

A message says what is wrong; a hint says how to mend it. The faces (command
line, management commands, web) turn them into words at one place each.
"""

from __future__ import annotations


class DwatchError(Exception):
    """Base of all errors of dwatch: a one-line message and a hint."""

    def __init__(self, message: str, hint: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint

    def __str__(self) -> str:
        return self.message

    def __reduce__(self) -> tuple[type[DwatchError], tuple[str, str]]:
        return (type(self), (self.message, self.hint))


class SkipCheck(Exception):  # noqa: N818 - a signal to the engine, not an error
    """Raised by an author's ``check()`` to leave a payload out of the results."""


class DefinitionError(DwatchError):
    """A check class is defined wrongly; raised when it is registered."""


class ScheduleError(DefinitionError):
    """``run_every`` or ``timezone`` cannot be used as a schedule."""


class ConfigurationError(DwatchError):
    """The project's settings, database or migrations do not let dwatch work."""


class UsageError(DwatchError):
    """What was asked for does not exist or makes no sense."""


class UnknownCheckError(UsageError):
    """No registered check has the slug (or matches the pattern) asked for."""


class UnknownResultError(UsageError):
    """The check has no result with the identifier asked for."""


class LeaseLostError(DwatchError):
    """Another run took the check over while this one was not responding."""


class DatabaseBusyError(DwatchError):
    """Other transactions kept locked what had to be written, longer than we wait."""


class BackendError(DwatchError):
    """The backend cannot evaluate anything, for instance because no worker starts."""


class AlreadyAcknowledgedError(DwatchError):
    """The result is acknowledged for longer than was asked for now."""


class AcknowledgeError(UsageError):
    """The result cannot be acknowledged in the way that was asked for."""
