"""Turns what a database says into words, at the edge of the services."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING

from django.core.exceptions import ImproperlyConfigured
from django.db import DatabaseError, InterfaceError, OperationalError, ProgrammingError

from dwatch.exceptions import ConfigurationError

if TYPE_CHECKING:
    from collections.abc import Iterator

_FULL = ("disk is full", "no space left", "disk full", "database is full")
_FULL_CODES = {"53100", 1021, 1114}
_READ_ONLY = ("readonly database", "read-only")
_READ_ONLY_CODES = {"25006", "42501", 1142, 1290, 1792, 1836}
# PostgreSQL says "does not exist" of a database and a role, too, but as an OperationalError.
_MISSING: dict[type[Exception], tuple[str, ...]] = {
    ProgrammingError: ("does not exist", "doesn't exist"),
    OperationalError: ("no such table", "no such column", "unknown column"),
}


@contextmanager
def database_errors_in_words() -> Iterator[None]:
    """Raise ConfigurationError, with a hint, for a database that cannot be worked with."""
    try:
        yield
    except (DatabaseError, InterfaceError, ImproperlyConfigured) as error:
        raise _in_words(error) from error


def _in_words(error: Exception) -> ConfigurationError:
    text = " ".join(str(error).split())
    if _lacks_a_table_of_ours(error, text.lower()):
        return ConfigurationError(
            f"dwatch's tables are not up to date: {text:.200}",
            "Run `python manage.py migrate dwatch`.",
        )
    codes = {getattr(error.__cause__, "sqlstate", None), *error.args[:1]}
    if _tells(_FULL, _FULL_CODES, text, codes):
        return ConfigurationError(
            f"the database is full: {text:.200}", "Make room; what was stored before is safe."
        )
    if _tells(_READ_ONLY, _READ_ONLY_CODES, text, codes):
        return ConfigurationError(
            f"the database lets us read only: {text:.200}",
            "Is it a replica, or do the user's rights or the file's permissions lack writing?",
        )
    if isinstance(error, (OperationalError, InterfaceError)):
        return ConfigurationError(
            f"the database does not answer as it should: {text:.200}",
            "Is the server up, and are DATABASES in the settings right? See `dwatch doctor`.",
        )
    return ConfigurationError(f"the database refuses: {text:.200}", "See `dwatch doctor`.")


def _lacks_a_table_of_ours(error: Exception, text: str) -> bool:
    signs = _MISSING.get(type(error), ())
    return "dwatch_" in text and any(sign in text for sign in signs)


def _tells(signs: tuple[str, ...], codes: set[object], text: str, found: set[object]) -> bool:
    return not codes.isdisjoint(found) or any(sign in text.lower() for sign in signs)
