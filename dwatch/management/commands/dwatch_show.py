"""``manage.py dwatch_show``: the same as ``dwatch show``."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from dwatch.cli import commands
from dwatch.management.base import DwatchCommand, add_format, add_status, status

if TYPE_CHECKING:
    from argparse import ArgumentParser

    from dwatch.cli.output import Output


class Command(DwatchCommand):
    """Show stored results."""

    help = "Show the stored results of a check, or all that is known of one."

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Declare the arguments of ``dwatch show``."""
        parser.add_argument("slug")
        parser.add_argument("identifier", nargs="?")
        parser.add_argument("--all", action="store_true", help="vanished results, too")
        parser.add_argument("--unconfirmed", action="store_true", help="may be worse than shown")
        parser.add_argument("--limit", type=int, default=50)
        add_status(parser)
        add_format(parser)

    def execute_command(self, output: Output, options: dict[str, Any]) -> int:
        """Show the results."""
        if options["identifier"] is not None:
            return commands.show_result(options["slug"], options["identifier"], output)
        return commands.show_results(
            options["slug"],
            output,
            status=status(options),
            include_vanished=options["all"],
            unconfirmed=options["unconfirmed"],
            limit=options["limit"],
        )
