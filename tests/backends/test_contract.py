"""What every backend promises, whatever the number of its workers."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any, NamedTuple

import pytest
from django.contrib.auth.models import User

from dwatch.core.registry import register
from dwatch.core.status import Status
from dwatch.models import CheckState, Result
from dwatch.services.configure import configure
from dwatch.services.reports import RunState
from dwatch.services.requests import RunRequest
from dwatch.services.run import run_checks
from tests.backends import contract
from tests.faults.history import assert_history_is_unbroken
from tests.running import make_items, refresh, run
from tests.testapp.models import Item

if TYPE_CHECKING:
    from pathlib import Path

    from dwatch.core.check import BaseCheck
    from dwatch.querysets import ResultQuerySet
    from dwatch.services.reports import CheckRun

pytestmark = pytest.mark.django_db(transaction=True)

BY_IDENTIFIER = "Payloads that cannot be pickled were loaded anew in the workers, by identifier."
INLINE = (
    "Payloads that can neither be pickled nor found by their identifiers were judged "
    "in the main process."
)


@pytest.fixture(params=["synchronous 1", "process 1", "process 2", "process 4"])
def backend(request: pytest.FixtureRequest, settings: Any) -> str:
    name, workers = request.param.split()
    return choose(settings, name, int(workers))


@pytest.fixture(params=[1, 4])
def processes(request: pytest.FixtureRequest, settings: Any) -> str:
    return choose(settings, "process", request.param)


def choose(settings: Any, name: str, workers: int) -> str:
    settings.DWATCH_BACKEND = f"dwatch.backends.{name}"
    settings.DWATCH_WORKERS = workers
    settings.DWATCH_BATCH_SIZE = 5
    return name


def judged(check_class: type[BaseCheck], **options: Any) -> CheckRun:
    register(check_class)
    report = run(check_class.slug, **options)
    assert not CheckState.objects.exclude(lease_token="").exists()
    assert_history_is_unbroken()
    return report


def results() -> ResultQuerySet:
    return Result.objects.visible().order_by("pk")


def statuses(check_class: type[BaseCheck]) -> dict[str, str]:
    rows = results().filter(check_state__slug=check_class.slug)
    return {_name(row): Status(row.status).name for row in rows}


def errors(check_class: type[BaseCheck]) -> dict[str, str]:
    rows = results().filter(check_state__slug=check_class.slug).exclude(error="")
    return {_name(row): row.error for row in rows}


_MODELS = {"verdicts", "judged-by-database"}


def _name(row: Result) -> str:
    """Return what names the payload in every run of the tests: no primary key."""
    return row.description if row.check_state.slug in _MODELS else row.identifier


class Expected(NamedTuple):
    """What a run makes of a check, wherever it is judged."""

    statuses: dict[str, str]
    errors: dict[str, str] = {}  # noqa: RUF012 - not changed
    report: dict[str, Any] = {}  # noqa: RUF012 - as above
    notes: set[str] = set()  # noqa: RUF012 - as above
    """Of worker processes; others need none."""


MODEL = {"raise": "unknown", "exit": "unknown", "ctrl-c": "unknown", "none": "unknown"}
REMEMBERED = {**dict.fromkeys("abc", "ok"), **dict.fromkeys("defgh", "warning")}
STUCK = {"picklable": "ok", "a": "ok", "b": "warning", "c": "ok", "x1": "ok", "x2": "warning"}
EXPECTED: dict[type[BaseCheck], Expected] = {
    contract.Verdicts: Expected(
        {**MODEL, "ok": "ok", "warning": "warning", "critical": "critical", "data": "warning"},
        {
            "raise": "ValueError: no such item",
            "exit": "SystemExit: 3",
            "ctrl-c": "KeyboardInterrupt",
            "none": "InvalidResponseError: check() returned None; "
            "return a Status (such as Status.ok) or a CheckResponse",
        },
        {"errors": 4, "skipped": 1},
    ),
    contract.Repeated: Expected(
        {"1": "warning", "2": "critical", "3": "ok", "4": "ok", "5": "ok"}, {}, {"duplicates": 3}
    ),
    # Each page is loaded later than the one before, and the first one is judged last.
    contract.RepeatedRows: Expected({"all": "critical"}, {}, {"duplicates": 8}),
    contract.Breaks: Expected(
        {str(number): "ok" for number in range(12)},
        {},
        {"state": RunState.failed, "error": "LookupError: no more", "vanished": 0},
    ),
    contract.Remembers: Expected(REMEMBERED),
    contract.RemembersLock: Expected(
        REMEMBERED,
        notes={
            (
                "Judged in the main process: what its instance remembers cannot be pickled "
                "(TypeError: cannot pickle '_thread.lock' object)."
            )
        },
    ),
    contract.RemembersRows: Expected(
        {"a": "ok", "b": "ok"},
        notes={
            (
                "Judged in the main process: what its instance remembers cannot be pickled "
                "(PicklingError: it holds a queryset)."
            )
        },
    ),
    contract.JudgedByDatabase: Expected({"warning": "warning"}),
    contract.Unpicklable: Expected(STUCK, notes={BY_IDENTIFIER, INLINE}),
    contract.Unreadable: Expected(STUCK, notes={BY_IDENTIFIER, INLINE}),
    contract.LosesExtra: Expected({"a": "ok"}, notes={BY_IDENTIFIER, INLINE}),
    contract.Nested.Local: Expected(
        dict.fromkeys("abcdefghijkl", "ok"),
        notes={"Judged in the main process: its class is not at the top of a module."},
    ),
    contract.Slow: Expected(
        {word: "unknown" if "hang" in word else "ok" for word in contract.Slow.words},
        dict.fromkeys(["hang", "hang but catch"], "timed out after 0.7 s"),
        {"errors": 2},
    ),
}


def test_checks_of_all_kinds__are_judged_alike(backend: str) -> None:
    for note in ["ok", "warning", "critical", "raise", "exit", "ctrl-c", "none", "data", "skip"]:
        Item.objects.create(name=note, note=note, value=-1 if note == "ok" else 1)
    for check_class in EXPECTED:
        register(check_class)
    reports = run_checks(RunRequest(force=True)).checks
    assert [report.slug for report in reports] == sorted(cls.slug for cls in EXPECTED)
    for check_class, expected in EXPECTED.items():
        report = next(report for report in reports if report.slug == check_class.slug)
        seen = Expected(
            statuses(check_class),
            errors(check_class),
            {name: getattr(report, name) for name in expected.report},
            set(report.notes),
        )
        notes = expected.notes if backend == "process" else set()
        assert seen == expected._replace(notes=notes), check_class.slug
        # A QuerySetCheck counts rows that are fine and stores none of them.
        stored = report.counts.total - report.unstored.total
        assert stored == len(expected.statuses)
        assert report.state in (RunState.complete, expected.report.get("state"))
    verdicts = next(report for report in reports if report.slug == "verdicts")
    assert [problem.description for problem in verdicts.problems] == [
        "critical",
        "raise",
        "exit",
        "ctrl-c",
        "none",
    ]
    assert Result.objects.get(description="data", check_state__slug="verdicts").data["value"] == 1
    assert not CheckState.objects.exclude(lease_token="").exists()
    assert_history_is_unbroken()


@pytest.mark.usefixtures("backend")
def test_refresh__what_is_gone_configured_and_assigned() -> None:
    items = make_items(*range(12))
    user = User.objects.create(username=items[3].name)
    assert judged(contract.Configured, dry_run=True).counts.ok == 12
    assert not Result.objects.exists()
    judged(contract.Configured)
    for item in items[6:8]:
        configure("configured", str(item.pk), {"least": 9}, user=None)
    items[0].delete()
    report = refresh("configured")
    assert (report.gone, report.counts.ok, report.counts.critical) == (1, 9, 2)
    assigned = {result.identifier: list(result.assigned_users.all()) for result in results()}
    assert assigned == {str(item.pk): [user] if item is items[3] else [] for item in items[1:]}


@pytest.mark.usefixtures("backend")
def test_signal__stores_what_was_judged_and_stays_due() -> None:
    report = judged(contract.Asked)
    assert report.state is RunState.interrupted
    stored = statuses(contract.Asked)
    assert "20" in stored, "the payload in hand was lost"
    assert len(stored) < 300
    assert CheckState.objects.get().handled_slot is None
    assert report.counts.total == len(stored)


@pytest.mark.usefixtures("processes")
def test_worker_that_dies__only_the_payload_is_blamed() -> None:
    report = judged(contract.Deadly)
    words = "the worker process died ({}) while judging this payload"
    assert errors(contract.Deadly) == {
        "segfault": words.format("signal 11"),
        "exit": words.format("exit code 7"),
        "kill": words.format("signal 9"),
        "deaf": "timed out after 0.7 s",
    }
    assert (report.state, report.counts.ok, report.errors) == (RunState.complete, 8, 4)


@pytest.mark.usefixtures("processes")
def test_worker_hit_from_outside__nothing_is_blamed(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("DWATCH_TEST_MARKER", str(tmp_path / "marker"))
    report = judged(contract.Hit)
    assert (report.counts.ok, report.errors, report.notes) == (6, 0, ())
    assert (tmp_path / "marker").exists()


@pytest.mark.usefixtures("processes")
def test_workers__open_connections_of_their_own() -> None:
    make_items(1, 2)
    judged(contract.Connected)
    data = Result.objects.get().data
    assert (data["inherited"], data["items"]) == (False, 2)
    assert data["pid"] != os.getpid()


def test_workers__settings_that_they_cannot_import(
    settings: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    choose(settings, "process", 2)
    monkeypatch.setattr("dwatch.backends.process.prepare", contract.prepare_not)
    report = judged(contract.Repeated)
    assert report.state is RunState.failed
    assert report.error == (
        "the workers cannot start: ImproperlyConfigured: no such setting. "
        "`--workers 1` does without them and shows more."
    )
