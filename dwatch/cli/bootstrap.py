"""Find the project's settings and set Django up."""

from __future__ import annotations

import ast
import importlib
import os
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from dwatch.cli.explain import one_line
from dwatch.exceptions import ConfigurationError

if TYPE_CHECKING:
    from collections.abc import Mapping

VARIABLE = "DJANGO_SETTINGS_MODULE"


@dataclass(frozen=True, slots=True)
class Project:
    """The settings module, the folder that joins ``sys.path``, and who said so."""

    settings: str
    folder: Path
    source: str


def set_up(settings: str | None) -> None:
    """Set Django up for the project that is meant.

    Raises ConfigurationError if there are no settings, if they or the
    installed apps cannot be imported, or if dwatch is not among the apps.
    """
    project = find_project(settings, os.environ, Path.cwd())
    os.environ[VARIABLE] = project.settings
    if str(project.folder) not in sys.path:
        sys.path.insert(0, str(project.folder))
    _import_settings(project)
    _start_django(project)


def find_project(settings: str | None, environ: Mapping[str, str], here: Path) -> Project:
    """Return the project that is meant: option, environment, pyproject.toml, manage.py.

    Raises ConfigurationError if none of them names settings.
    """
    manage = _nearest("manage.py", here)
    pyproject = _nearest("pyproject.toml", here)
    folder = next((file.parent for file in (manage, pyproject) if file), here)
    if settings:
        return Project(settings, folder, "--settings")
    if environ.get(VARIABLE):
        return Project(environ[VARIABLE], folder, f"the variable {VARIABLE}")
    if pyproject and (named := _named_in_pyproject(pyproject)):
        return Project(named, pyproject.parent, str(pyproject))
    if manage and (named := _named_in_manage(manage)):
        return Project(named, manage.parent, str(manage))
    raise ConfigurationError(
        "No Django settings found.",
        f"Use --settings, set {VARIABLE}, add `[tool.dwatch] settings` to pyproject.toml, "
        "or go to the folder with manage.py.",
    )


def _nearest(name: str, here: Path) -> Path | None:
    candidates = (folder / name for folder in (here, *here.parents))
    return next((file for file in candidates if file.is_file()), None)


def _named_in_pyproject(file: Path) -> str | None:
    import tomllib

    try:
        content = tomllib.loads(file.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise ConfigurationError(f"{file} cannot be read: {one_line(error)}") from error
    section = content.get("tool", {}).get("dwatch", {})
    named = section.get("settings") if isinstance(section, dict) else section
    if named is not None and not isinstance(named, str):
        raise ConfigurationError(
            f"[tool.dwatch] settings in {file} is {named!r}.",
            'Write the settings module as a string: settings = "myproject.settings"',
        )
    return named


def _named_in_manage(file: Path) -> str | None:
    """Read the module that manage.py names, without running it."""
    try:
        tree = ast.parse(file.read_bytes())
    except (OSError, SyntaxError, ValueError):
        return None
    named = (_module_set_by(node) for node in ast.walk(tree))
    return next((module for module in named if module), None)


def _module_set_by(node: ast.AST) -> str | None:
    match node:
        case ast.Call(
            func=ast.Attribute(attr="setdefault"),
            args=[ast.Constant(value=variable), ast.Constant(value=str(module))],
        ) if variable == VARIABLE:
            return module
        case ast.Assign(
            targets=[ast.Subscript(slice=ast.Constant(value=variable))],
            value=ast.Constant(value=str(module)),
        ) if variable == VARIABLE:
            return module
    return None


def _import_settings(project: Project) -> None:
    try:
        importlib.import_module(project.settings)
    except ModuleNotFoundError as error:
        if error.name is None or not f"{project.settings}.".startswith(f"{error.name}."):
            raise _settings_raised(project, error) from error
        raise ConfigurationError(
            f"There is no settings module {project.settings!r} (named by {project.source}).",
            f"Looked in {project.folder} and the installed packages: check the name and folder.",
        ) from error
    except (Exception, SystemExit) as error:
        raise _settings_raised(project, error) from error


def _settings_raised(project: Project, error: BaseException) -> ConfigurationError:
    return ConfigurationError(
        f"The settings {project.settings!r} (named by {project.source}) raised {one_line(error)}",
        "Mend the settings; --traceback shows where it happened.",
    )


def _start_django(project: Project) -> None:
    try:
        import django
        from django.apps import apps

        django.setup()
    except ConfigurationError:
        raise
    except (Exception, SystemExit) as error:
        raise ConfigurationError(
            f"Django cannot start with {project.settings!r}: {one_line(error)}",
            "`python manage.py check` has the same trouble; --traceback shows where it happened.",
        ) from error
    if not apps.is_installed("dwatch"):
        raise ConfigurationError(
            f'"dwatch" is not among the INSTALLED_APPS of {project.settings!r}.',
            'Add "dwatch" to INSTALLED_APPS, then run `python manage.py migrate`.',
        )
