"""What all ``manage.py dwatch_...`` commands share."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any, Literal, TypeVar, cast

from django.core.management.base import BaseCommand, CommandError

from dwatch.cli.explain import explain
from dwatch.cli.options import FailOn, OutputFormat, StatusName, parse_workers
from dwatch.cli.output import Output
from dwatch.exceptions import UsageError
from dwatch.services.requests import Selection

if TYPE_CHECKING:
    from argparse import ArgumentParser
    from collections.abc import Iterable
    from typing import TextIO

    from django.core.management.base import OutputWrapper

    from dwatch.core.status import Status


Name = TypeVar("Name", FailOn, OutputFormat, StatusName)


class DwatchCommand(BaseCommand):
    """Calls :meth:`execute_command` and turns its outcome into Django's terms.

    Exits with the codes of ``dwatch``: ``sys.exit`` for the gate and the like,
    as Django's ``test`` command does; CommandError with ``returncode`` for
    errors, so that ``call_command`` can be caught.
    """

    # A definition that the system checks refuse would end in 1, the gate's code;
    # the services find and name such mistakes themselves.
    requires_system_checks = ()

    def execute_command(self, output: Output, options: dict[str, Any]) -> int:
        """Do the command's work and return the exit code."""
        raise NotImplementedError

    def handle(self, *args: Any, **options: Any) -> None:  # noqa: ARG002 - Django's signature
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
        form = _chosen(OutputFormat, options["format"]) if options["format"] else None
        return Output.to(
            _beneath(self.stdout),
            _beneath(self.stderr),
            form,
            quiet=bool(options.get("quiet")),
            colour=not options["no_color"],
        )


def _beneath(wrapper: OutputWrapper) -> TextIO:
    """Return the stream itself: the wrapper would end each write with a line break."""
    return cast("TextIO", wrapper._out)  # noqa: SLF001 - the wrapper has no public name for it


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
    return Selection(*(texts(options[name]) for name in ("slug", "exclude", "tag")))


def texts(given: str | Iterable[str]) -> tuple[str, ...]:
    """Return what a repeatable option holds; ``call_command`` may hand in a single text."""
    return (given,) if isinstance(given, str) else tuple(given)


def add_status(parser: ArgumentParser) -> None:
    """Add ``--status``."""
    parser.add_argument("--status", choices=[str(name) for name in StatusName])


def status(options: dict[str, Any]) -> Status | None:
    """Return which status is meant, None for all; raises UsageError."""
    given = options["status"]
    return None if given is None else _chosen(StatusName, given).status


def gate(options: dict[str, Any]) -> Status | None:
    """Return the gate's threshold; raises UsageError."""
    return _chosen(FailOn, options["fail_on"]).status


def _chosen(names: type[Name], given: str) -> Name:
    """Read a value that, coming from ``call_command``, argparse has not looked at."""
    try:
        return names(given)
    except ValueError:
        choices = ", ".join(names)
        raise UsageError(f"{given!r} is not a choice.", f"Choose from {choices}.") from None


def add_run_options(parser: ArgumentParser) -> None:
    """Add what ``dwatch_run`` and ``dwatch_refresh`` have in common."""
    add_selection(parser)
    add_format(parser)
    parser.add_argument(
        "--fail-on",
        choices=[str(name) for name in FailOn],
        default=str(FailOn.critical),
        help="exit with 1 if a payload judged now is this bad or worse (default: critical)",
    )
    parser.add_argument("--durations", metavar="N", type=int, default=0)
    parser.add_argument("--quiet", action="store_true", help="print problems only")
    parser.add_argument(
        "--workers", metavar="N|auto", help="judge in so many processes; auto: one per core"
    )


def workers(options: dict[str, Any]) -> int | Literal["auto"] | None:
    """Return how many workers are wanted, None for as many as the settings say."""
    given = options["workers"]
    return None if given is None else parse_workers(str(given))
