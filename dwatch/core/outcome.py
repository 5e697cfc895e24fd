"""What the engine makes of one payload; the only thing that crosses processes."""

from __future__ import annotations

from enum import StrEnum
from hashlib import blake2b
from struct import Struct
from typing import TYPE_CHECKING, NamedTuple

from dwatch.core.status import Status

if TYPE_CHECKING:
    from datetime import datetime


class Disposition(StrEnum):
    """Whether there is a verdict at all."""

    judged = "judged"
    skipped = "skipped"
    """The author raised SkipCheck: the payload has no result for now."""
    gone = "gone"
    """The payload does not exist any more."""


class Outcome(NamedTuple):
    """One payload's verdict, made of text and numbers only.

    A named tuple and not a dataclass: millions are made, and it is frozen,
    picklable and three times as fast to build.
    """

    identifier: str
    status: Status = Status.unknown
    description: str = ""
    data: str = "{}"
    """JSON text, bounded (see :mod:`dwatch.core.encoding`)."""
    error: str = ""
    """What the author's code raised, in one line; "" if nothing."""
    traceback: str = ""
    users: tuple[int | str, ...] = ()
    """Primary keys of the assigned users, sorted."""
    groups: tuple[int | str, ...] = ()
    disposition: Disposition = Disposition.judged

    def digest(self) -> int:
        """Return 64 bits (signed) that change whenever anything that is stored changes."""
        _, status, description, data, error, _, users, groups, _ = self
        if error or users or groups:
            text = repr(self[1:])
        else:
            text = f"{_NUMBERS[status]}\0{description}\0{data}"
        number: int = _signed(blake2b(text.encode(), digest_size=8).digest())[0]
        return number


_NUMBERS = {status: str(int(status)) for status in Status}
_signed = Struct(">q").unpack


class OutcomeBatch(NamedTuple):
    """Outcomes that are stored in one transaction.

    No payload was loaded before ``loaded_at``: what was judged from a copy loaded
    later wins over these.
    """

    outcomes: list[Outcome]
    loaded_at: datetime
