"""Finds the checks of a project: the ``checks`` module of each installed app."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from importlib import import_module

from django.apps import apps
from django.utils.module_loading import module_has_submodule

from dwatch import conf
from dwatch.core.guard import Failure, attempt


@dataclass(frozen=True, slots=True)
class FailedModule:
    """A checks module that could not be imported, and what it raised."""

    module: str
    error: str
    traceback: str


_failed: list[FailedModule] = []


def discover() -> None:
    """Import every app's checks module; one that raises does not keep the others out."""
    _failed.clear()
    name = conf.checks_module()
    for app in apps.get_app_configs():
        if app.module is None or not module_has_submodule(app.module, name):
            continue
        module = f"{app.name}.{name}"
        outcome = attempt(partial(import_module, module))
        if isinstance(outcome, Failure):
            if issubclass(outcome.exception_type, KeyboardInterrupt):
                raise KeyboardInterrupt  # nobody listens for signals yet: a real Ctrl-C
            _failed.append(FailedModule(module, outcome.error, outcome.traceback))


def failed_modules() -> list[FailedModule]:
    """Return the checks modules that could not be imported at the last discovery."""
    return list(_failed)
