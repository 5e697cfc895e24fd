"""The progress display: one line for each check that runs."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rich.console import Console
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    ProgressColumn,
    SpinnerColumn,
    TextColumn,
    TimeElapsedColumn,
    TimeRemainingColumn,
)
from rich.text import Text

from dwatch.report.text import clean, shorten

if TYPE_CHECKING:
    from types import TracebackType
    from typing import Self, TextIO

    from rich.progress import Task, TaskID

    from dwatch.services.requests import CheckRun

_SLUG_WIDTH = 32


class RateColumn(ProgressColumn):
    """Payloads per second of late."""

    def render(self, task: Task) -> Text:
        """Return the rate, blank as long as there is none."""
        return Text(f"{task.speed:,.0f}/s" if task.speed else "", style="progress.data.speed")


class ProgressDisplay:
    """Follows a run on a terminal and leaves nothing behind."""

    wants_totals = True

    def __init__(self, stream: TextIO, *, colour: bool) -> None:
        console = Console(file=stream, no_color=not colour, force_terminal=True, stderr=True)
        self._progress = Progress(
            SpinnerColumn(),
            TextColumn("{task.description}", markup=False),
            BarColumn(),
            MofNCompleteColumn(),
            RateColumn(),
            TimeElapsedColumn(),
            TextColumn("eta"),
            TimeRemainingColumn(),
            TextColumn("{task.fields[problems]}", style="yellow", markup=False),
            console=console,
            transient=True,
        )
        self._tasks: dict[str, TaskID] = {}
        self._problems: dict[str, int] = {}

    def __enter__(self) -> Self:
        self._progress.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._progress.stop()

    def check_started(self, slug: str, title: str, total: int | None) -> None:  # noqa: ARG002
        """Add a line for the check."""
        name = shorten(clean(slug), _SLUG_WIDTH)
        self._problems[slug] = 0
        self._tasks[slug] = self._progress.add_task(name, total=total, problems="")

    def batch_stored(self, slug: str, judged: int, problems: int) -> None:
        """Advance the check's line."""
        self._problems[slug] += problems
        found = self._problems[slug]
        said = f"{found:,} found" if found else ""
        self._progress.update(self._tasks[slug], advance=judged, problems=said)

    def check_finished(self, check: CheckRun) -> None:
        """Take the check's line away; the report will speak of it."""
        task = self._tasks.pop(check.slug, None)
        if task is not None:
            self._progress.remove_task(task)
