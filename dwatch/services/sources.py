"""Where the payloads of an execution come from."""

from __future__ import annotations

from datetime import UTC, datetime
from functools import partial
from typing import TYPE_CHECKING, Protocol

from dwatch import conf, payloads
from dwatch.core.evaluate import name_payloads
from dwatch.core.resolve import load_payloads
from dwatch.outages import drop_broken_connections
from dwatch.store.transactions import read

if TYPE_CHECKING:
    from collections.abc import Iterator

    from dwatch.core.check import BaseCheck
    from dwatch.core.evaluate import NamedPayload
    from dwatch.core.guard import Failure
    from dwatch.models import Result
    from dwatch.querysets import ResultQuerySet


class Source(Protocol):
    """Where one execution's payloads come from, and what went wrong there."""

    complete: bool
    """Whether it covers all payloads of the check."""
    failure: Failure | None
    nameless: bool
    """Whether it held payloads without a usable name: who knows which results are theirs?"""

    def open(self, check: BaseCheck) -> None:
        """Get ready; called once, before the others."""

    def total(self) -> int | None:
        """Return how many payloads there will be, None if only drawing them tells."""

    def batches(self, check: BaseCheck) -> Iterator[tuple[list[NamedPayload], datetime]]:
        """Yield named payloads, and when they were loaded."""


class AllPayloads:
    """The source of a run: whatever ``generate()`` gives. Raises ConfigurationError."""

    complete = True

    def __init__(self) -> None:
        self.failure: Failure | None = None
        self.nameless = False
        self._size = conf.batch_size()

    def open(self, check: BaseCheck) -> None:
        """Call ``generate()``: once, since it may be slow or not repeatable."""
        self._supply = payloads.Supply(check)

    def total(self) -> int | None:
        """Return how many payloads there will be, if one query tells."""
        return self._supply.count()

    def batches(self, check: BaseCheck) -> Iterator[tuple[list[NamedPayload], datetime]]:
        """Yield the payloads under their names."""
        for batch in self._supply.draw(self._size):
            self.failure = batch.failure
            named = name_payloads(check, batch.payloads)
            self.nameless = self.nameless or any(one.failure for one in named)
            if named:
                yield named, batch.loaded_at


class StoredResults:
    """The source of a refresh: payloads of stored results. Raises ConfigurationError."""

    complete = False
    failure: Failure | None = None
    nameless = False

    def __init__(self, results: ResultQuerySet) -> None:
        self._results = results.only("identifier", "long_identifier")
        self._size = conf.batch_size()

    def open(self, check: BaseCheck) -> None:
        """Do nothing: the results are read page by page."""

    def total(self) -> int | None:
        """Return how many results there are."""
        return self._results.count()

    def batches(self, check: BaseCheck) -> Iterator[tuple[list[NamedPayload], datetime]]:
        """Yield the payloads of the results, loaded anew."""
        last: Result | None = None
        while rows := read(partial(self._results.page, last, self._size)):
            loaded_at = datetime.now(UTC)
            yield _load(check, [row.full_identifier for row in rows]), loaded_at
            last = rows[-1]


def _load(check: BaseCheck, identifiers: list[str]) -> list[NamedPayload]:
    """Load the payloads; once more if the connection was cut meanwhile."""
    named = load_payloads(check, identifiers)
    if any(one.failure for one in named) and drop_broken_connections():
        return load_payloads(check, identifiers)
    return named
