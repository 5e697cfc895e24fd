"""Words, glyphs and tones that all reports share."""

from __future__ import annotations

from typing import TYPE_CHECKING

from dwatch.core.status import Status
from dwatch.report.document import Cell, Column, Span, Tone

if TYPE_CHECKING:
    from dwatch.report.document import Line
    from dwatch.services.reports import StatusCounts, UnconfirmedStatus

GLYPHS = {Status.ok: "✔", Status.warning: "!", Status.critical: "✖", Status.unknown: "?"}
TONES = {
    Status.ok: Tone.good,
    Status.warning: Tone.warning,
    Status.critical: Tone.bad,
    Status.unknown: Tone.unsure,
}
_SHORT = {
    Status.critical: "crit",
    Status.warning: "warn",
    Status.unknown: "unkn",
    Status.ok: "ok",
}


def status_line(status: Status | None) -> Line:
    """Return the status as glyph and word; ``-`` if there is none."""
    if status is None:
        return (Span("-", Tone.dim),)
    tone = TONES[status]
    return (Span(f"{GLYPHS[status]} ", tone, plain=""), Span(status.name, tone))


def status_cell(status: Status | None) -> Cell:
    """Return :func:`status_line` as a cell."""
    return Cell((status_line(status),))


def count_columns() -> tuple[Column, ...]:
    """Return one column for each status, worst first."""
    return tuple(Column(_SHORT[status], align="right") for status in Status.by_severity())


def count_cells(counts: StatusCounts) -> tuple[Cell, ...]:
    """Return the cells for :func:`count_columns`."""
    return tuple(
        number_cell(getattr(counts, status.name), TONES[status]) for status in Status.by_severity()
    )


def number_cell(number: int, tone: Tone = Tone.normal) -> Cell:
    """Return a number that stands out only when there is something to see."""
    return Cell.of(f"{number:,}", tone if number else Tone.dim)


def counts_cell(counts: StatusCounts) -> Cell:
    """Return what occurs in one cell, worst first: glyphs, or words in plain text."""
    spans: list[Span] = []
    for status in Status.by_severity():
        number = getattr(counts, status.name)
        if number:
            gap = "  " if spans else ""
            shown, said = f"{gap}{GLYPHS[status]} {number:,}", f"{gap}{number:,} {status.name}"
            spans.append(Span(shown, TONES[status], plain=said))
    return Cell((tuple(spans or [Span("-", Tone.dim)]),))


def counts_in_words(counts: StatusCounts) -> str:
    """Return what occurs, worst first, as in ``2 critical, 118 ok``."""
    named = [(getattr(counts, status.name), status.name) for status in Status.by_severity()]
    return ", ".join(f"{number:,} {name}" for number, name in named if number) or "no results"


def unconfirmed_in_words(unconfirmed: UnconfirmedStatus) -> str:
    """Return the worse status that is not shown yet, as in ``critical in 2 of 3 runs``."""
    status, runs, needed = unconfirmed.status.name, unconfirmed.runs, unconfirmed.confirm_after
    if runs < needed:
        return f"{status} in {runs} of {needed} runs"
    return f"{status} in {quantity(runs, 'run')}; the next one shows it"


def quantity(number: int, singular: str, plural: str = "") -> str:
    """Return the number with its noun, as in ``1 check`` or ``3 checks``."""
    noun = singular if number == 1 else plural or f"{singular}s"
    return f"{number:,} {noun}"
