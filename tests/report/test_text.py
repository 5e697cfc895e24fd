from __future__ import annotations

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.cells import cell_len

from dwatch.report.text import clean, clean_line, shorten


@pytest.mark.parametrize(
    ("dirty", "expected"),
    [
        ("plain", "plain"),
        ("\x1b[31mred\x1b[0m", "red"),
        ("\x1b]0;owned\x07title", "title"),
        ("\x1b]8;;http://evil\x1b\\link\x1b]8;;\x1b\\", "link"),
        ("\x9b2Jwiped", "wiped"),
        ("a\x00b\x08c", "abc"),
        ("two\nlines\tand\r\nmore", "two lines and more"),
        ("line\u2028separator", "line separator"),
        ("\u202egnp.exe", "gnp.exe"),
        ("\u2066isolated\u2069", "isolated"),
        ("lone \ud800 surrogate", "lone \ufffd surrogate"),
        ("नमस्\u200dते", "नमस्\u200dते"),
        ("[bold]markup[/bold] :smile:", "[bold]markup[/bold] :smile:"),
        ("שלום", "שלום"),
    ],
)
def test_clean(dirty: str, expected: str) -> None:
    assert clean(dirty) == expected


@given(st.text())
def test_clean__leaves_nothing_that_steers_a_terminal(text: str) -> None:
    kept = clean(text)

    assert not [c for c in kept if unicodedata.category(c) in {"Cc", "Cs", "Zl", "Zp"}]
    assert not set(kept) & set("\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")
    kept.encode()


def test_clean_line__keeps_indentation() -> None:
    assert clean_line("    return \x1b[1mx\x1b[0m") == "    return x"


@pytest.mark.parametrize(
    ("text", "width", "expected"),
    [
        ("short", 5, "short"),
        ("longer text", 7, "longer…"),
        ("日本語です", 5, "日本…"),
        ("", 3, ""),
        ("ab", 1, "…"),
    ],
)
def test_shorten(text: str, width: int, expected: str) -> None:
    assert shorten(text, width) == expected


@given(st.text(), st.integers(1, 40))
def test_shorten__never_takes_more_cells(text: str, width: int) -> None:
    assert cell_len(shorten(clean(text), width)) <= width


def test_shorten__bounds_combining_marks_that_take_no_cell() -> None:
    assert len(shorten("e" + "\u0301" * 100_000, 20)) <= 81
