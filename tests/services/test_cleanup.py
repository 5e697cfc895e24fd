from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from dwatch.core.registry import registry
from dwatch.exceptions import ConfigurationError
from dwatch.models import CheckState, Result, Run, StatusChange
from dwatch.services.cleanup import clean_up
from dwatch.services.requests import CleanupRequest, RunRequest
from dwatch.services.run import run_checks
from dwatch.store import retention
from tests.running import make_check, make_items

pytestmark = pytest.mark.django_db


def age(days: int) -> datetime:
    return datetime.now(UTC) - timedelta(days=days)


def two_checks_of_which_one_is_removed() -> None:
    make_items(1, 2, 3)
    make_check("kept")
    make_check("removed")
    run_checks(RunRequest(force=True))
    run_checks(RunRequest(force=True))
    registry.restore({"kept": registry.get("kept")})


def test_cleanup__dry_run_counts_what_a_real_one_deletes() -> None:
    two_checks_of_which_one_is_removed()
    Run.objects.update(started_at=age(91))
    StatusChange.objects.update(changed_at=age(366))
    for slug in ("kept", "removed"):
        one = Result.objects.filter(check_state__slug=slug).order_by("pk")[0]
        Result.objects.filter(pk=one.pk).update(vanished_at=age(31))
    before = [model.objects.count() for model in (CheckState, Run, Result, StatusChange)]
    rehearsed = clean_up(CleanupRequest(dry_run=True))
    assert [model.objects.count() for model in (CheckState, Run, Result, StatusChange)] == before
    done = clean_up(CleanupRequest())
    assert (
        done.removed_checks,
        done.vanished_results,
        done.status_changes,
        done.runs,
    ) == (
        rehearsed.removed_checks,
        rehearsed.vanished_results,
        rehearsed.status_changes,
        rehearsed.runs,
    )
    assert done.removed_checks == (("removed", 3),)
    assert (done.vanished_results, done.status_changes, done.runs) == (1, 2, 2)


def test_cleanup__keeps_what_is_young_and_what_is_running() -> None:
    make_items(1)
    make_check()
    run_checks(RunRequest(force=True))
    Run.objects.update(state=Run.State.RUNNING, started_at=age(365))
    Result.objects.update(vanished_at=age(29))
    StatusChange.objects.update(changed_at=age(364))
    done = clean_up(CleanupRequest())
    assert (done.vanished_results, done.status_changes, done.runs) == (0, 0, 0)
    assert (Run.objects.count(), Result.objects.count(), StatusChange.objects.count()) == (1, 1, 1)


def test_cleanup__keeps_the_results_of_an_earlier_slug() -> None:
    make_items(1)
    make_check("earlier")
    run_checks(RunRequest(force=True))
    registry.restore({})
    make_check("now", aliases=("earlier",))
    assert clean_up(CleanupRequest()).removed_checks == ()
    assert Result.objects.count() == 1


def test_cleanup__refuses_when_no_check_is_registered_at_all() -> None:
    two_checks_of_which_one_is_removed()
    registry.restore({})
    with pytest.raises(ConfigurationError, match="no check is registered"):
        clean_up(CleanupRequest())
    assert Result.objects.count() == 6


def test_cleanup__keeps_a_result_that_comes_back_meanwhile() -> None:
    make_items(-1)
    make_check()
    run_checks(RunRequest(force=True))
    Result.objects.update(vanished_at=age(31))
    found: list[str] = []

    def come_back(execute: Any, sql: str, *arguments: Any) -> Any:
        rows = execute(sql, *arguments)
        if not found and sql.startswith("SELECT") and "vanished_at" in sql:
            found.append(sql)
            Result.objects.update(vanished_at=None)
        return rows

    with connection.execute_wrapper(come_back):
        assert clean_up(CleanupRequest()).vanished_results == 0
    assert found
    assert Result.objects.visible().count() == 1


def test_cleanup__goes_through_the_results_once(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    make_items(*range(12))
    make_check()
    run_checks(RunRequest(force=True))
    gone = list(Result.objects.order_by("pk").values_list("pk", flat=True))[1::2]
    Result.objects.filter(pk__in=gone).update(vanished_at=age(31))
    monkeypatch.setattr(retention, "_STEP", 2)

    with CaptureQueriesContext(connection) as captured:
        assert clean_up(CleanupRequest(history_older_than=None)).vanished_results == 6

    assert Result.objects.count() == 6
    pages = [
        re.search(r"dwatch_result\W+id\W+ > (\d+)", query["sql"])
        for query in captured
        if query["sql"].startswith("SELECT") and "vanished_at" in query["sql"]
    ]
    assert [int(page[1]) for page in pages if page] == [0, gone[1], gone[3], gone[5]]
