"""The four statuses a payload can have."""

from __future__ import annotations

from enum import IntEnum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable


class Status(IntEnum):
    """The verdict on one payload.

    The numbers are those of django-datawatch and are what the database holds;
    they are not an order. Use :attr:`severity` to compare.
    """

    unknown = 0
    ok = 1
    warning = 2
    critical = 3

    @property
    def severity(self) -> int:
        """Rank for sorting and gating: ok 0, unknown 1, warning 2, critical 3."""
        return _SEVERITY[self]

    @property
    def is_problem(self) -> bool:
        """Whether somebody should look: everything but ok, unknown included."""
        return self is not Status.ok

    @classmethod
    def worst(cls, statuses: Iterable[Status]) -> Status | None:
        """Return the most severe of the statuses, or None if there are none."""
        return max(statuses, key=_SEVERITY.__getitem__, default=None)

    @classmethod
    def by_severity(cls) -> list[Status]:
        """Return all statuses, most severe first."""
        return sorted(cls, key=_SEVERITY.__getitem__, reverse=True)


_SEVERITY = {Status.ok: 0, Status.unknown: 1, Status.warning: 2, Status.critical: 3}
