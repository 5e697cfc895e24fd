"""Render a document as plain text: for pipes, log files and cron's mail.

No colour codes and no glyphs that only decorate. Tables are made by tabulate.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from tabulate import tabulate

from dwatch.report.document import Table
from dwatch.report.text import clean_line, shorten

if TYPE_CHECKING:
    from dwatch.report.document import Block, Cell, Column, Document, Line


def render(document: Document) -> str:
    """Return the document as plain text, ending in a line break unless empty."""
    return "\n".join(f"{_block(block)}\n" for block in document.blocks)


def _block(block: Block) -> str:
    if isinstance(block, Table):
        return _table(block)
    return "\n".join(_line(line) for line in block.lines)


def _table(table: Table) -> str:
    rows = [
        [_cell(cell, column) for cell, column in zip(row, table.columns, strict=True)]
        for row in table.rows
    ]
    text = tabulate(
        rows,
        headers=[column.title for column in table.columns] if table.has_header else (),
        tablefmt="simple" if table.has_header else "plain",
        colalign=[column.align for column in table.columns] if rows else None,
        disable_numparse=True,
        preserve_whitespace=True,
    )
    margin = " " * table.indent
    return "\n".join(f"{margin}{line}".rstrip() for line in text.splitlines())


def _cell(cell: Cell, column: Column) -> str:
    lines = (_line(line) for line in cell.lines)
    return "\n".join(shorten(line, column.width) if column.width else line for line in lines)


def _line(line: Line) -> str:
    return clean_line("".join(span.text for span in line if not span.ornament)).rstrip()
