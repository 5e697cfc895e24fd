"""``manage.py dwatch_refresh``: the same as ``dwatch refresh``."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from dwatch.cli import commands
from dwatch.management.base import (
    DwatchCommand,
    add_run_options,
    add_status,
    gate,
    selection,
    status,
    texts,
    workers,
)
from dwatch.services.requests import RefreshRequest

if TYPE_CHECKING:
    from argparse import ArgumentParser

    from dwatch.cli.output import Output


class Command(DwatchCommand):
    """Judge existing results anew."""

    help = "Judge the payloads of existing results anew."

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Declare the options of ``dwatch refresh``."""
        add_run_options(parser)
        add_status(parser)
        parser.add_argument("--identifier", metavar="ID", action="append", default=[])

    def execute_command(self, output: Output, options: dict[str, Any]) -> int:
        """Refresh the results."""
        request = RefreshRequest(
            selection(options),
            texts(options["identifier"]),
            status(options),
            workers(options),
        )
        return commands.refresh(
            request,
            output,
            fail_on=gate(options),
            durations=options["durations"],
        )
