"""What ``cleanup`` deleted, as a document."""

from __future__ import annotations

from typing import TYPE_CHECKING

from dwatch.report.document import Cell, Column, Document, Paragraph, Table, Tone
from dwatch.report.text import clean
from dwatch.report.wording import number_cell, quantity

if TYPE_CHECKING:
    from dwatch.services.reports import CleanupReport


def cleanup_document(report: CleanupReport) -> Document:
    """Build one row for each kind of thing that goes."""
    rows = [
        (
            Cell.of(f"removed check {clean(slug)}"),
            Cell.of(f"{quantity(results, 'result')}, with its runs and history", Tone.dim),
            number_cell(1, Tone.strong),
        )
        for slug, results in report.removed_checks
    ]
    rows += [
        (Cell.of(what), Cell.of(why, Tone.dim), number_cell(number, Tone.strong))
        for what, why, number in (
            ("vanished results", "payload long gone", report.vanished_results),
            ("status changes", "old history", report.status_changes),
            ("runs", "old", report.runs),
        )
    ]
    title = "would delete" if report.dry_run else "deleted"
    columns = (Column(title, width=60), Column("why", width=60), Column("number", align="right"))
    table = Table(columns, tuple(rows))
    if not report.dry_run:
        return Document((table,))
    return Document((table, Paragraph.of("Dry run: nothing was deleted.", Tone.warning)))
