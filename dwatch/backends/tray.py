"""A batch of payloads on its way, with room for an outcome beside each."""

from __future__ import annotations

from typing import TYPE_CHECKING

from dwatch.core.evaluate import MAX_DESCRIPTION_LENGTH
from dwatch.core.outcome import Outcome, OutcomeBatch
from dwatch.core.status import Status

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import datetime

    from dwatch.core.evaluate import NamedPayload


class Slot:
    """One payload and, once it is judged, its outcome."""

    __slots__ = ("named", "outcome")

    def __init__(self, named: NamedPayload) -> None:
        self.named = named
        # Of a payload that the database has judged the outcome is there already.
        self.outcome: Outcome | None = named.payload if type(named.payload) is Outcome else None

    @property
    def is_settled(self) -> bool:
        """Whether it takes no author's code any more to say what becomes of it."""
        return self.outcome is not None or self.named.failure is not None or self.named.gone

    def blame(self, error: str) -> None:
        """Let it be unknown, for something that happened to its worker."""
        identifier = self.named.identifier
        # No word from the author's code: it might do the same to this process.
        description = identifier[:MAX_DESCRIPTION_LENGTH]
        self.outcome = Outcome(identifier, Status.unknown, description, error=error)


class Tray:
    """The payloads of one batch, in order."""

    def __init__(self, payloads: list[NamedPayload], loaded_at: datetime) -> None:
        self.loaded_at = loaded_at
        self.slots = [Slot(named) for named in payloads]

    @property
    def complete(self) -> bool:
        """Whether every payload that is still in it has its outcome."""
        return all(slot.outcome is not None for slot in self.slots)

    def handed_over(self) -> Iterator[OutcomeBatch]:
        """Take out the outcomes there are; yields nothing if there are none."""
        outcomes = [slot.outcome for slot in self.slots if slot.outcome is not None]
        self.slots = [slot for slot in self.slots if slot.outcome is None]
        if outcomes:
            yield OutcomeBatch(outcomes, self.loaded_at)
