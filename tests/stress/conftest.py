"""SQLite has no server to restart."""

from __future__ import annotations

import os

collect_ignore = (
    ["test_servers.py"] if os.environ.get("DWATCH_TEST_DATABASE", "sqlite") == "sqlite" else []
)
