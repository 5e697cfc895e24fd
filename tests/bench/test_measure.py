"""dwatch's side of the benchmark, on SQLite; django-datawatch's needs its own environment."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from tests.bench.__main__ import main

if TYPE_CHECKING:
    from pathlib import Path

    import pytest


def measured(file: Path, payloads: int) -> dict[str, Any]:
    code = main(
        [
            f"--payloads={payloads}",
            "--rounds=1",
            "--databases=sqlite",
            f"--json={file}",
        ]
    )
    assert code == 0
    (one,) = json.loads(file.read_text())["measurements"]
    return dict(one)


def test_both_runs_are_measured_and_find_the_overdrawn_wallets(tmp_path: Path) -> None:
    one = measured(tmp_path / "figures.json", payloads=150)

    for run in (one["first"], one["unchanged"]):
        assert (run["critical"], run["ok"]) == (3, 147)
        assert run["seconds"] > 0
        assert run["queries"] > 0
        assert run["peak_mib"] >= one["before_mib"] > 1


def test_a_tool_that_fails_is_named_and_fails_the_comparison(
    capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    without_the_tool = tmp_path / "python"
    without_the_tool.write_text("#!/bin/sh\necho 'no such module' >&2\nexit 3\n")
    without_the_tool.chmod(0o700)

    code = main(
        ["--only-yardstick", "--yardstick-python", str(without_the_tool), "--databases=sqlite"]
    )

    assert code == 1
    assert "not measured: datawatch, database on sqlite: no such module" in capsys.readouterr().err
