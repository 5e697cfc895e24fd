"""What ``run`` and ``refresh`` did, as a document."""

from __future__ import annotations

from typing import TYPE_CHECKING

from dwatch.core.status import Status
from dwatch.report.document import Cell, Column, Document, Paragraph, Span, Table, Tone
from dwatch.report.failures import module_failures
from dwatch.report.moments import both, duration
from dwatch.report.text import clean
from dwatch.report.wording import (
    count_cells,
    count_columns,
    counts_in_words,
    number_cell,
    quantity,
    status_cell,
    status_line,
)
from dwatch.services.reports import RunState, StatusCounts

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import datetime, tzinfo

    from dwatch.report.document import Block, Line
    from dwatch.services.reports import CheckRun, Problem, RunReport

_RAN = {RunState.complete, RunState.failed, RunState.interrupted}


def run_document(report: RunReport, zone: tzinfo, *, slowest: int = 0) -> Document:
    """Build the document; ``slowest`` checks are listed by their duration."""
    now = report.started_at
    ran = [check for check in report.checks if check.state in _RAN]
    blocks: list[Block] = [*module_failures(report.module_failures)]
    if ran:
        blocks.append(_status_table(ran))
    for check in sorted(ran, key=_severity, reverse=True):
        blocks.extend(_details(check))
    blocks.extend(_not_run(report, now, zone))
    if slowest > 0 and ran:
        blocks.append(_slowest(ran, slowest))
    blocks.append(_summary(report, ran, zone))
    return Document(tuple(blocks))


def has_problems(report: RunReport) -> bool:
    """Tell whether there is anything that ``--quiet`` must not hide."""
    return bool(
        report.module_failures
        or report.interrupted_by is not None
        or any(is_problem(check, report) for check in report.checks)
    )


def is_problem(check: CheckRun, report: RunReport) -> bool:
    """Tell whether somebody should look at this check."""
    if check.state is RunState.held:
        return check.slug in report.requested_by_name
    worst = check.counts.worst
    return (
        check.state in {RunState.failed, RunState.interrupted, RunState.not_started}
        or check.errors > 0
        or (worst is not None and worst.is_problem)
    )


def _severity(check: CheckRun) -> tuple[int, int]:
    worst = _worst(check)
    return (-1 if worst is None else worst.severity, check.errors)


def _worst(check: CheckRun) -> Status | None:
    """Return the worst status; a check that raised is never better than unknown."""
    found = [] if check.counts.worst is None else [check.counts.worst]
    raised = check.errors > 0 or check.state is RunState.failed
    return Status.worst([*found, Status.unknown] if raised else found)


def _status_table(ran: list[CheckRun]) -> Table:
    optional = [
        (title, tone, values)
        for title, tone, values in (
            ("changed", Tone.strong, [check.status_changes for check in ran]),
            ("errors", Tone.bad, [check.errors for check in ran]),
        )
        if any(values)
    ]
    rows = tuple(
        (
            Cell.of(clean(check.slug), Tone.strong),
            status_cell(_worst(check)),
            *count_cells(check.counts),
            *(number_cell(values[index], tone) for _, tone, values in optional),
            Cell.of(duration(check.duration), Tone.dim),
        )
        for index, check in enumerate(ran)
    )
    columns = (
        Column("check", essential=True),
        Column("status", essential=True),
        *count_columns(),
        *(Column(title, align="right") for title, _, _ in optional),
        Column("time", align="right"),
    )
    return Table(columns, rows)


def _details(check: CheckRun) -> list[Block]:
    """Build what is to say of one check beyond its row: error, payloads, notes."""
    remarks = list(_remarks(check))
    if not remarks and not check.problems:
        return []
    heading = (Span(clean(check.slug), Tone.strong), Span("  "), Span(clean(check.title), Tone.dim))
    head = (heading, *((Span("  "), remark) for remark in remarks))
    return [_problems(check, head)] if check.problems else [Paragraph(head)]


def _remarks(check: CheckRun) -> Iterable[Span]:
    if check.error:
        yield Span(f"The check itself raised {clean(check.error)}", Tone.bad)
    if check.state is RunState.interrupted:
        yield Span("Interrupted: what was judged is stored; it stays due.", Tone.warning)
    asides = (
        (check.skipped, "skipped"),
        (check.gone, "gone"),
        (check.vanished, "vanished"),
        (check.duplicates, "with an identifier that came before"),
    )
    said = [f"{number:,} {what}" for number, what in asides if number]
    if said:
        yield Span(f"{', '.join(said)}", Tone.dim)
    if check.unconfirmed:
        what = f"{check.unconfirmed:,} unconfirmed: dwatch show {clean(check.slug)} --unconfirmed"
        yield Span(what, Tone.dim)
    for note in check.notes:
        yield Span(clean(note), Tone.warning)


def _problems(check: CheckRun, heading: tuple[Line, ...]) -> Table:
    rows = tuple(_problem_row(problem) for problem in check.problems)
    hidden = check.counts.problems - check.unstored.problems - len(check.problems)
    if hidden > 0:
        more = f"{hidden:,} more: dwatch show {clean(check.slug)}"
        rows += ((Cell.of("", Tone.dim), Cell.of("…", Tone.dim), Cell.of(more, Tone.dim)),)
    columns = (Column(essential=True), Column(width=40), Column(width=100))
    return Table(columns, rows, heading, indent=2)


def _problem_row(problem: Problem) -> tuple[Cell, ...]:
    tells_more = problem.description and problem.description != problem.identifier
    said = [Span(clean(problem.description))] if tells_more else []
    if problem.error:
        said += [Span("  ")] if said else []
        said += [Span(clean(problem.error), Tone.bad)]
    return (
        status_cell(problem.status),
        Cell.of(clean(problem.identifier) or "(empty)", Tone.strong),
        Cell((tuple(said),)),
    )


def _not_run(report: RunReport, now: datetime, zone: tzinfo) -> list[Block]:
    lines: list[tuple[Span, ...]] = [
        (Span(clean(check.slug), Tone.strong), Span(f"  {sentence}", tone))
        for check in report.checks
        for sentence, tone in _why_not(check, report, now, zone)
    ]
    waiting = [clean(c.slug) for c in report.checks if c.state is RunState.not_started]
    if waiting:
        said = f"Not started, because the run ended early: {', '.join(waiting)}"
        lines.append((Span(said, Tone.warning),))
    return [Paragraph(tuple(lines))] if lines else []


def _why_not(
    check: CheckRun, report: RunReport, now: datetime, zone: tzinfo
) -> Iterable[tuple[str, Tone]]:
    if check.state is RunState.not_due and check.slug in report.requested_by_name:
        when = both(check.next_slot, now, zone) if check.next_slot else "never by itself"
        yield f"is not due; next run {when}. Use --force to run it now.", Tone.normal
    elif check.state is RunState.held:
        who = f" by {clean(check.held_by)}" if check.held_by else ""
        since = f", started {both(check.held_since, now, zone)}" if check.held_since else ""
        yield f"is being run{who}{since}.", Tone.warning


def _slowest(ran: list[CheckRun], number: int) -> Block:
    ranked = sorted(ran, key=lambda check: check.duration, reverse=True)[:number]
    rows = tuple(
        (
            Cell.of(clean(check.slug), Tone.strong),
            Cell.of(duration(check.duration)),
            number_cell(check.counts.total),
            Cell.of(_rate(check), Tone.dim),
        )
        for check in ranked
    )
    columns = (
        Column("slowest", essential=True),
        Column("time", align="right"),
        Column("payloads", align="right"),
        Column("rate", align="right"),
    )
    return Table(columns, rows)


def _rate(check: CheckRun) -> str:
    if not check.duration or not check.counts.total:
        return "-"
    return f"{check.counts.total / check.duration:,.0f}/s"


def _summary(report: RunReport, ran: list[CheckRun], zone: tzinfo) -> Block:
    if not ran:
        return Paragraph.of(_nothing_ran(report, zone), Tone.dim)
    counts = StatusCounts.of(
        {status: sum(getattr(check.counts, status.name) for check in ran) for status in Status}
    )
    worst = Status.worst(worst for check in ran if (worst := _worst(check)) is not None)
    said = f"  {quantity(len(ran), 'check')}, {quantity(counts.total, 'payload')}: "
    said += f"{counts_in_words(counts)}; {duration(report.duration)}"
    lines: list[tuple[Span, ...]] = [(*status_line(worst), Span(said))]
    errors = sum(check.errors for check in ran)
    if errors:
        lines.append((Span(quantity(errors, "error"), Tone.bad),))
    unconfirmed = sum(check.unconfirmed for check in ran)
    if unconfirmed:
        said = f"{unconfirmed:,} unconfirmed: worse, but not yet in as many runs as the check asks"
        lines.append((Span(said, Tone.dim),))
    if report.dry_run:
        lines.append((Span("Dry run: nothing was stored.", Tone.warning),))
    if report.interrupted_by is not None:
        lines.append((Span("Interrupted: what was judged is stored.", Tone.warning),))
    return Paragraph(tuple(lines))


def _nothing_ran(report: RunReport, zone: tzinfo) -> str:
    if not report.checks:
        return "There is no check."
    if any(check.state is not RunState.not_due for check in report.checks):
        return "No check ran."
    slots = [(check.next_slot, clean(check.slug)) for check in report.checks if check.next_slot]
    if not slots:
        return "Nothing is due."
    moment, slug = min(slots)
    return f"Nothing is due; next is {slug} {both(moment, report.started_at, zone)}."
