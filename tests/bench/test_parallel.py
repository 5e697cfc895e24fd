"""The benchmark of workers."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from tests.bench import parallel
from tests.bench.__main__ import main
from tests.bench.parallel import Measurement, table_rows

if TYPE_CHECKING:
    from pathlib import Path

    import pytest


def test_table__compares_the_quickest_round_with_one_worker() -> None:
    found = [
        Measurement("waits", 100, 1, (10.0, 9.0)),
        Measurement("waits", 100, 16, (1.0, 0.9, 2.0)),
        Measurement("computes", 100, 1, (4.0,)),
        Measurement("computes", 100, 2, (2.0,)),
    ]
    assert [row[2:] for row in table_rows(found)] == [
        ("1", "9.00", "11", "1.00"),
        ("16", "0.90", "111", "10.00"),
        ("1", "4.00", "25", "1.00"),
        ("2", "2.00", "50", "2.00"),
    ]


def test_each_check_is_measured_with_and_without_workers(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(parallel, "KINDS", {"waits": (1, 2)})
    file = tmp_path / "figures.json"
    assert main(["parallel", "--payloads", "10", "--rounds", "1", "--json", str(file)]) == 0
    assert "times one worker" in capsys.readouterr().out
    measured = json.loads(file.read_text())["measurements"]
    assert [one["workers"] for one in measured] == [1, 2]
    assert all(one["seconds"][0] > 0 for one in measured)
