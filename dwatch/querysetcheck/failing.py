"""Reads the rows with a problem, page by page."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import groupby
from typing import TYPE_CHECKING, Any

from dwatch.core.paging import Page
from dwatch.core.status import Status

if TYPE_CHECKING:
    from collections.abc import Iterator

    from django.db.models import QuerySet

    from dwatch.querysetcheck.question import Question
    from dwatch.querysetcheck.shapes import Shape

PAGE = 2000
"""Least number of rows to read and store together: each costs little."""
MOST = 20_000
"""Most rows of a page: each page is a transaction, which costs as much as thousands of them."""
MAX_CHARACTERS = 8_000_000
"""Of a page's content, so that large rows do not fill the memory."""


@dataclass(frozen=True, slots=True)
class FailingRows:
    """The payloads of a run, in primary key order; with a cap the worst come first.

    Each row comes once, with its worst status, whatever the queryset joins.
    """

    question: Question
    shape: Shape
    cap: int | None

    def __iter__(self) -> Iterator[Any]:
        """Yield the payloads one by one."""
        for page in self.pages(PAGE):
            yield from page.payloads

    def pages(self, size: int) -> Iterator[Page]:
        """Yield the payloads in pages of ``size``, then in larger ones if their rows are small."""
        size = max(size, PAGE)
        if self.cap is None:
            yield from self._pages(self.question.failing(), size)
            return
        left = self.cap
        for status in self.question.conditions:
            rows = self.question.failing(status=status)
            for page in self._pages(rows, min(size, left), most=left):
                shown = page.payloads[:left]
                left -= len(shown)
                yield Page(shown, page.loaded_at)
                if not left:
                    return

    def _pages(self, rows: QuerySet[Any], size: int, most: int = MOST) -> Iterator[Page]:
        ordered = rows.order_by("pk")
        following = ordered
        while True:
            loaded_at = datetime.now(UTC)
            found, last = self._read(ordered, following, size)
            if found:
                yield Page(self.shape.payloads(self._once(found)), loaded_at)
            if last is None:
                return
            following = ordered.filter(pk__gt=last)
            size = max(size, min(self.shape.next_size(found, MAX_CHARACTERS), most, MOST))

    def _read(
        self, ordered: QuerySet[Any], following: QuerySet[Any], size: int
    ) -> tuple[list[Any], Any]:
        """Return the next ``size`` rows, and the key that the page behind them begins after.

        No key, but None, if there is no such page; more rows, if a join repeats the last one's key.
        """
        rows = self.shape.fetch(following[: size + 1])
        if len(rows) <= size:
            return rows, None
        after, last = self.shape.key(rows.pop()), self.shape.key(rows[-1])
        if after != last:
            return rows, last
        before = [row for row in rows if self.shape.key(row) != last]
        # Others may delete rows between the two queries: few rows do not make the last page.
        return before + self.shape.fetch(ordered.filter(pk=last)), last

    def _once(self, rows: list[Any]) -> list[Any]:
        if len(set(map(self.shape.key, rows))) == len(rows):
            return rows
        return [max(same, key=self._severity) for _, same in groupby(rows, self.shape.key)]

    def _severity(self, row: Any) -> int:
        return Status(self.shape.status(row)).severity
