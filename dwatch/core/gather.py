"""Joins batches of outcomes into larger ones: each transaction costs some milliseconds."""

from __future__ import annotations

import time
from operator import attrgetter
from typing import TYPE_CHECKING

from dwatch.core.interrupt import Interrupted

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from dwatch.core.outcome import OutcomeBatch

MAX_CHARACTERS = 8_000_000
"""Of data and tracebacks held at a time, so that large ones do not fill the memory."""
MAX_SECONDS = 2.0
"""What was judged is handed on this soon, so that little is lost by a crash."""

_data, _traceback = attrgetter("data"), attrgetter("traceback")


def gather(batches: Iterable[OutcomeBatch], most: int) -> Iterator[OutcomeBatch]:
    """Yield the outcomes in batches of up to ``most``; larger ones come through as they are.

    Only what was loaded at the same moment is joined. What comes slowly is handed on
    rather than held: as soon as another batch that takes as long would be too late.
    Whatever ends ``batches``, an interruption included, what is held comes first.
    """
    held: OutcomeBatch | None = None
    characters = 0
    began = came = time.monotonic()
    try:
        for batch in batches:
            now = time.monotonic()
            more = _characters(batch)
            if held is None or not _fit(held, batch, most) or characters + more > MAX_CHARACTERS:
                if held is not None:
                    yield held
                held, characters, began = batch, more, came
            else:
                held.outcomes.extend(batch.outcomes)
                characters += more
            if len(held.outcomes) >= most or now + (now - came) >= began + MAX_SECONDS:
                yield held
                held = None
            came = time.monotonic()
    except (Exception, Interrupted):
        if held is not None:
            yield held
        raise
    if held is not None:
        yield held


def _fit(held: OutcomeBatch, batch: OutcomeBatch, most: int) -> bool:
    together = len(held.outcomes) + len(batch.outcomes)
    return held.loaded_at == batch.loaded_at and together <= most


def _characters(batch: OutcomeBatch) -> int:
    data = sum(map(len, map(_data, batch.outcomes)))
    return data + sum(map(len, map(_traceback, batch.outcomes)))
