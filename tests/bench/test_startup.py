"""The benchmark of start-up."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from tests.bench.__main__ import main
from tests.bench.startup import COMMANDS

if TYPE_CHECKING:
    from pathlib import Path

    import pytest


def test_each_command_is_started_once_a_round(
    capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    file = tmp_path / "figures.json"

    assert main(["startup", "--rounds=1", "--customers=30", f"--json={file}"]) == 0

    measured = json.loads(file.read_text())["measurements"]
    assert [one["command"] for one in measured] == [command.name for command in COMMANDS]
    assert all(one["cpu_ms"] > 0 and one["wall_ms"] > 0 for one in measured)
    assert "| dwatch --help " in capsys.readouterr().out
