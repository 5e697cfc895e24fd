"""Checks modules that could not be imported: the checks nobody would miss."""

from __future__ import annotations

from typing import TYPE_CHECKING

from dwatch.report.document import Paragraph, Span, Tone
from dwatch.report.text import clean
from dwatch.report.wording import quantity

if TYPE_CHECKING:
    from collections.abc import Sequence

    from dwatch.services.reports import ModuleFailure


def module_failures(failures: Sequence[ModuleFailure]) -> list[Paragraph]:
    """Build the warning; empty if every module could be imported."""
    if not failures:
        return []
    number = quantity(len(failures), "checks module")
    title = (Span(f"{number} could not be imported; the checks inside are missing!", Tone.bad),)
    lines = (
        (Span("  "), Span(clean(failure.module), Tone.strong), Span(f"  {clean(failure.error)}"))
        for failure in failures
    )
    return [Paragraph((title, *lines))]
