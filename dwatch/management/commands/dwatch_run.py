"""``manage.py dwatch_run``: the same as ``dwatch run``."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from dwatch.cli import commands
from dwatch.management.base import DwatchCommand, add_run_options, gate, selection, workers
from dwatch.services.requests import RunRequest

if TYPE_CHECKING:
    from argparse import ArgumentParser

    from dwatch.cli.output import Output


class Command(DwatchCommand):
    """Run the checks that are due."""

    help = "Run the checks that are due, and show what they found."

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Declare the options of ``dwatch run``."""
        add_run_options(parser)
        parser.add_argument("--force", action="store_true", help="run checks not due, too")
        parser.add_argument("--dry-run", action="store_true", help="store nothing")
        parser.add_argument("-x", "--stop-early", action="store_true", help="end at a failure")

    def execute_command(self, output: Output, options: dict[str, Any]) -> int:
        """Run the checks."""
        request = RunRequest(
            selection(options),
            force=options["force"],
            dry_run=options["dry_run"],
            stop_early=options["stop_early"],
            fail_on=gate(options),
            workers=workers(options),
        )
        return commands.run(request, output, durations=options["durations"])
