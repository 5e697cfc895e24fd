"""What the shell may complete; never an error, never a word on the screen."""

from __future__ import annotations

import os
from contextlib import redirect_stderr, redirect_stdout
from pathlib import Path

import typer


def slugs(context: typer.Context, incomplete: str) -> list[tuple[str, str]]:
    """Return the slugs that begin as typed, with their titles."""
    settings = context.find_root().params.get("settings")
    with Path(os.devnull).open("w") as nowhere, redirect_stdout(nowhere), redirect_stderr(nowhere):
        try:
            return _slugs(settings, incomplete)
        except (Exception, SystemExit):  # noqa: BLE001 - a broken project completes nothing
            return []


def _slugs(settings: str | None, incomplete: str) -> list[tuple[str, str]]:
    from dwatch.cli.bootstrap import set_up

    set_up(settings)
    from dwatch.services.listing import list_checks

    found = ((check.slug, check.title) for check in list_checks().checks)
    return [(slug, title) for slug, title in found if slug.startswith(incomplete)]
