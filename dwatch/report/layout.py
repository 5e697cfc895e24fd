"""Fit the columns of a table into a width."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rich.cells import cell_len

if TYPE_CHECKING:
    from dwatch.report.document import Cell, Column, Line, Table

GAP = 2
"""Blanks between columns."""
_LEAST = 10
"""A cut column never gets narrower than this while others can still give."""


def column_widths(table: Table, available: int) -> list[int]:
    """Return a width for each column; the widest ones that may be cut give first."""
    room = available - table.indent - GAP * (len(table.columns) - 1)
    widths = [min(_natural_width(table, index), room) for index in range(len(table.columns))]
    for givers in (_columns(table, essential=False), _columns(table, essential=True)):
        _shrink(widths, givers, room)
    return widths


def line_width(line: Line) -> int:
    """Return how many terminal cells a line takes."""
    return sum(cell_len(span.text) for span in line)


def _natural_width(table: Table, index: int) -> int:
    column = table.columns[index]
    cells = max((_cell_width(row[index]) for row in table.rows), default=0)
    wanted = cells if column.width is None else min(cells, column.width)
    return max(wanted, cell_len(column.title))


def _cell_width(cell: Cell) -> int:
    return max(map(line_width, cell.lines), default=0)


def _columns(table: Table, *, essential: bool) -> list[int]:
    return [
        index
        for index, column in enumerate(table.columns)
        if column.essential is essential and _can_be_cut(column)
    ]


def _can_be_cut(column: Column) -> bool:
    """Text survives being cut; a number without its end is another number."""
    return column.align == "left"


def _shrink(widths: list[int], givers: list[int], room: int) -> None:
    while sum(widths) > room:
        widest = max(givers, key=widths.__getitem__, default=None)
        if widest is None or widths[widest] <= _LEAST:
            return
        widths[widest] -= 1
