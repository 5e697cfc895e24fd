"""The project's ``DWATCH_*`` settings, typed, checked and read at each access."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any, Literal, TypeVar

from django.conf import settings as django_settings
from django.utils.module_loading import import_string

from dwatch.exceptions import ConfigurationError

if TYPE_CHECKING:
    from collections.abc import Callable

T = TypeVar("T")

MAX_WORKERS = 256


def checks_module() -> str:
    """Return the name of the module in each app that holds its checks ("checks")."""
    return _read("DWATCH_CHECKS_MODULE", "checks", _is_module_name, "a module name, e.g. 'checks'")


def batch_size() -> int:
    """Return how many payloads are evaluated together at most (500)."""
    return _read("DWATCH_BATCH_SIZE", 500, _is_between(1, 5000), "a whole number from 1 to 5000")


def transaction_size() -> int:
    """Return up to how many outcomes batches are joined for one transaction (2000)."""
    return _read(
        "DWATCH_TRANSACTION_SIZE", 2000, _is_between(1, 20000), "a whole number from 1 to 20000"
    )


def lease_seconds() -> int:
    """Return after how many seconds of silence another run may take a check over (60)."""
    return _read(
        "DWATCH_LEASE_SECONDS", 60, _is_between(1, 86400), "a number of seconds, at least 1"
    )


def backend() -> str:
    """Return the dotted path of what evaluates payloads ("dwatch.backends.synchronous")."""
    return _read(
        "DWATCH_BACKEND",
        "dwatch.backends.synchronous",
        lambda value: backend_class(value) is not None,
        "a module with a Backend class, or such a class, e.g. 'dwatch.backends.process'",
    )


def backend_class(path: object) -> Any:
    """Return the class at a dotted path (of a module: its ``Backend``), None if there is none."""
    if not isinstance(path, str) or not _is_module_name(path):
        return None
    for find in (_backend_of_module, import_string):
        try:
            found = find(path)
        except ImportError:
            continue
        if isinstance(found, type) and hasattr(found, "evaluate_batches"):
            return found
    return None


def workers() -> int | Literal["auto"]:
    """Return how many payloads are judged at the same time (1), or "auto": one for each core."""
    return _read(
        "DWATCH_WORKERS",
        1,
        lambda value: value == "auto" or _is_between(1, MAX_WORKERS)(value),
        f"a whole number from 1 to {MAX_WORKERS}, or 'auto'",
    )


def every_setting() -> dict[str, Callable[[], object]]:
    """Return each setting's name and reader, for those who check them all."""
    return {
        "DWATCH_CHECKS_MODULE": checks_module,
        "DWATCH_BATCH_SIZE": batch_size,
        "DWATCH_TRANSACTION_SIZE": transaction_size,
        "DWATCH_LEASE_SECONDS": lease_seconds,
        "DWATCH_BACKEND": backend,
        "DWATCH_WORKERS": workers,
    }


def _read(name: str, default: T, accepts: Callable[[object], bool], expected: str) -> T:
    value: T = getattr(django_settings, name, default)
    if not accepts(value):
        raise ConfigurationError(f"{name} is {value!r}", f"Set it to {expected}.")
    return value


def _backend_of_module(path: str) -> Any:
    return getattr(import_module(path), "Backend", None)


def _is_module_name(value: object) -> bool:
    return isinstance(value, str) and all(part.isidentifier() for part in value.split("."))


def _is_between(least: int, most: int) -> Callable[[object], bool]:
    return lambda value: type(value) is int and least <= value <= most
