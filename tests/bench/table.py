"""Markdown tables."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence


def table(headings: tuple[str, ...], rows: Sequence[tuple[str, ...]]) -> str:
    """Return a Markdown table; a column that holds a figure is set to the right."""
    widths = [max(map(len, column)) for column in zip(headings, *rows, strict=True)]
    figures = [any(map(_is_figure, column)) for column in zip(*rows, strict=True)]
    figures = figures or [False] * len(headings)
    ruler = tuple("-" * width for width in widths)
    return "\n".join(_line(cells, widths, figures) for cells in (headings, ruler, *rows))


def _is_figure(text: str) -> bool:
    return text[:1].isdigit()


def _line(cells: tuple[str, ...], widths: list[int], figures: list[bool]) -> str:
    columns = zip(cells, widths, figures, strict=True)
    padded = [cell.rjust(room) if right else cell.ljust(room) for cell, room, right in columns]
    return f"| {' | '.join(padded)} |"
