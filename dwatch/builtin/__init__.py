"""Ready-made checks: subclass one, set its attributes, and register it."""

from __future__ import annotations

from dwatch.builtin.duplicates import Duplicates
from dwatch.builtin.freshness import Freshness
from dwatch.builtin.invalidchoices import InvalidChoices
from dwatch.builtin.missingfiles import MissingFiles
from dwatch.builtin.modelclean import ModelClean
from dwatch.builtin.orphans import Orphans
from dwatch.builtin.rowcount import RowCount
from dwatch.builtin.sqlcheck import SqlCheck

__all__ = [
    "Duplicates",
    "Freshness",
    "InvalidChoices",
    "MissingFiles",
    "ModelClean",
    "Orphans",
    "RowCount",
    "SqlCheck",
]
