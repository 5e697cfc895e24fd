"""From identifiers back to payloads, as refresh, triggers and workers need it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from dwatch.core.definition import overrides
from dwatch.core.evaluate import NamedPayload
from dwatch.core.guard import Failure, attempt

if TYPE_CHECKING:
    from collections.abc import Sequence

    from dwatch.core.check import BaseCheck


def load_payloads(check: BaseCheck, identifiers: Sequence[str]) -> list[NamedPayload]:
    """Return one payload for each identifier: found, gone, or with what loading it raised."""
    kind = type(check)
    if overrides(kind, "get_payloads") or not overrides(kind, "get_payload", "get_identifier"):
        return _load_together(check, identifiers)
    return [_load_one(check, identifier) for identifier in identifiers]


def _load_together(check: BaseCheck, identifiers: Sequence[str]) -> list[NamedPayload]:
    found = attempt(lambda: {str(k): p for k, p in check.get_payloads(identifiers).items()})
    if isinstance(found, Failure):
        return [NamedPayload(identifier, None, found) for identifier in identifiers]
    return [
        NamedPayload(identifier, found.get(identifier), gone=found.get(identifier) is None)
        for identifier in identifiers
    ]


def _load_one(check: BaseCheck, identifier: str) -> NamedPayload:
    payload = attempt(lambda: check.get_payload(identifier))
    if isinstance(payload, Failure):
        # Only the check's own model says "gone": another model's DoesNotExist is a bug.
        missing = getattr(check.model_class, "DoesNotExist", ())
        if issubclass(payload.exception_type, missing):
            return NamedPayload(identifier, None, gone=True)
        return NamedPayload(identifier, None, payload)
    return NamedPayload(identifier, payload, gone=payload is None)
