from __future__ import annotations

import threading
from typing import NoReturn

import pytest
from django.db import DataError, IntegrityError, OperationalError, connection, transaction

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
    monkeypatch.setattr("dwatch.store.transactions._DELAYS", (0.0, 0.0))
    work = Failing(*[OperationalError("database is locked")] * 3)
    with pytest.raises(OperationalError):
        write(work)
    assert work.errors == []


@pytest.mark.django_db(transaction=True)
def test_write__that_reads_first_waits_for_another_writer(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("dwatch.store.transactions._DELAYS", ())
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
