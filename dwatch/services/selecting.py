"""From a Selection to checks, and what could not be loaded."""

from __future__ import annotations

from typing import TYPE_CHECKING

from dwatch import discovery
from dwatch.core.registry import registry
from dwatch.exceptions import UnknownCheckError
from dwatch.services.reports import ModuleFailure

if TYPE_CHECKING:
    from dwatch.core.check import BaseCheck
    from dwatch.services.requests import Selection


def select(selection: Selection) -> list[type[BaseCheck]]:
    """Return the selected checks in slug order; raises UnknownCheckError."""
    try:
        return registry.select(selection.slugs, selection.excludes, selection.tags)
    except UnknownCheckError as error:
        raise _with_failures(error) from error


def refuse_nothing(classes: list[type[BaseCheck]]) -> None:
    """Keep a gate from being green because the wrong settings know no check at all."""
    if not classes and not discovery.failed_modules():
        raise UnknownCheckError(
            "no check is registered", "Write one in <app>/checks.py and decorate it with @register."
        )


def named(selection: Selection, *, tags_too: bool = False) -> frozenset[str]:
    """Return the slugs that a pattern of the selection (or a tag, too) asked for."""
    tags = selection.tags if tags_too else ()
    if not (selection.slugs or tags):
        return frozenset()
    return frozenset(cls.slug for cls in registry.select(selection.slugs, tags=tags))


def get_check_class(slug: str) -> type[BaseCheck]:
    """Return one check; raises UnknownCheckError."""
    try:
        return registry.get(slug)
    except UnknownCheckError as error:
        raise _with_failures(error) from error


def module_failures() -> tuple[ModuleFailure, ...]:
    """Return the checks modules that could not be imported."""
    return tuple(
        ModuleFailure(failed.module, failed.error, failed.traceback)
        for failed in discovery.failed_modules()
    )


def _with_failures(error: UnknownCheckError) -> UnknownCheckError:
    """Say that the check may be in a module that could not be imported."""
    failures = discovery.failed_modules()
    if not failures:
        return error
    modules = ", ".join(f"{failed.module} ({failed.error})" for failed in failures)
    return UnknownCheckError(error.message, f"{error.hint} Not loaded: {modules}.")
