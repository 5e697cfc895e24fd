"""Makes of a check and its payloads what can travel to a worker."""

from __future__ import annotations

import pickle
from io import BytesIO
from typing import TYPE_CHECKING, Any

from django.db.models import QuerySet

from dwatch.backends.supervisor import Refused
from dwatch.backends.worker import Order
from dwatch.core.guard import Failure, attempt

if TYPE_CHECKING:
    from dwatch.backends.tray import Slot
    from dwatch.core.check import BaseCheck

_OURS = {"_batch_configs", "_initial_config"}


class CannotTravelError(Exception):
    """The check has to stay in this process; the message says why."""


class Packer:
    """Packs the payloads of one check."""

    def __init__(self, check: BaseCheck, state_id: int | None) -> None:
        self.why_here = ""
        """Why the check's payloads stay in this process, "" if they need not."""
        self._check = check
        self._state_id = state_id
        self._state = b""
        self._class = b""

    def look_at_check(self) -> None:
        """Note what the check's instance remembers by now; raises CannotTravelError.

        generate() may leave there what check() needs.
        """
        self._class = self._class or self._packed_class()
        if not self.why_here:
            remembers = {k: v for k, v in vars(self._check).items() if k not in _OURS}
            state = attempt(_pickled_state, remembers) if remembers else b""
            if isinstance(state, Failure):
                self.keep_here(f"what its instance remembers cannot be pickled ({state.error})")
            else:
                self._state = state
        if self.why_here:
            raise CannotTravelError(self.why_here)

    def _packed_class(self) -> bytes:
        packed = attempt(pickle.dumps, type(self._check))
        if isinstance(packed, Failure):
            self.keep_here("its class is not at the top of a module")
            return b""
        return packed

    def keep_here(self, why: str) -> None:
        """Keep all further payloads in this process."""
        self.why_here = why

    def sort_out(self, slots: list[Slot]) -> tuple[list[Slot], list[Slot]]:
        """Return the slots whose payload can be pickled, and the others."""
        picklable: list[Slot] = []
        others: list[Slot] = []
        for slot in slots:
            fails = isinstance(attempt(_pickled, [slot]), Failure)
            (others if fails else picklable).append(slot)
        return picklable, others

    def pack(self, slots: list[Slot]) -> bytes:
        """Pack payloads; raises Refused."""
        payloads = attempt(_pickled, slots)
        if isinstance(payloads, Failure):
            raise Refused(payloads.error)
        return self._packed(payloads, [])

    def pack_identifiers(self, slots: list[Slot]) -> bytes:
        """Pack the identifiers, for the worker to load the payloads anew."""
        return self._packed(b"", [slot.named.identifier for slot in slots])

    def _packed(self, payloads: bytes, identifiers: list[str]) -> bytes:
        order = Order(self._class, self._state, self._state_id, payloads, identifiers)
        return pickle.dumps(order)


def _pickled_state(remembers: dict[str, Any]) -> bytes:
    file = BytesIO()
    _StatePickler(file, pickle.HIGHEST_PROTOCOL).dump(remembers)
    return file.getvalue()


class _StatePickler(pickle.Pickler):
    """Refuses querysets: to pickle one is to load all its rows."""

    def reducer_override(self, value: Any) -> Any:
        if isinstance(value, QuerySet):
            raise pickle.PicklingError("it holds a queryset")
        return NotImplemented


def _pickled(slots: list[Slot]) -> bytes:
    pairs = [(slot.named.identifier, slot.named.payload) for slot in slots]
    return pickle.dumps(pairs, pickle.HIGHEST_PROTOCOL)
