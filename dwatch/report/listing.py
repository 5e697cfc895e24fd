"""The registered checks, as a document."""

from __future__ import annotations

from typing import TYPE_CHECKING

from dwatch.core.plan import DueState
from dwatch.report.document import Cell, Column, Document, Paragraph, Span, Table, Tone
from dwatch.report.failures import module_failures
from dwatch.report.moments import both, brief, relative
from dwatch.report.text import clean
from dwatch.report.wording import counts_cell, quantity

if TYPE_CHECKING:
    from datetime import datetime, tzinfo

    from dwatch.report.document import Block, Line
    from dwatch.services.reports import CheckListing, ListReport

_DUE_NOW = {
    DueState.never: ("due now", Tone.warning),
    DueState.due: ("due now", Tone.warning),
    DueState.overdue: ("overdue", Tone.bad),
}
_COLUMNS = (
    Column("check", essential=True),
    Column("schedule", width=36),
    Column("last run", essential=True),
    Column("next run", essential=True),
    Column("results", essential=True),
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
    return (
        Cell.of(clean(check.slug), Tone.strong, below=_title(check)),
        schedule_cell(check),
        _last_run(check, now, zone),
        _next_run(check, now, zone),
        _results(check),
    )


def _results(check: CheckListing) -> Cell:
    lines = counts_cell(check.counts).lines
    if check.unconfirmed:
        lines += ((Span(f"{check.unconfirmed:,} unconfirmed", Tone.dim),),)
    return Cell(lines)


def _title(check: CheckListing) -> str:
    title = clean(check.title)
    return "" if title == check.slug else title


def schedule_cell(check: CheckListing) -> Cell:
    """Say when the check runs, in words (its own zone included) and as cron."""
    if not check.expression:
        return Cell.of("on demand", Tone.dim)
    cron = clean(check.expression)
    words = clean(check.schedule) or cron
    return Cell.of(words, below="" if words == cron else cron)


def _last_run(check: CheckListing, now: datetime, zone: tzinfo) -> Cell:
    if check.running_since is not None:
        return Cell.of("running", Tone.warning, below=f"for {_since(check.running_since, now)}")
    if check.last_run_at is None:
        return Cell.of("never", Tone.unsure)
    trouble = _trouble(check)
    below = (Span(f"{trouble}  ", Tone.bad),) if trouble else ()
    moment = Span(brief(check.last_run_at, now, zone), Tone.dim)
    return Cell(((Span(relative(check.last_run_at, now)),), (*below, moment)))


def _trouble(check: CheckListing) -> str:
    if check.last_errors:
        return quantity(check.last_errors, "error")
    return "" if check.last_run_state in {"", "complete"} else clean(check.last_run_state)


def _next_run(check: CheckListing, now: datetime, zone: tzinfo) -> Cell:
    if check.state not in _DUE_NOW:
        return _moment(check.next_slot, now, zone)
    said, tone = _DUE_NOW[check.state]
    below = f"then {brief(check.next_slot, now, zone)}" if check.next_slot else ""
    return Cell.of(said, tone, below=below)


def _since(moment: datetime, now: datetime) -> str:
    return relative(moment, now).removesuffix(" ago")


def _moment(moment: datetime | None, now: datetime, zone: tzinfo) -> Cell:
    if moment is None:
        return Cell.of("-", Tone.dim)
    return Cell.of(relative(moment, now), below=brief(moment, now, zone))


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
