"""The benchmark of scale."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from tests.bench.__main__ import main
from tests.bench.scale import Measurement, exponent, table_rows

if TYPE_CHECKING:
    from pathlib import Path


@pytest.mark.parametrize(
    ("seconds", "expected"),
    [([1, 10, 100], "1.00"), ([1, 100, 10_000], "2.00"), ([5, 5, 5], "0.00")],
)
def test_exponent(seconds: list[float], expected: str) -> None:
    assert exponent(list(zip([10, 100, 1000], seconds, strict=True))) == expected


def test_exponent__of_one_size_is_unknown() -> None:
    assert exponent([(10, 1.0)]) == "-"


def test_table__has_the_exponents_of_each_database_in_its_last_row() -> None:
    found = [
        Measurement(database, "model", size, size / 100, size * size / 1e6, 50.0, 51.0)
        for database in ("sqlite", "mariadb")
        for size in (100, 1000)
    ]

    assert [row[-2:] for row in table_rows(found)] == [("", ""), ("1.00", "2.00")] * 2


def test_each_source_is_measured(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = tmp_path / "figures.json"

    assert main(["scale", "--payloads=100", "--databases=sqlite", f"--json={file}"]) == 0

    measured = json.loads(file.read_text())["measurements"]
    assert [one["source"] for one in measured] == ["model", "generator"]
    assert all(one["first_peak_mib"] > 1 and one["unchanged_seconds"] > 0 for one in measured)
    assert "| sqlite   | generator |" in capsys.readouterr().out
