"""Every report in every form: what must be read in it, and what must never reach a terminal."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, timedelta
from typing import TYPE_CHECKING

import pytest

from dwatch.core.plan import DueState
from dwatch.core.status import Status
from dwatch.report import plain, schema, terminal
from dwatch.report.cleanup import cleanup_document
from dwatch.report.doctor import doctor_document
from dwatch.report.listing import list_document
from dwatch.report.results import result_document, results_document
from dwatch.report.run import has_problems, run_document
from dwatch.report.trial import trial_document
from dwatch.services.gate import ExitCode
from dwatch.services.reports import (
    CleanupReport,
    DoctorReport,
    Finding,
    ModuleFailure,
    Problem,
    RunState,
    StatusCounts,
    TimelineEntry,
    TrialReport,
)
from tests.report.values import (
    NOW,
    a_check,
    a_failing_check,
    a_list,
    a_listing,
    a_result,
    a_run,
    an_unconfirmed_status,
    everything_of_a_result,
    results,
)

if TYPE_CHECKING:
    from dwatch.report.document import Document

NASTY = "[red]x[/] \x1b[31mred\x07 \u202etxet " + "long " * 200
FAILURE = ModuleFailure("shop.checks", "ImportError: no wallets", "Traceback ...")


def texts(document: Document) -> list[str]:
    """Return the document plain, on a wide terminal, on a narrow one, and in colour."""
    return [
        plain.render(document),
        terminal.render(document, width=160, colour=False),
        terminal.render(document, width=40, colour=False),
        terminal.render(document, width=160, colour=True),
    ]


def said(document: Document) -> str:
    return plain.render(document)


def test_run__names_problems_errors_and_what_was_left_out() -> None:
    check = a_failing_check(
        errors=2, skipped=3, gone=1, vanished=4, duplicates=5, status_changes=6, notes=("a note",)
    )
    text = said(run_document(a_run(check), UTC))
    for part in ("Wallet of Ada: -12.00", "3 skipped", "4 vanished", "a note", "2 errors"):
        assert part in text
    assert "6 more: dwatch show wallet_balance" in text


def test_run__failed_interrupted_held_not_due_not_started() -> None:
    checks = (
        a_check(slug="failed", state=RunState.failed, error="OSError: no disk", errors=1),
        a_check(slug="interrupted", state=RunState.interrupted),
        a_check(slug="held", state=RunState.held, held_by="web1 (pid 3)", held_since=NOW),
        a_check(slug="held2", state=RunState.held),
        a_check(slug="waiting", state=RunState.not_due, next_slot=NOW + timedelta(hours=1)),
        a_check(slug="manual", state=RunState.not_due),
        a_check(slug="later", state=RunState.not_started),
    )
    report = a_run(
        *checks,
        requested_by_name=frozenset({"waiting", "manual"}),
        module_failures=(FAILURE,),
        interrupted_by=2,
        dry_run=True,
    )
    text = said(run_document(report, UTC, slowest=3))
    for part in (
        "The check itself raised OSError: no disk",
        "web1 (pid 3)",
        "is not due; next run in 1 h",
        "never by itself",
        "Not started, because the run ended early: later",
        "shop.checks",
        "Dry run",
        "Interrupted",
        "slowest",
    ):
        assert part in text
    assert has_problems(report)


@pytest.mark.parametrize(
    ("checks", "text"),
    [
        ((), "There is no check."),
        ((a_check(state=RunState.held),), "No check ran."),
        ((a_check(state=RunState.not_due),), "Nothing is due."),
        (
            (a_check(state=RunState.not_due, next_slot=NOW + timedelta(minutes=3)),),
            "Nothing is due; next is wallet_balance in 3 min",
        ),
    ],
)
def test_run__nothing_ran(checks: tuple[object, ...], text: str) -> None:
    assert text in said(run_document(a_run(*checks), UTC))  # type: ignore[arg-type]


def test_run__fewer_than_no_slowest_checks_are_none() -> None:
    assert "slowest" not in said(run_document(a_run(a_check(), a_check()), UTC, slowest=-1))


def test_run__raised_and_nothing_else_is_never_shown_as_ok() -> None:
    check = a_check(state=RunState.failed, error="x", errors=1, counts=StatusCounts(ok=3))
    text = said(run_document(a_run(check), UTC))
    assert "unknown" in text
    assert not text.startswith("ok")


@pytest.mark.parametrize(
    "document",
    [
        run_document(
            a_run(
                a_failing_check(
                    slug="s" * 300,
                    title=NASTY,
                    error=NASTY,
                    notes=(NASTY,),
                    problems=(
                        Problem(NASTY, Status.critical, NASTY, NASTY),
                        Problem("", Status.unknown, "", NASTY),
                    ),
                ),
                module_failures=(replace(FAILURE, error=NASTY),),
            ),
            UTC,
            slowest=1,
        ),
        list_document(a_list(a_listing(slug="s" * 300, title=NASTY, owner=NASTY)), UTC),
        results_document(results(a_result(identifier=NASTY, description=NASTY, error=NASTY)), UTC),
        result_document(
            everything_of_a_result(
                result=a_result(description=NASTY, data={NASTY: NASTY}),
                formatted_data=NASTY,
                traceback=NASTY,
                tags=(NASTY,),
            ),
            UTC,
        ),
    ],
    ids=["run", "list", "results", "result"],
)
def test_untrusted_text__is_neither_markup_nor_control_codes(document: Document) -> None:
    wide = texts(document)
    for text in wide[:3]:
        assert "\x1b" not in text
        assert "\x07" not in text
        assert "\u202e" not in text
    assert "\x1b[31mred" not in wide[3]
    assert "[red]x[/]" in wide[0]


def test_tables__fit_the_terminal() -> None:
    document = list_document(a_list(a_listing(slug="s" * 300, title="t" * 300)), UTC)
    for width in (60, 80, 200):
        lines = terminal.render(document, width=width, colour=False).splitlines()
        assert max(map(len, lines)) <= width


def test_list__states() -> None:
    checks = (
        a_listing(slug="never", state=DueState.never, last_run_at=None),
        a_listing(slug="due", state=DueState.due, last_errors=2),
        a_listing(slug="overdue", state=DueState.overdue, last_run_state="failed"),
        a_listing(slug="manual", state=DueState.manual, expression="", next_slot=None),
        a_listing(slug="running", running_since=NOW, running_by="web1"),
        a_listing(slug="ahead", clock_stepped_back=True, schedule=""),
    )
    report = a_list(*checks, module_failures=(FAILURE,), removed=(("old", 7),))
    text = said(list_document(report, UTC))
    for part in (
        "never",
        "due now",
        "overdue",
        "failed",
        "2 errors",
        "on demand",
        "is being run by web1",
        "check the clock",
        "old no longer exists; it has 7 results",
        "shop.checks",
    ):
        assert part in text
    assert "No checks." in said(list_document(a_list(), UTC))


def test_results__vanished_acknowledged_and_limited() -> None:
    rows = (
        a_result(vanished_at=NOW, error="ValueError: x"),
        a_result(identifier="", acknowledged_until=NOW + timedelta(days=1)),
    )
    text = said(results_document(results(*rows, matching=9), UTC))
    for part in ("vanished", "acknowledged until", "2 of 9 results; --limit 9", "(empty)"):
        assert part in text
    assert "No results match." in said(results_document(results(), UTC))
    assert "1 of 1 results." in said(results_document(results(a_result()), UTC))


def test_unconfirmed__is_told_everywhere_and_is_no_problem() -> None:
    report = a_run(a_check(unconfirmed=2), a_check(slug="other", unconfirmed=1_000))
    text = said(run_document(report, UTC))
    assert "2 unconfirmed: dwatch show wallet_balance --unconfirmed" in text
    assert "1,002 unconfirmed: worse, but not yet" in text
    assert not has_problems(report)
    assert "unconfirmed" not in said(run_document(a_run(a_check()), UTC))
    listed = said(list_document(a_list(a_listing(unconfirmed=3), a_listing()), UTC))
    assert listed.count("3 unconfirmed") == 1
    waiting = an_unconfirmed_status()
    rows = a_result(status=Status.ok, unconfirmed=waiting), a_result(status=Status.ok)
    shown = results(*rows)
    listed = said(results_document(replace(shown, check=a_listing(unconfirmed=1)), UTC))
    assert "1 unconfirmed" in listed
    assert listed.count("[critical in 2 of 3 runs] Wallet of Ada") == 1
    whole = said(result_document(everything_of_a_result(result=rows[0]), UTC))
    for part in ("critical in 2 of 3 runs, first", "10 min ago", "-99.00"):
        assert part in whole


@pytest.mark.parametrize(
    ("runs", "needed", "words"),
    [
        (1, 2, "critical in 1 of 2 runs"),
        (2, 1, "critical in 2 runs; the next one shows it"),
        (1, 1, "critical in 1 run; the next one shows it"),
    ],
)
def test_unconfirmed__in_words(runs: int, needed: int, words: str) -> None:
    waiting = an_unconfirmed_status(runs=runs, confirm_after=needed, description="", data={})
    result = a_result(status=Status.ok, unconfirmed=waiting)
    assert f"{words}, first" in said(result_document(everything_of_a_result(result=result), UTC))


def test_result__tells_everything() -> None:
    report = everything_of_a_result(
        result=a_result(
            error="ValueError: x",
            vanished_at=NOW,
            acknowledged_until=NOW + timedelta(days=2),
            acknowledged_by="ada",
            acknowledged_reason="known",
        ),
        traceback="Traceback\n  line",
        config={"limit": 5},
        users=("ada",),
        groups=("finance",),
        tags=("later",),
        check=a_listing(runbook="https://example.com", last_run_at=None, next_slot=None),
        timeline=(
            TimelineEntry(NOW, "status", Status.unknown, Status.ok, "Schedule"),
            TimelineEntry(NOW, "status", None, Status.unknown, ""),
            TimelineEntry(NOW, "acknowledged", Status.critical, None, "by ada"),
        ),
    )
    text = said(result_document(report, UTC))
    for part in ("by ada: known", "limit", "finance", "later", "https://example.com", "  line"):
        assert part in text
    assert "unknown → ok" in text


@pytest.mark.parametrize("outcome", ["judged", "skipped", "gone"])
def test_trial__outcomes(outcome: str) -> None:
    report = TrialReport(
        slug="s",
        identifier="1",
        outcome=outcome,
        status=Status.ok if outcome == "judged" else None,
        description="d" if outcome == "judged" else "",
        data={"a": 1} if outcome == "judged" else {},
        error="E: x" if outcome == "judged" else "",
        traceback="Traceback" if outcome == "judged" else "",
        users=("ada",) if outcome == "judged" else (),
        groups=("g",) if outcome == "judged" else (),
        duration=0.1,
        queries=("SELECT 1",) if outcome == "judged" else (),
        stored_status=None,
    )
    for text in texts(trial_document(report)):
        assert "Nothing was stored" in text
    assert json.loads(schema.trial_json(report))["schema"] == "dwatch/trial"


def test_cleanup_and_doctor() -> None:
    cleaned = CleanupReport(
        dry_run=False, removed_checks=(("old", 3),), vanished_results=1, status_changes=2, runs=4
    )
    for report in (cleaned, replace(cleaned, dry_run=True)):
        assert "old" in said(cleanup_document(report))
        assert json.loads(schema.cleanup_json(report))["version"] == 1
    nothing = CleanupReport(
        dry_run=False, removed_checks=(), vanished_results=0, status_changes=0, runs=0
    )
    assert said(cleanup_document(nothing))
    sick = DoctorReport(
        (
            Finding("database", "error", "is down", "start it"),
            Finding("schedules", "warning", "overdue: x"),
            Finding("settings", "ok", "fine"),
        )
    )
    text = said(doctor_document(sick))
    assert "is down" in text
    assert "start it" in text
    assert "All is well" not in text
    assert "All is well" in said(doctor_document(DoctorReport(())))


def test_json__is_versioned_and_complete() -> None:
    run = json.loads(schema.run_json(a_run(a_failing_check()), ExitCode.gate, name="run"))
    assert (run["schema"], run["version"]) == ("dwatch/run", 1)
    assert run["exit_code"] == 1
    listed = json.loads(schema.list_json(a_list(a_listing())))
    assert listed["checks"][0]["slug"] == "wallet_balance"
    row = a_result(unconfirmed=an_unconfirmed_status())
    shown = json.loads(schema.results_json(results(row, a_result())))
    assert shown["results"][0]["identifier"] == "17"
    assert shown["results"][0]["unconfirmed"]["status"] == "critical"
    assert shown["results"][1]["unconfirmed"] is None
    everything = json.loads(schema.result_json(everything_of_a_result()))
    assert everything["timeline"][0]["to_status"] == "critical"
