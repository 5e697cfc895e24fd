"""The health of an installation, as a document."""

from __future__ import annotations

from typing import TYPE_CHECKING

from dwatch.report.document import Cell, Column, Document, Paragraph, Span, Table, Tone
from dwatch.report.text import clean
from dwatch.report.wording import quantity

if TYPE_CHECKING:
    from dwatch.services.reports import DoctorReport, Finding

_LEVELS = {"ok": ("✔", Tone.good), "warning": ("!", Tone.warning), "error": ("✖", Tone.bad)}


def doctor_document(report: DoctorReport) -> Document:
    """Build one line for each finding, with how to mend it below."""
    columns = (Column(essential=True), Column(essential=True), Column(wrap=True))
    table = Table(columns, tuple(map(_row, report.findings)))
    errors = sum(finding.level == "error" for finding in report.findings)
    warnings = sum(finding.level == "warning" for finding in report.findings)
    if errors or warnings:
        said = f"{quantity(errors, 'error')}, {quantity(warnings, 'warning')}."
        return Document((table, Paragraph.of(said, Tone.bad if errors else Tone.warning)))
    return Document((table, Paragraph.of("All is well.", Tone.good)))


def _row(finding: Finding) -> tuple[Cell, ...]:
    glyph, tone = _LEVELS[finding.level]
    level = Cell(((Span(f"{glyph} ", tone, ornament=True), Span(finding.level, tone)),))
    said = Cell.of(clean(finding.text), below=clean(finding.hint))
    return (level, Cell.of(clean(finding.subject), Tone.strong), said)
