"""Render a document for a terminal: aligned, cut to its width, in colour."""

from __future__ import annotations

from io import StringIO
from typing import TYPE_CHECKING

from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.padding import Padding
from rich.table import Table as RichTable
from rich.text import Text

from dwatch.report.document import Table, Tone
from dwatch.report.layout import GAP, column_widths
from dwatch.report.text import clean_line, shorten

if TYPE_CHECKING:
    from rich.console import RenderableType

    from dwatch.report.document import Block, Cell, Column, Document, Line, Span

STYLES = {
    Tone.normal: "",
    Tone.dim: "dim",
    Tone.strong: "bold",
    Tone.good: "green",
    Tone.warning: "yellow",
    Tone.bad: "bold red",
    Tone.unsure: "magenta",
}
"""Only the terminal's own sixteen colours, so that its theme decides."""


def render(document: Document, *, width: int, colour: bool) -> str:
    """Return the document as text for a terminal ``width`` cells wide."""
    buffer = StringIO()
    console = Console(
        file=buffer,
        width=width,
        force_terminal=colour,
        color_system="standard" if colour else None,
        no_color=not colour,
        legacy_windows=False,
        highlight=False,
    )
    for index, block in enumerate(document.blocks):
        if index:
            console.print()
        console.print(_renderable(block, width), soft_wrap=not isinstance(block, Table))
    return _without_trailing_blanks(buffer.getvalue())


def _renderable(block: Block, width: int) -> RenderableType:
    if isinstance(block, Table):
        return _table(block, width)
    return Text("\n").join([_text(line) for line in block.lines])


def _table(table: Table, width: int) -> RenderableType:
    widths = column_widths(table, width)
    grid = RichTable(
        box=SIMPLE_HEAD if table.has_header else None,
        show_header=table.has_header,
        show_edge=False,
        pad_edge=False,
        padding=(0, GAP // 2) if table.has_header else (0, GAP, 0, 0),
        header_style="bold",
        border_style="dim",
    )
    for column, room in zip(table.columns, widths, strict=True):
        grid.add_column(
            Text(column.title),
            justify=column.align,
            width=room,
            no_wrap=not column.wrap,
            overflow="fold" if column.wrap else "ellipsis",
        )
    for row in table.rows:
        cells = zip(row, table.columns, widths, strict=True)
        grid.add_row(*(_cell(cell, column, room) for cell, column, room in cells))
    return Padding(grid, (0, 0, 0, table.indent)) if table.indent else grid


def _cell(cell: Cell, column: Column, room: int) -> Text:
    limit = None if column.wrap else min(room, column.width or room)
    return Text("\n").join([_text(line, limit) for line in cell.lines])


def _text(line: Line, limit: int | None = None) -> Text:
    """Style the spans of a line; never as markup, so nothing needs escaping."""
    text = Text()
    left = limit
    for span in line:
        shown = _shown(span, left)
        text.append(shown, STYLES[span.tone])
        left = None if left is None else left - Text(shown).cell_len
    return text


def _shown(span: Span, limit: int | None) -> str:
    plain = clean_line(span.text)
    if limit is None:
        return plain
    return shorten(plain, limit) if limit > 0 else ""


def _without_trailing_blanks(text: str) -> str:
    return "".join(f"{line.rstrip()}\n" for line in text.splitlines())
