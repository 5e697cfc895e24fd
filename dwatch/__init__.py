"""dwatch: data checks for Django. Check authors import everything they need from here."""

from __future__ import annotations

from dwatch.core.check import BaseCheck
from dwatch.core.registry import register
from dwatch.core.response import CheckResponse
from dwatch.core.status import Status
from dwatch.exceptions import SkipCheck

__version__ = "0.1.0"

__all__ = ["BaseCheck", "CheckResponse", "SkipCheck", "Status", "register"]
