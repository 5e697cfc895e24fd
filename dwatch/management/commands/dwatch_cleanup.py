"""``manage.py dwatch_cleanup``: the same as ``dwatch cleanup``."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from dwatch.cli import commands
from dwatch.cli.options import parse_age
from dwatch.management.base import DwatchCommand, add_format
from dwatch.services.requests import CleanupRequest

if TYPE_CHECKING:
    from argparse import ArgumentParser

    from dwatch.cli.output import Output


class Command(DwatchCommand):
    """Delete what is left over."""

    help = "Delete what removed checks left behind, and what is old."

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Declare the options of ``dwatch cleanup``."""
        parser.add_argument("--dry-run", action="store_true", help="delete nothing")
        for option, default in (
            ("--vanished-for", "30d"),
            ("--history-older-than", "365d"),
            ("--runs-older-than", "90d"),
        ):
            parser.add_argument(option, metavar="AGE", default=default, help="12h, 30d, 2w, never")
        add_format(parser)

    def execute_command(self, output: Output, options: dict[str, Any]) -> int:
        """Delete, or say what would be deleted."""
        request = CleanupRequest(
            options["dry_run"],
            parse_age(options["vanished_for"]),
            parse_age(options["history_older_than"]),
            parse_age(options["runs_older_than"]),
        )
        return commands.clean_up(request, output)
