"""What all ``manage.py dwatch_...`` commands share."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any

from django.core.management.base import BaseCommand, CommandError

from dwatch.cli.explain import explain
from dwatch.cli.options import FailOn, OutputFormat, StatusName
from dwatch.cli.output import Output
from dwatch.services.requests import Selection

if TYPE_CHECKING:
    from argparse import ArgumentParser
    from collections.abc import Sequence


class DwatchCommand(BaseCommand):
    """Calls :meth:`execute_command` and turns its outcome into Django's terms.

    Exits with the codes of ``dwatch``: ``sys.exit`` for the gate and the like,
    as Django's ``test`` command does; CommandError with ``returncode`` for
    errors, so that ``call_command`` can be caught.
    """

    # A definition that the system checks refuse would end in 1, the gate's code;
    # the services find and name such mistakes themselves.
    requires_system_checks: Sequence[str] = []

    def execute_command(self, output: Output, options: dict[str, Any]) -> int:
        """Do the command's work and return the exit code."""
        raise NotImplementedError

    def handle(self, *args: Any, **options: Any) -> None:  # noqa: ANN401, ARG002 - Django's signature
        """Run the command; raises CommandError or SystemExit unless all is fine."""
        try:
            code = self.execute_command(self._output(options), options)
        except Exception as error:
            if options["traceback"]:
                raise
            said = explain(error)
            text = f"{said.message}\n{said.hint}".rstrip()
            raise CommandError(text, returncode=said.code) from error
        if code:
            sys.exit(code)

    def _output(self, options: dict[str, Any]) -> Output:
        form = OutputFormat(options["format"]) if options["format"] else None
        return Output.to(
            self.stdout,
            self.stderr,
            form,
            quiet=bool(options.get("quiet")),
            colour=not options["no_color"],
        )


def add_format(parser: ArgumentParser) -> None:
    """Add ``--format``."""
    parser.add_argument(
        "--format",
        choices=[str(form) for form in OutputFormat],
        help="default: table on a terminal, else plain",
    )


def add_selection(parser: ArgumentParser) -> None:
    """Add the options that :func:`selection` reads."""
    for option, metavar, text in (
        ("--slug", "GLOB", "only checks whose slug matches; may be repeated"),
        ("--exclude", "GLOB", "not the checks whose slug matches; may be repeated"),
        ("--tag", "TAG", "only checks with this tag; may be repeated"),
    ):
        parser.add_argument(option, metavar=metavar, action="append", default=[], help=text)


def selection(options: dict[str, Any]) -> Selection:
    """Return which checks the options mean."""
    return Selection(tuple(options["slug"]), tuple(options["exclude"]), tuple(options["tag"]))


def add_status(parser: ArgumentParser) -> None:
    """Add ``--status``."""
    parser.add_argument("--status", type=StatusName, choices=list(StatusName))


def add_run_options(parser: ArgumentParser) -> None:
    """Add what ``dwatch_run`` and ``dwatch_refresh`` have in common."""
    add_selection(parser)
    add_format(parser)
    parser.add_argument("--fail-on", type=FailOn, choices=list(FailOn), default=FailOn.critical)
    parser.add_argument("--durations", metavar="N", type=int, default=0)
    parser.add_argument("--quiet", action="store_true", help="print problems only")
