"""Connections that the server cuts in mid-run: PostgreSQL and MariaDB; SQLite has none to cut."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from django.db import Error, connection, transaction
from django.db.models import Q

from dwatch.core.status import Status
from dwatch.exceptions import ConfigurationError
from dwatch.models import CheckState, Result, Run, StatusChange
from dwatch.services.reports import RunState
from dwatch.store.transactions import write
from tests.faults.history import assert_history_is_unbroken
from tests.outages import cut_connection, in_threads
from tests.running import (
    judging,
    make_check,
    make_items,
    make_queryset_check,
    refresh,
    run,
)
from tests.testapp.models import Item

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from dwatch.services.reports import CheckRun

pytestmark = pytest.mark.django_db(transaction=True)

SERIALIZABLE = {
    "postgresql": "SET SESSION CHARACTERISTICS AS TRANSACTION ISOLATION LEVEL SERIALIZABLE",
    "mysql": "SET SESSION TRANSACTION ISOLATION LEVEL SERIALIZABLE",
    "sqlite": "SELECT 1",
}


@pytest.fixture(autouse=True)
def _small_batches(settings: Any) -> None:
    settings.DWATCH_BATCH_SIZE = settings.DWATCH_TRANSACTION_SIZE = 3


def assert_all_stored(done: CheckRun) -> None:
    assert done.state is RunState.complete, done.error
    assert (done.counts.ok, done.errors, done.duplicates) == (8, 0, 0)
    assert done.status_changes == StatusChange.objects.count() == Result.objects.count() == 8
    assert_history_is_unbroken()
    assert CheckState.objects.get().lease_token == ""
    assert Run.objects.get().ok == 8


def cut_after(start: str) -> Callable[..., Any]:
    """Return a wrapper of statements that cuts the connection after the second such one."""
    seen: list[str] = []

    def wrapper(execute: Any, sql: str, params: Any, many: Any, context: Any) -> Any:
        answer = execute(sql, params, many, context)
        if sql.replace('"', "").replace("`", "").startswith(start):
            seen.append(sql)
            if len(seen) == 2:
                cut_connection()
        return answer

    return wrapper


def test_cut_while_a_payload_is_judged__the_page_and_the_batch_after_it_get_through() -> None:
    items = make_items(*range(8))

    def cut_at_the_second_page(item: Item) -> Status:
        if item.pk == items[4].pk:
            cut_connection()
        return Status.ok

    make_check(check=judging(cut_at_the_second_page))
    assert_all_stored(run())


@pytest.mark.parametrize(
    "start",
    [
        "SELECT testapp_item",
        "UPDATE dwatch_checkstate SET lease_expires",
        "INSERT INTO dwatch_result",
        "INSERT INTO dwatch_statuschange",
    ],
    ids=["after a page", "after the fence", "after the results", "after the history"],
)
def test_cut_between_statements__nothing_is_lost_or_counted_twice(start: str) -> None:
    make_items(*range(8))
    make_check()
    with connection.execute_wrapper(cut_after(start)):
        done = run()
    assert_all_stored(done)


def test_cut_while_the_database_judges__the_question_is_asked_again() -> None:
    make_items(-1, 1, -2, -3, 2, -4, -5, -6)
    make_queryset_check(critical=Q(value__lt=0))
    with connection.execute_wrapper(cut_after("SELECT testapp_item")):
        done = run()
    assert (done.state, done.errors) == (RunState.complete, 0), done.error
    assert (done.counts.critical, done.counts.ok) == (6, 2)
    assert Result.objects.count() == 6
    assert_history_is_unbroken()


@pytest.mark.parametrize("arrives", [True, False], ids=["arrives", "never arrives"])
def test_cut_at_the_commit__the_batch_is_counted_once(
    monkeypatch: pytest.MonkeyPatch, *, arrives: bool
) -> None:
    make_items(*range(8))
    make_check()
    commit = connection.commit
    commits: list[int] = []

    def cut() -> None:
        commits.append(1)
        is_second_batch = len(commits) == BEGINNING + 2
        if is_second_batch and not arrives:
            cut_connection()
        commit()
        if is_second_batch and arrives:
            cut_connection()
            with connection.cursor() as cursor:  # as if the answer had not come through
                cursor.execute("SELECT 1")

    monkeypatch.setattr(connection, "commit", cut)
    done = run()
    monkeypatch.undo()
    assert_all_stored(done)


BEGINNING = 3  # transactions before the first batch's: the check's row, the lease, the run


def test_cut_during_a_query_of_the_authors__that_payload_is_unknown_and_no_other() -> None:
    items = make_items(*range(8))

    def cut_and_ask(item: Item) -> Status:
        if item.pk == items[1].pk:
            cut_connection()
        return Status.ok if Item.objects.filter(pk=item.pk).exists() else Status.critical

    make_check(check=judging(cut_and_ask))
    done = run()
    unknown = 0 if connection.vendor == "sqlite" else 1
    assert (done.state, done.errors) == (RunState.complete, unknown)
    assert (done.counts.unknown, done.counts.ok) == (unknown, 8 - unknown)


def test_cut_before_payloads_are_loaded_again__the_refresh_gets_through() -> None:
    make_items(*range(8))
    make_check()
    run()

    def cut_and_load(self: Any, identifiers: Any) -> Any:
        if not loads:
            cut_connection()
        loads.append(len(identifiers))
        return self.model_class.objects.in_bulk(map(int, identifiers))

    loads: list[int] = []
    make_check(
        get_payloads=lambda self, ids: {str(k): v for k, v in cut_and_load(self, ids).items()}
    )
    done = refresh()
    assert (done.state, done.errors, done.counts.ok) == (RunState.complete, 0, 8)


def test_cut_of_an_open_cursor__the_run_fails_and_nothing_vanishes() -> None:
    def generate(_self: Any) -> Iterator[Item]:
        for number, item in enumerate(Item.objects.order_by("pk").iterator(chunk_size=2)):
            if number == 4 and cuts:
                cuts.pop()
                cut_connection()
                Item.objects.count()
            yield item

    cuts: list[int] = []
    make_items(*range(8))
    make_check(generate=generate)
    assert run().state is RunState.complete
    cuts.append(1)
    done = run()
    if connection.vendor != "sqlite":
        assert done.state is RunState.failed
        assert done.error
    assert Result.objects.visible().count() == 8
    assert run().state is RunState.complete


def test_cut_in_a_transaction_of_the_callers__is_the_callers_to_mend() -> None:
    make_items(*range(8))
    make_check()
    if connection.vendor == "sqlite":
        return
    with pytest.raises((Error, ConfigurationError)), transaction.atomic():
        cut_connection()
        run()
    assert Result.objects.count() == 0
    assert run().state is RunState.complete


def test_serialisation_failures__no_increment_is_lost() -> None:
    (item,) = make_items(0)

    def increment() -> None:
        value = Item.objects.get(pk=item.pk).value
        Item.objects.filter(pk=item.pk).update(value=value + 1)

    def work() -> None:
        with connection.cursor() as cursor:
            cursor.execute(SERIALIZABLE[connection.vendor])
        for _ in range(10):
            write(increment)

    in_threads(*[work] * 3)
    assert Item.objects.get().value == 30
