"""What ``try`` made of one payload, as a document."""

from __future__ import annotations

from typing import TYPE_CHECKING

from dwatch.report.document import Cell, Document, Paragraph, Span, Tone
from dwatch.report.moments import duration
from dwatch.report.results import data_cell, facts_table, multi_line
from dwatch.report.text import clean
from dwatch.report.wording import quantity, status_cell, status_line

if TYPE_CHECKING:
    from collections.abc import Iterable

    from dwatch.report.document import Block
    from dwatch.services.reports import TrialReport

_OUTCOMES = {
    "skipped": "skipped: the check leaves this payload out of the results",
    "gone": "gone: there is no such payload",
}


def trial_document(report: TrialReport) -> Document:
    """Build the verdict, what it cost, and the queries it took."""
    blocks: list[Block] = [facts_table(_facts(report))]
    if report.traceback:
        blocks.append(multi_line("traceback", report.traceback))
    if report.queries:
        blocks.append(multi_line("queries", "\n".join(map(clean, report.queries))))
    blocks.append(Paragraph.of("Nothing was stored.", Tone.dim))
    return Document(tuple(blocks))


def _facts(report: TrialReport) -> Iterable[tuple[str, Cell]]:
    yield "check", Cell.of(clean(report.slug), Tone.strong)
    yield "identifier", Cell.of(clean(report.identifier), Tone.strong)
    if report.status is None:
        yield "outcome", Cell.of(_OUTCOMES.get(report.outcome, report.outcome), Tone.warning)
    else:
        yield "status", status_cell(report.status)
    yield "stored now", Cell(((*status_line(report.stored_status), Span("")),))
    if report.description:
        yield "description", Cell.of(clean(report.description))
    if report.error:
        yield "error", Cell.of(clean(report.error), Tone.bad)
    if report.data:
        yield "data", data_cell(report.data)
    for name, values in (("users", report.users), ("groups", report.groups)):
        if values:
            yield name, Cell.of(clean(", ".join(values)))
    took = f"{duration(report.duration)}, {quantity(len(report.queries), 'query', 'queries')}"
    yield "cost", Cell.of(took)
