"""Django system checks: what is wrong with the checks and settings, before midnight."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.conf import settings
from django.core import checks

from dwatch import conf, discovery
from dwatch.core.registry import registry
from dwatch.exceptions import ConfigurationError

if TYPE_CHECKING:
    from collections.abc import Callable


def register_all() -> None:
    """Add dwatch's checks to Django's."""
    for check in (check_modules, check_settings, check_time_zones, check_any_registered):
        checks.register(check, "dwatch")


def check_modules(**_kwargs: Any) -> list[checks.CheckMessage]:
    """E001: a checks module cannot be imported, or defines a check wrongly."""
    return [
        checks.Error(
            f"{failed.module} cannot be imported: {failed.error}",
            hint="None of the checks below that point run until it is mended.",
            id="dwatch.E001",
        )
        for failed in discovery.failed_modules()
    ]


def check_settings(**_kwargs: Any) -> list[checks.CheckMessage]:
    """E002: a DWATCH_ setting has an impossible value; W001: one that is not known."""
    readers = conf.every_setting()
    problems = [error for read in readers.values() if (error := _problem(read)) is not None]
    messages: list[checks.CheckMessage] = [
        checks.Error(error.message, hint=error.hint, id="dwatch.E002") for error in problems
    ]
    for name in dir(settings):
        if name.startswith("DWATCH_") and name not in readers:
            hint = f"Known: {', '.join(sorted(readers))}."
            messages.append(
                checks.Warning(f"{name} is not a setting of dwatch", hint=hint, id="dwatch.W001")
            )
    return messages


def check_time_zones(**_kwargs: Any) -> list[checks.CheckMessage]:
    """E003: dwatch compares moments, which needs USE_TZ."""
    if settings.USE_TZ:
        return []
    return [
        checks.Error(
            "dwatch needs aware datetimes, but USE_TZ is False",
            hint="Set USE_TZ = True.",
            id="dwatch.E003",
        )
    ]


def check_any_registered(**_kwargs: Any) -> list[checks.CheckMessage]:
    """W002: not a single check is registered."""
    if len(registry) or discovery.failed_modules():
        return []
    name = conf.checks_module()
    return [
        checks.Warning(
            "no check is registered",
            hint=f"Write one in <app>/{name}.py and decorate it with @register.",
            id="dwatch.W002",
        )
    ]


def _problem(read: Callable[[], object]) -> ConfigurationError | None:
    try:
        read()
    except ConfigurationError as error:
        return error
    return None
