"""Standard output and error as they come: closed early, narrow, or in ASCII."""

from __future__ import annotations

import os
import sys
from io import TextIOWrapper
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from typing import TextIO


def accept_any_text() -> None:
    """Let a stream that cannot encode a character show ``?`` instead of raising."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, TextIOWrapper):
            stream.reconfigure(errors="replace")


def write(stream: TextIO, text: str) -> None:
    """Write the text; a reader that went away (``| head``) is no error."""
    if not text:
        return
    try:
        stream.write(text)
        stream.flush()
    except BrokenPipeError:
        _discard(stream)


def discard_if_closed(stream: TextIO) -> None:
    """Flush; if the reader is gone, spare the interpreter from noticing at its end."""
    try:
        stream.flush()
    except OSError:
        _discard(stream)


def _discard(stream: TextIO) -> None:
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, stream.fileno())
    os.close(nowhere)
