"""Where and how a command shows its report."""

from __future__ import annotations

import os
import shutil
from contextlib import contextmanager, nullcontext, redirect_stdout
from dataclasses import dataclass
from typing import TYPE_CHECKING

from dwatch.cli.options import OutputFormat
from dwatch.cli.streams import write

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from typing import TextIO

    from dwatch.report.document import Document
    from dwatch.services.requests import Observer

_WIDTH_WITHOUT_TERMINAL = 120
_NARROWEST = 40


@dataclass(frozen=True, slots=True)
class Output:
    """Streams, format and manners of one command."""

    stdout: TextIO
    stderr: TextIO
    format: OutputFormat
    quiet: bool = False
    colour: bool = False

    @classmethod
    def to(
        cls,
        stdout: TextIO,
        stderr: TextIO,
        form: OutputFormat | None = None,
        *,
        quiet: bool = False,
        colour: bool = True,
    ) -> Output:
        """Choose the format that suits the stream, unless one was asked for."""
        terminal = stdout.isatty()
        chosen = form or (OutputFormat.table if terminal else OutputFormat.plain)
        return cls(stdout, stderr, chosen, quiet, colour and terminal and _colours_are_welcome())

    def show(self, document: Callable[[], Document], encoded: Callable[[], str]) -> None:
        """Write the report in the chosen format."""
        match self.format:
            case OutputFormat.json:
                text = encoded()
            case OutputFormat.plain:
                from dwatch.report import plain

                text = plain.render(document())
            case OutputFormat.table:
                from dwatch.report import terminal

                text = terminal.render(document(), width=_width(), colour=self.colour)
        write(self.stdout, text)

    @contextmanager
    def working(self) -> Iterator[Observer | None]:
        """Show progress on a terminal while a service works.

        What authors' code prints would spoil machine-readable output: it goes
        to standard error then.
        """
        aside = redirect_stdout(self.stderr) if self.format is OutputFormat.json else nullcontext()
        with aside, self._progress() as observer:
            yield observer

    @contextmanager
    def _progress(self) -> Iterator[Observer | None]:
        if self.quiet or not self.stderr.isatty():
            yield None
            return
        from dwatch.cli.progress import ProgressDisplay

        with ProgressDisplay(self.stderr, colour=_colours_are_welcome()) as display:
            yield display


def _colours_are_welcome() -> bool:
    # https://no-color.org: present and not empty, whatever its value.
    return not os.environ.get("NO_COLOR") and os.environ.get("TERM") != "dumb"


def _width() -> int:
    columns = shutil.get_terminal_size((_WIDTH_WITHOUT_TERMINAL, 24)).columns
    return max(columns, _NARROWEST)
