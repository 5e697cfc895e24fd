"""Fit the columns of a table into a width."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rich.cells import cell_len

if TYPE_CHECKING:
    from dwatch.report.document import Line, Table

GAP = 2
"""Blanks between columns."""
_LEAST = 8
"""A column that may be cut gets no narrower than this."""


def column_widths(table: Table, available: int) -> list[int]:
    """Return a width for each column; the one with most to spare gives first.

    What is essential in a column is cut only when nothing else is left to give.
    """
    indexes = range(len(table.columns))
    room = available - table.indent - GAP * (len(table.columns) - 1)
    widths = [_natural_width(table, index) for index in indexes]
    _shrink(widths, [_floor(table, index, widths[index]) for index in indexes], room)
    _shrink(widths, [_last_floor(table, index, widths[index]) for index in indexes], room)
    return widths


def line_width(line: Line) -> int:
    """Return how many terminal cells a line takes."""
    return sum(cell_len(span.text) for span in line)


def _natural_width(table: Table, index: int) -> int:
    column = table.columns[index]
    lines = (line for row in table.rows for line in row[index].lines)
    widest = max(map(line_width, lines), default=0)
    wanted = widest if column.width is None else min(widest, column.width)
    return max(wanted, cell_len(column.title))


def _floor(table: Table, index: int, width: int) -> int:
    column = table.columns[index]
    if not column.essential:
        return _last_floor(table, index, width)
    first_lines = (row[index].lines[0] for row in table.rows)
    return min(width, max(map(line_width, first_lines), default=0))


def _last_floor(table: Table, index: int, width: int) -> int:
    """Text survives being cut; a number without its end is another number."""
    return width if table.columns[index].align == "right" else min(width, _LEAST)


def _shrink(widths: list[int], floors: list[int], room: int) -> None:
    while (excess := sum(widths) - room) > 0:
        spare = [width - floor for width, floor in zip(widths, floors, strict=True)]
        most = max(spare, default=0)
        if most <= 0:
            return
        giver = spare.index(most)
        second = sorted(spare)[-2] if len(spare) > 1 else 0
        widths[giver] -= min(excess, max(most - second, 1))
