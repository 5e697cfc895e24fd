"""The registered checks, as a document."""

from __future__ import annotations

from typing import TYPE_CHECKING

from dwatch.report.document import Cell, Column, Document, Paragraph, Span, Table, Tone
from dwatch.report.failures import module_failures
from dwatch.report.moments import absolute, both, relative
from dwatch.report.text import clean
from dwatch.report.wording import count_cells, count_columns, quantity

if TYPE_CHECKING:
    from datetime import datetime, tzinfo

    from dwatch.report.document import Block, Line
    from dwatch.services.reports import CheckListing, ListReport

_STATE_TONES = {"due": Tone.warning, "overdue": Tone.bad, "never": Tone.unsure}
_COLUMNS = (
    Column("check", essential=True),
    Column("state", essential=True),
    Column("schedule", width=36),
    Column("last run"),
    Column("next run"),
    *count_columns(),
)


def list_document(report: ListReport, zone: tzinfo) -> Document:
    """Build the document, all moments in ``zone``."""
    blocks: list[Block] = [*module_failures(report.module_failures)]
    if report.checks:
        rows = tuple(_row(check, report.now, zone) for check in report.checks)
        blocks.append(Table(_COLUMNS, rows))
    else:
        blocks.append(Paragraph.of("No checks."))
    blocks.extend(_remarks(report, zone))
    blocks.append(
        Paragraph.of(f"{quantity(len(report.checks), 'check')}; times in {zone}.", Tone.dim)
    )
    return Document(tuple(blocks))


def _row(check: CheckListing, now: datetime, zone: tzinfo) -> tuple[Cell, ...]:
    state = str(check.state)
    return (
        Cell.of(clean(check.slug), Tone.strong, below=_title(check)),
        Cell.of(state, _STATE_TONES.get(state, Tone.dim)),
        schedule_cell(check, zone),
        _last_run(check, now, zone),
        _moment(check.next_slot, now, zone),
        *count_cells(check.counts),
    )


def _title(check: CheckListing) -> str:
    title = clean(check.title)
    return "" if title == check.slug else title


def schedule_cell(check: CheckListing, zone: tzinfo) -> Cell:
    """Say when the check runs, in words and as cron; its zone if it is another."""
    if not check.expression:
        return Cell.of("on demand", Tone.dim)
    elsewhere = f" {check.zone}" if check.zone and check.zone != str(zone) else ""
    cron = f"{clean(check.expression)}{clean(elsewhere) and elsewhere}"
    return Cell.of(clean(check.schedule) or cron, below=cron)


def _last_run(check: CheckListing, now: datetime, zone: tzinfo) -> Cell:
    if check.running_since is not None:
        return Cell.of("running", Tone.warning, below=f"for {_since(check.running_since, now)}")
    if check.last_run_at is None:
        return Cell.of("never", Tone.unsure)
    failed = check.last_run_state not in {"", "complete"} or check.last_errors > 0
    cell = _moment(check.last_run_at, now, zone)
    return Cell((_with_trouble(check, cell.lines[0]), *cell.lines[1:])) if failed else cell


def _with_trouble(check: CheckListing, line: Line) -> Line:
    trouble = (
        quantity(check.last_errors, "error") if check.last_errors else clean(check.last_run_state)
    )
    return (*line, Span(f", {trouble}", Tone.bad))


def _since(moment: datetime, now: datetime) -> str:
    return relative(moment, now).removesuffix(" ago")


def _moment(moment: datetime | None, now: datetime, zone: tzinfo) -> Cell:
    if moment is None:
        return Cell.of("-", Tone.dim)
    return Cell.of(relative(moment, now), below=absolute(moment, zone))


def _remarks(report: ListReport, zone: tzinfo) -> list[Block]:
    lines: list[Line] = []
    for check in report.checks:
        if check.running_since is not None:
            who = f" by {clean(check.running_by)}" if check.running_by else ""
            began = both(check.running_since, report.now, zone)
            lines.append((Span(f"{clean(check.slug)} is being run{who}, started {began}."),))
        if check.clock_stepped_back:
            text = f"{clean(check.slug)} was handled for a slot in the future: check the clock."
            lines.append((Span(text, Tone.warning),))
    lines.extend(_removed(slug, results) for slug, results in report.removed)
    return [Paragraph(tuple(lines))] if lines else []


def _removed(slug: str, results: int) -> Line:
    kept = quantity(results, "result")
    return (
        Span(clean(slug), Tone.strong),
        Span(f" no longer exists; it has {kept}. `dwatch cleanup` deletes them.", Tone.warning),
    )
