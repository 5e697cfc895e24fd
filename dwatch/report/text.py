"""Make text from checks, payloads and databases safe to show."""

from __future__ import annotations

import re
import unicodedata

from rich.cells import cell_len

ELLIPSIS = "…"
LONGEST = 10_000
"""Characters of one text that are looked at; nobody reads more in a table."""

_ESCAPE_SEQUENCE = re.compile(
    r"\x1b\[[0-?]*[ -/]*[@-~]"  # CSI: colours, cursor movement
    r"|\x1b[\]PX^_].*?(?:\x07|\x1b\\|$)"  # OSC and other strings: titles, links
    r"|\x1b[ -/]*[0-~]?"
    r"|\x9b[0-?]*[ -/]*[@-~]",
    re.DOTALL,
)
_JOINERS = "\u200c\u200d"
"""Format characters that scripts and emoji need; all others can deceive."""


def clean(text: str) -> str:
    """Return the text as one line without anything that steers a terminal.

    Escape sequences, control characters and bidirectional overrides go; line
    breaks and runs of blanks become one blank; lone surrogates become U+FFFD.
    """
    return " ".join(_without_controls(text[:LONGEST]).split())


def clean_line(text: str) -> str:
    """Like :func:`clean`, but keep blanks as they are, for indented text."""
    return _without_controls(text[:LONGEST].replace("\t", "    "))


def shorten(text: str, width: int) -> str:
    """Cut the text to ``width`` terminal cells, ending in an ellipsis if cut."""
    # A combining mark takes no cell: bound the characters as well.
    candidate = text[: width * 4]
    if candidate == text and cell_len(text) <= width:
        return text
    kept = ""
    used = 0
    for character in candidate:
        used += cell_len(character)
        if used > width - 1:
            break
        kept += character
    return kept.rstrip() + ELLIPSIS


def _without_controls(text: str) -> str:
    return "".join(map(_harmless, _ESCAPE_SEQUENCE.sub("", text)))


def _harmless(character: str) -> str:
    if " " <= character <= "~":
        return character
    match unicodedata.category(character):
        case "Cc":
            return " " if character.isspace() else ""
        case "Zl" | "Zp":
            return " "
        case "Cf":
            return character if character in _JOINERS else ""
        case "Cs":
            return "\ufffd"
    return character
