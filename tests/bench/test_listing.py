"""The benchmark of list and show."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from tests.bench.__main__ import main
from tests.bench.stored import ASKED, LAYOUTS

if TYPE_CHECKING:
    from pathlib import Path


def test_each_command_is_measured_in_each_layout(tmp_path: Path) -> None:
    file = tmp_path / "figures.json"

    given = ["listing", "--results=400", "--rounds=1", "--databases=sqlite", f"--json={file}"]
    assert main(given) == 0

    measured = json.loads(file.read_text())["measurements"]
    assert [one["layout"] for one in measured] == list(LAYOUTS)
    for one in measured:
        assert list(one["rounds"][0]) == list(ASKED)
        assert all(milliseconds > 0 for milliseconds in one["rounds"][0].values())
