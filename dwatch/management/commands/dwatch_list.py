"""``manage.py dwatch_list``: the same as ``dwatch list``."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from dwatch.cli import commands
from dwatch.management.base import DwatchCommand, add_format, add_selection, selection

if TYPE_CHECKING:
    from argparse import ArgumentParser

    from dwatch.cli.output import Output


class Command(DwatchCommand):
    """List the registered checks."""

    help = "List the checks: schedule, last run, next run, results."

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Declare the options of ``dwatch list``."""
        add_selection(parser)
        add_format(parser)

    def execute_command(self, output: Output, options: dict[str, Any]) -> int:
        """List the checks."""
        return commands.list_checks(selection(options), output)
