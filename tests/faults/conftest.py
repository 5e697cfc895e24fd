"""SQLite has no network that could go dark."""

from __future__ import annotations

import os

collect_ignore = (
    ["test_dark_network.py"] if os.environ.get("DWATCH_TEST_DATABASE", "sqlite") == "sqlite" else []
)
