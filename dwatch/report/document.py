"""What a report says, before it is decided how it looks."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Literal


class Tone(StrEnum):
    """What a piece of text means; the renderer picks the colour."""

    normal = "normal"
    dim = "dim"
    strong = "strong"
    good = "good"
    warning = "warning"
    bad = "bad"
    unsure = "unsure"


@dataclass(frozen=True, slots=True)
class Span:
    """A piece of text with one meaning."""

    text: str
    tone: Tone = Tone.normal
    ornament: bool = False
    """A glyph that only repeats what the words say; plain text leaves it out."""


Line = tuple[Span, ...]


@dataclass(frozen=True, slots=True)
class Cell:
    """One cell of a table: its lines, top to bottom."""

    lines: tuple[Line, ...] = ((),)

    @classmethod
    def of(cls, text: object, tone: Tone = Tone.normal, below: str = "") -> Cell:
        """Build from one text, with an optional dim line below it."""
        first: Line = (Span(str(text), tone),)
        return cls((first, (Span(below, Tone.dim),)) if below else (first,))

    @classmethod
    def block(cls, text: str, tone: Tone = Tone.normal) -> Cell:
        """Build from a text whose line breaks and indentation are meant."""
        return cls(tuple((Span(line, tone),) for line in text.splitlines()) or ((),))


@dataclass(frozen=True, slots=True)
class Column:
    """One column of a table."""

    title: str = ""
    align: Literal["left", "right"] = "left"
    essential: bool = False
    """Never cut short: a text that people copy, such as a slug."""
    width: int | None = None
    """Most characters to show of a cell; None for no limit in plain text."""
    wrap: bool = False
    """Whether long text continues on the next line instead of being cut."""


@dataclass(frozen=True, slots=True)
class Table:
    """Rows under columns; without any title there is no header."""

    columns: tuple[Column, ...]
    rows: tuple[tuple[Cell, ...], ...]
    indent: int = 0

    @property
    def has_header(self) -> bool:
        """Whether any column has a title."""
        return any(column.title for column in self.columns)


@dataclass(frozen=True, slots=True)
class Paragraph:
    """Lines of prose."""

    lines: tuple[Line, ...]

    @classmethod
    def of(cls, text: str, tone: Tone = Tone.normal) -> Paragraph:
        """Build from one sentence."""
        return cls(((Span(text, tone),),))


Block = Table | Paragraph


@dataclass(frozen=True, slots=True)
class Document:
    """Blocks in reading order, an empty line between them."""

    blocks: tuple[Block, ...] = ()
