"""The benchmark's tables."""

from __future__ import annotations

from tests.bench.table import table


def test_a_table_has_columns_of_one_width_and_figures_to_the_right() -> None:
    lines = table(("tool", "payloads"), [("django-datawatch", "100"), ("dwatch", "-")])

    assert lines.splitlines() == [
        "| tool             | payloads |",
        "| ---------------- | -------- |",
        "| django-datawatch |      100 |",
        "| dwatch           |        - |",
    ]


def test_a_table_without_rows_shows_its_headings() -> None:
    assert table(("tool", "payloads"), []).splitlines()[0] == "| tool | payloads |"
