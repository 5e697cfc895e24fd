"""Payloads that come page by page."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple, Protocol, runtime_checkable

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import datetime


class Page(NamedTuple):
    """Payloads that were loaded together, none of them before ``loaded_at``."""

    payloads: list[Any]
    loaded_at: datetime


@runtime_checkable
class PagedPayloads(Protocol):
    """What ``generate()`` may return instead of an iterable.

    It says how old each page is, and may make a page larger than was asked for
    where that is cheaper.
    """

    def pages(self, size: int) -> Iterator[Page]:
        """Yield the payloads in pages of about ``size``."""
