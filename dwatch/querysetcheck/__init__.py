"""Checks that the database judges: only rows with a problem come into Python."""

from __future__ import annotations

from dwatch.querysetcheck.check import QuerySetCheck

__all__ = ["QuerySetCheck"]
