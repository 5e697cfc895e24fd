"""Draws payloads from a check in bounded batches, whatever its source."""

from __future__ import annotations

import time
from collections.abc import Iterable
from datetime import UTC, datetime
from functools import partial
from itertools import islice
from typing import TYPE_CHECKING, Any, NamedTuple

from django.db.models import QuerySet
from django.db.models.query import ModelIterable

from dwatch.core.guard import Failure, attempt
from dwatch.core.paging import PagedPayloads
from dwatch.outages import persist

if TYPE_CHECKING:
    from collections.abc import Iterator

    from dwatch.core.check import BaseCheck
    from dwatch.core.paging import Page

_BATCHES_A_PAGE = 4
_PAGE_SECONDS = 0.5
"""Payloads that are judged faster than that are loaded several batches at once."""
_DRAW_SECONDS = 2.0
"""A slow source is cut into smaller batches, so that what is judged is soon stored."""


class PayloadBatch(NamedTuple):
    """Payloads that are evaluated together, none of them loaded before ``loaded_at``."""

    payloads: list[Any]
    loaded_at: datetime
    failure: Failure | None = None
    """What the source raised after these payloads; the last batch then."""


class Supply:
    """What one call of a check's ``generate()`` returned: counted at will, drawn once."""

    def __init__(self, check: BaseCheck) -> None:
        self._opened_at = datetime.now(UTC)
        self._source: object = attempt(check.generate)

    def draw(self, size: int) -> Iterator[PayloadBatch]:
        """Yield the payloads in batches of at most ``size``."""
        source = self._source
        if isinstance(source, Failure):
            yield PayloadBatch([], self._opened_at, source)
        elif isinstance(source, PagedPayloads):
            yield from _given_pages(source.pages(size))
        elif isinstance(source, QuerySet) and _can_be_paged(source):
            yield from _pages(source, size)
        else:
            yield from _chunks(_iterator(source), size, self._opened_at)

    def count(self) -> int | None:
        """Return how many payloads there will be, None where that would take drawing them."""
        if not isinstance(self._source, QuerySet):
            return None
        total = attempt(self._source.count)
        return None if isinstance(total, Failure) else total


def _can_be_paged(queryset: QuerySet[Any]) -> bool:
    """Return whether reading it page by page gives the same rows."""
    query = queryset.query
    return (
        issubclass(queryset._iterable_class, ModelIterable)  # noqa: SLF001 - no public way to know
        and query.standard_ordering  # reverse() turns every later order around
        and not query.is_sliced
        and not query.combinator
        and not query.distinct_fields
        # A window function computed over one page is not the one over all rows.
        and not query.where.contains_over_clause
        and not any(getattr(a, "contains_over_clause", False) for a in query.annotations.values())
    )


def _pages(queryset: QuerySet[Any], size: int) -> Iterator[PayloadBatch]:
    """Yield rows in primary key order, one short query a page.

    No cursor stays open meanwhile: on SQLite it would lock out every writer, and
    MariaDB's driver would hold all rows in memory. A page is one batch at first;
    several, as long as they are judged in no time, so that none of them gets old.
    """
    ordered = queryset.order_by("pk")
    page = ordered
    batches = 1
    while True:
        loaded_at = datetime.now(UTC)
        clock = time.monotonic()
        found = attempt(persist, partial(_page, ordered, page, size * batches), ordered.db)
        if isinstance(found, Failure):
            yield PayloadBatch([], loaded_at, found)
            return
        rows, last = found
        for start in range(0, len(rows), size):
            yield PayloadBatch(rows[start : start + size], loaded_at)
        if last is None:
            return
        page = ordered.filter(pk__gt=last)
        batches = _BATCHES_A_PAGE if time.monotonic() - clock < _PAGE_SECONDS else 1


def _page(ordered: QuerySet[Any], page: QuerySet[Any], size: int) -> tuple[list[Any], Any]:
    """Return the next ``size`` rows, and the key that the page behind them begins after, or None.

    More rows, if a join repeats the last one's key.
    """
    rows = list(page[: size + 1])
    if len(rows) <= size:
        return rows, None
    after, last = rows.pop().pk, rows[-1].pk
    if after != last:
        return rows, last
    # The next page begins after this key, so all rows that have it belong here. There may be
    # fewer of them by now, which does not make this the last page.
    return [row for row in rows if row.pk != last] + list(ordered.filter(pk=last)), last


def _given_pages(pages: Iterator[Page]) -> Iterator[PayloadBatch]:
    """Yield pages as the source makes them."""
    while True:
        asked_at = datetime.now(UTC)
        page = attempt(next, pages, None)
        if isinstance(page, Failure):
            yield PayloadBatch([], asked_at, page)
            return
        if page is None:
            return
        yield PayloadBatch(page.payloads, page.loaded_at)


def _iterator(source: object) -> Iterator[Any] | Failure:
    if isinstance(source, QuerySet):
        return source.iterator(chunk_size=2000)
    if isinstance(source, (str, bytes)) or not isinstance(source, Iterable):
        error = f"generate() returned {source!r:.80}; return or yield the payloads"
        return Failure(error, "", TypeError)
    return iter(source)


def _chunks(
    source: Iterator[Any] | Failure, size: int, started: datetime
) -> Iterator[PayloadBatch]:
    # How old a payload is, only its source knows; it is not older than generate().
    if isinstance(source, Failure):
        yield PayloadBatch([], started, source)
        return
    while True:
        chunk: list[Any] = []
        failure = attempt(partial(_fill, chunk, islice(source, size)))
        if isinstance(failure, Failure):
            yield PayloadBatch(chunk, started, failure)
            return
        if not chunk:
            return
        yield PayloadBatch(chunk, started)


def _fill(chunk: list[Any], source: Iterator[Any]) -> None:
    deadline = time.monotonic() + _DRAW_SECONDS
    for payload in source:
        chunk.append(payload)
        if time.monotonic() > deadline:
            return
