"""dwatch: data checks for Django. Check authors import everything they need from here."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from dwatch.core.check import BaseCheck
from dwatch.core.registry import register
from dwatch.core.response import CheckResponse
from dwatch.core.status import Status
from dwatch.exceptions import SkipCheck

if TYPE_CHECKING:
    from dwatch.querysetcheck import QuerySetCheck

__version__ = "0.1.0"

__all__ = ["BaseCheck", "CheckResponse", "QuerySetCheck", "SkipCheck", "Status", "register"]


def __getattr__(name: str) -> Any:
    """Load QuerySetCheck, which needs Django, only for those who ask for it."""
    if name == "QuerySetCheck":
        from dwatch.querysetcheck import QuerySetCheck

        return QuerySetCheck
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
