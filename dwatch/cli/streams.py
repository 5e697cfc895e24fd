"""Standard output and error as they come: closed early, narrow, or in ASCII."""

from __future__ import annotations

import os
import sys
from io import TextIOWrapper
from typing import TYPE_CHECKING

from dwatch.exceptions import DwatchError

if TYPE_CHECKING:
    from typing import TextIO

STDOUT, STDERR = 1, 2


def open_missing() -> None:
    """Let the output of a process that was started without one (``>&-``) go nowhere.

    Else the next file that is opened, such as a database, would be its standard output.
    """
    if sys.stdout is not None and sys.stderr is not None:
        return
    while (number := os.open(os.devnull, os.O_RDWR)) <= STDERR:
        os.set_inheritable(number, True)  # it has taken the place of one that was missing
    os.close(number)
    sys.stdout = sys.stdout or open(STDOUT, "w", closefd=False)  # noqa: SIM115 - to the very end
    sys.stderr = sys.stderr or open(STDERR, "w", closefd=False)  # noqa: SIM115


def accept_any_text() -> None:
    """Let a stream that cannot encode a character show ``?`` instead of raising."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, TextIOWrapper):
            stream.reconfigure(errors="replace")


def write(stream: TextIO, text: str) -> None:
    """Write the text; a reader that went away (``| head``) is no error.

    Raises DwatchError if it cannot be written, for instance to a full disk.
    """
    if not text:
        return
    try:
        stream.write(text)
        stream.flush()
    except BrokenPipeError:
        _discard(stream)
    except OSError as error:
        _discard(stream)
        raise DwatchError(f"The output cannot be written: {error.strerror}.") from error


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
