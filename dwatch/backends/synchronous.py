"""Evaluates in this process, one batch after the other."""

from __future__ import annotations

from typing import TYPE_CHECKING

from dwatch.work import evaluate_batch

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from datetime import datetime

    from dwatch.core.check import BaseCheck
    from dwatch.core.evaluate import NamedPayload
    from dwatch.core.interrupt import StopRequest
    from dwatch.core.outcome import OutcomeBatch


def evaluate_batches(
    check: BaseCheck,
    batches: Iterable[tuple[list[NamedPayload], datetime]],
    *,
    state_id: int | None,
    stop: StopRequest,
) -> Iterator[OutcomeBatch]:
    """Yield the outcomes of each batch (payloads, and when they were loaded), in order."""
    for payloads, loaded_at in batches:
        yield from evaluate_batch(
            check, payloads, loaded_at=loaded_at, state_id=state_id, stop=stop
        )
        if stop:
            return
