"""Stored results of a check, and all that is known of one, as documents."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from dwatch.report.document import Cell, Column, Document, Paragraph, Span, Table, Tone
from dwatch.report.listing import schedule_cell
from dwatch.report.moments import absolute, both, relative
from dwatch.report.text import clean
from dwatch.report.wording import (
    counts_in_words,
    quantity,
    status_cell,
    status_line,
    unconfirmed_in_words,
)

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from datetime import datetime, tzinfo
    from typing import Any

    from dwatch.report.document import Block, Line
    from dwatch.services.reports import (
        CheckListing,
        ResultReport,
        ResultRow,
        ResultsReport,
        TimelineEntry,
        UnconfirmedStatus,
    )

_FACTS = (Column(essential=True), Column(wrap=True))


def results_document(report: ResultsReport, zone: tzinfo) -> Document:
    """Build the list of results, worst first as the report has them."""
    blocks: list[Block] = [_about(report.check, report.now, zone)]
    if report.results:
        blocks.append(_results_table(report, zone))
    blocks.append(_how_many(report))
    return Document(tuple(blocks))


def result_document(report: ResultReport, zone: tzinfo) -> Document:
    """Build everything known of one result, its history included."""
    blocks: list[Block] = [
        _about(report.check, report.now, zone),
        facts_table(_facts(report, zone)),
    ]
    if report.traceback:
        blocks.append(multi_line("traceback", report.traceback))
    if report.timeline:
        rows = tuple(_entry(entry, report.now, zone) for entry in report.timeline)
        columns = (Column("when", essential=True), Column("history", wrap=True))
        blocks.append(Table(columns, rows))
    return Document(tuple(blocks))


def facts_table(facts: Iterable[tuple[str, Cell]]) -> Table:
    """Build names and values, one below the other."""
    return Table(_FACTS, tuple((Cell.of(name, Tone.dim), value) for name, value in facts))


def data_cell(data: Mapping[str, Any]) -> Cell:
    """Show data as indented JSON."""
    return Cell.block(json.dumps(data, indent=2, ensure_ascii=False, default=str))


def multi_line(title: str, text: str) -> Paragraph:
    """Build a block whose line breaks and indentation are meant, under a title."""
    lines: list[Line] = [(Span(title, Tone.dim),)]
    lines.extend((Span(line),) for line in text.splitlines())
    return Paragraph(tuple(lines))


def _about(check: CheckListing, now: datetime, zone: tzinfo) -> Paragraph:
    schedule = schedule_cell(check).lines
    when = [Span("  "), *schedule[0]]
    when += [Span(f" ({schedule[1][0].text})", Tone.dim)] if len(schedule) > 1 else []
    last = both(check.last_run_at, now, zone) if check.last_run_at else "never"
    following = f", next run {both(check.next_slot, now, zone)}" if check.next_slot else ""
    lines: list[Line] = [
        (Span(clean(check.slug), Tone.strong), Span(f"  {clean(check.title)}")),
        tuple(when),
        (Span(f"  last run {last}{following}"),),
        (Span(f"  {counts_in_words(check.counts)}"),),
    ]
    if check.unconfirmed:
        lines.append((Span(f"  {check.unconfirmed:,} unconfirmed", Tone.warning),))
    extras = (
        ("tags", ", ".join(check.tags)),
        ("owner", check.owner),
        ("runbook", check.runbook),
    )
    lines.extend((Span(f"  {name}: {clean(value)}", Tone.dim),) for name, value in extras if value)
    return Paragraph(tuple(lines))


def _results_table(report: ResultsReport, zone: tzinfo) -> Table:
    rows = tuple(_row(result, report.now, zone) for result in report.results)
    columns = (
        Column("identifier", width=40),
        Column("status", essential=True),
        Column("since", essential=True),
        Column("description", width=100),
    )
    return Table(columns, rows)


def _row(result: ResultRow, now: datetime, zone: tzinfo) -> tuple[Cell, ...]:
    said: list[Span] = []
    if result.vanished_at:
        said.append(Span(f"[vanished {relative(result.vanished_at, now)}] ", Tone.dim))
    if result.acknowledged_until:
        until = absolute(result.acknowledged_until, zone)
        said.append(Span(f"[acknowledged until {until}] ", Tone.good))
    if result.unconfirmed:
        said.append(Span(f"[{unconfirmed_in_words(result.unconfirmed)}] ", Tone.warning))
    said.append(Span(clean(result.description)))
    if result.error:
        said.append(Span(f"  {clean(result.error)}", Tone.bad))
    return (
        Cell.of(clean(result.identifier) or "(empty)", Tone.strong),
        status_cell(result.status),
        Cell.of(relative(result.since, now)),
        Cell((tuple(said),)),
    )


def _how_many(report: ResultsReport) -> Paragraph:
    paragraph = _how_many_results(report)
    beyond = report.check.unstored.problems
    if not beyond:
        return paragraph
    said = f"{quantity(beyond, 'more problem')} without a result: the check's max_failing is lower."
    return Paragraph((*paragraph.lines, (Span(said, Tone.warning),)))


def _how_many_results(report: ResultsReport) -> Paragraph:
    shown, matching = len(report.results), report.matching
    if not matching:
        return Paragraph.of("No results match.", Tone.dim)
    if shown == matching:
        return Paragraph.of(f"{shown:,} of {matching:,} results.", Tone.dim)
    return Paragraph.of(
        f"{shown:,} of {matching:,} results; --limit {matching} shows all.", Tone.warning
    )


def _facts(report: ResultReport, zone: tzinfo) -> Iterable[tuple[str, Cell]]:
    result, now = report.result, report.now
    yield "identifier", Cell.of(clean(result.identifier), Tone.strong)
    since = Span(f" since {both(result.since, now, zone)}")
    yield "status", Cell(((*status_line(result.status), since),))
    if result.unconfirmed:
        yield "unconfirmed", _unconfirmed(result.unconfirmed, now, zone)
    if result.description:
        yield "description", Cell.of(clean(result.description))
    if result.error:
        yield "error", Cell.of(clean(result.error), Tone.bad)
    yield "judged", Cell.of(both(result.evaluated_at, now, zone))
    if result.vanished_at:
        yield "vanished", Cell.of(both(result.vanished_at, now, zone), Tone.warning)
    if result.acknowledged_until:
        yield "acknowledged", Cell.of(_acknowledged(result, now, zone), Tone.good)
    if result.data or report.formatted_data:
        shown = Cell.block(report.formatted_data) if report.formatted_data else None
        yield "data", shown or data_cell(result.data)
    if report.config is not None:
        yield "configuration", data_cell(report.config)
    for name, values in (
        ("tags", report.tags),
        ("users", report.users),
        ("groups", report.groups),
    ):
        if values:
            yield name, Cell.of(clean(", ".join(values)))


def _unconfirmed(unconfirmed: UnconfirmedStatus, now: datetime, zone: tzinfo) -> Cell:
    said = unconfirmed_in_words(unconfirmed)
    first = Span(f"{said}, first {both(unconfirmed.since, now, zone)}", Tone.warning)
    lines: list[Line] = [(first,)]
    if unconfirmed.description:
        lines.append((Span(clean(unconfirmed.description)),))
    if unconfirmed.data:
        lines.extend(data_cell(unconfirmed.data).lines)
    return Cell(tuple(lines))


def _acknowledged(result: ResultRow, now: datetime, zone: tzinfo) -> str:
    until = both(result.acknowledged_until, now, zone) if result.acknowledged_until else ""
    by = f" by {clean(result.acknowledged_by)}" if result.acknowledged_by else ""
    reason = f": {clean(result.acknowledged_reason)}" if result.acknowledged_reason else ""
    return f"until {until}{by}{reason}"


def _entry(entry: TimelineEntry, now: datetime, zone: tzinfo) -> tuple[Cell, ...]:
    when = Cell.of(f"{absolute(entry.at, zone)}  {relative(entry.at, now)}")
    if entry.to_status is None:
        said = (Span(clean(f"{entry.kind} {entry.text}")),)
        return (when, Cell((said,)))
    before = (*status_line(entry.from_status), Span(" → ")) if entry.from_status is not None else ()
    text = Span(f"  {clean(entry.text)}" if entry.text else "", Tone.dim)
    return (when, Cell(((*before, *status_line(entry.to_status), text),)))
