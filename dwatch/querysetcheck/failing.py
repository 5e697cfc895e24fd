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
        """Yield the payloads in pages of ``size`` or more."""
        size = max(size, PAGE)
        if self.cap is None:
            yield from self._pages(self.question.failing(), size)
            return
        left = self.cap
        for status in self.question.conditions:
            for page in self._pages(self.question.failing(status=status), min(size, left)):
                shown = page.payloads[:left]
                left -= len(shown)
                yield Page(shown, page.loaded_at)
                if not left:
                    return

    def _pages(self, rows: QuerySet[Any], size: int) -> Iterator[Page]:
        ordered = rows.order_by("pk")
        following = ordered
        while True:
            loaded_at = datetime.now(UTC)
            found = self._read(ordered, following, size)
            if found:
                yield Page([self.shape.payload(row) for row in self._once(found)], loaded_at)
            if len(found) < size:
                return
            following = ordered.filter(pk__gt=self.shape.key(found[-1]))

    def _read(self, ordered: QuerySet[Any], following: QuerySet[Any], size: int) -> list[Any]:
        """Return the next ``size`` rows; more, if a join repeats the last one's key."""
        rows = self.shape.fetch(following[: size + 1])
        if len(rows) <= size:
            return rows
        after = self.shape.key(rows.pop())
        if self.shape.key(rows[-1]) != after:
            return rows
        before = [row for row in rows if self.shape.key(row) != after]
        return before + self.shape.fetch(ordered.filter(pk=after))

    def _once(self, rows: list[Any]) -> Iterator[Any]:
        for _, same in groupby(rows, self.shape.key):
            first, *others = same
            yield max(first, *others, key=self._severity) if others else first

    def _severity(self, row: Any) -> int:
        return Status(self.shape.status(row)).severity
