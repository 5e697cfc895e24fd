from __future__ import annotations

import threading
from typing import NoReturn

import pytest
from django.db import DataError, IntegrityError, OperationalError, connection, transaction

from dwatch.exceptions import DatabaseBusyError
from dwatch.outages import Outage
from dwatch.store.transactions import write
from tests.testapp.models import Item


class Failing:
    """Work that fails a number of times before it succeeds."""

    def __init__(self, *errors: Exception) -> None:
        self.errors = list(errors)

    def __call__(self) -> str:
        Item.objects.create(name="written")
        if self.errors:
            raise self.errors.pop(0)
        return "done"


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize(
    "error",
    [
        OperationalError("database is locked"),
        OperationalError(1213, "Deadlock found"),
        IntegrityError("somebody was faster"),
    ],
)
def test_write__tries_again_what_passes_and_leaves_no_half(error: Exception) -> None:
    assert write(Failing(error, error)) == "done"
    assert Item.objects.count() == 1


@pytest.mark.django_db(transaction=True)
def test_write__postgresql_codes_are_transient() -> None:
    class Deadlock(Exception):  # noqa: N818 - as the driver's
        sqlstate = "40P01"

    error = OperationalError("deadlock")
    error.__cause__ = Deadlock()
    assert write(Failing(error)) == "done"


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("error", [OperationalError("disk full"), DataError("too long")])
def test_write__other_errors_are_raised_at_once(error: Exception) -> None:
    work = Failing(error, error)
    with pytest.raises(type(error)):
        write(work)
    assert work.errors == [error]
    assert Item.objects.count() == 0


@pytest.mark.django_db(transaction=True)
def test_write__gives_up_in_the_end(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("dwatch.outages._FIRST_DELAY", 0.0)
    work = Failing(*[OperationalError("database is locked")] * 100_000)
    with pytest.raises(DatabaseBusyError, match="locked for 0 seconds: database is locked"):
        write(work, patience=0.1)
    assert 1 < 100_000 - len(work.errors) < 100_000
    assert Item.objects.count() == 0


@pytest.mark.django_db(transaction=True)
def test_write__that_reads_first_waits_for_another_writer(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("dwatch.outages._PATIENCE", {Outage.busy: 0, Outage.lost: 0})
    written, finish = threading.Event(), threading.Event()

    def other_writer() -> None:
        try:
            with transaction.atomic():
                Item.objects.create(name="other")
                written.set()
                finish.wait(0.5)
        finally:
            connection.close()

    def read_and_write() -> int:
        seen = Item.objects.filter(name="mine").count()
        Item.objects.create(name="mine")
        return seen

    writer = threading.Thread(target=other_writer)
    writer.start()
    written.wait()
    assert write(read_and_write) == 0
    writer.join()
    assert Item.objects.count() == 2


@pytest.mark.django_db(transaction=True)
def test_write__within_a_transaction_of_the_callers_tries_once() -> None:
    work = Failing(*[OperationalError("database is locked")] * 2)

    def attempt() -> NoReturn:
        with transaction.atomic():
            write(work)
        raise AssertionError

    with pytest.raises(OperationalError):
        attempt()
    assert len(work.errors) == 1


def answered_never(monkeypatch: pytest.MonkeyPatch, *, arrives: bool) -> None:
    """Let the next COMMIT be cut off before the server gets it, or before it answers."""
    commit = connection.commit

    def cut() -> NoReturn:
        monkeypatch.undo()
        if arrives:
            commit()
        connection.close()
        raise OperationalError(2013, "Lost connection during query")

    monkeypatch.setattr(connection, "commit", cut)


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("arrives", [True, False])
def test_write__commit_that_nobody_answered_counts_once(
    monkeypatch: pytest.MonkeyPatch, *, arrives: bool
) -> None:
    answered_never(monkeypatch, arrives=arrives)
    calls: list[int] = []

    def work() -> int:
        calls.append(Item.objects.create(name="written").pk)
        return calls[-1]

    done = write(work, landed=lambda: Item.objects.filter(pk=calls[-1]).exists())
    assert list(Item.objects.values_list("pk", flat=True)) == [done]
    assert len(calls) == (1 if arrives else 2)
