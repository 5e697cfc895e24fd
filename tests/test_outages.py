from __future__ import annotations

import time

import pytest
from django.db import (
    DataError,
    Error,
    IntegrityError,
    InterfaceError,
    OperationalError,
    ProgrammingError,
    connection,
    transaction,
)

from dwatch import outages
from dwatch.outages import Outage, drop_broken_connections, outage_of, persist
from tests.outages import cut_connection
from tests.testapp.models import Item


def from_driver(state: str | None, kind: type[Error] = OperationalError) -> Error:
    """Return Django's error for one of PostgreSQL's driver."""
    cause = type("DriverError", (Exception,), {"__module__": "psycopg.errors", "sqlstate": state})
    error = kind("as the server says")
    error.__cause__ = cause()
    return error


@pytest.mark.parametrize(
    ("error", "outage"),
    [
        (IntegrityError(1062, "Duplicate entry"), Outage.collision),
        (from_driver("40001"), Outage.busy),
        (from_driver("40P01"), Outage.busy),
        (from_driver("55P03"), Outage.busy),
        (from_driver("57P01"), Outage.lost),
        (from_driver("08006"), Outage.lost),
        (from_driver("25P03"), Outage.lost),
        (from_driver("57P05"), Outage.lost),
        (from_driver(None), Outage.lost),
        (from_driver(None, InterfaceError), Outage.lost),
        (from_driver(None, DataError), None),
        (from_driver("53100"), None),
        (from_driver("57014"), None),
        (OperationalError(1205, "Lock wait timeout exceeded"), Outage.busy),
        (OperationalError(1213, "Deadlock found"), Outage.busy),
        (OperationalError(2006, "Server has gone away"), Outage.lost),
        (OperationalError(2013, "Lost connection"), Outage.lost),
        (ProgrammingError(2014, "Commands out of sync"), Outage.lost),
        (InterfaceError(0, ""), Outage.lost),
        (OperationalError(1290, "read-only"), None),
        (OperationalError("database is locked"), Outage.busy),
        (OperationalError("database or disk is full"), None),
        (OperationalError(), None),
    ],
)
def test_outage_of(error: Error, outage: Outage | None) -> None:
    assert outage_of(error) is outage


@pytest.mark.django_db(transaction=True)
def test_persist__comes_back_after_the_connection_was_cut() -> None:
    Item.objects.create(name="there")
    cut_connection()
    assert persist(Item.objects.count, "default") == 1


@pytest.mark.django_db(transaction=True)
def test_persist__collision_after_a_long_try_is_tried_again(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setitem(outages._PATIENCE, Outage.collision, 0.01)
    calls: list[int] = []

    def work() -> int:
        calls.append(1)
        if len(calls) == 1:
            time.sleep(0.02)
            raise IntegrityError(1062, "Duplicate entry")
        return len(calls)

    assert persist(work, "default") == 2


@pytest.mark.django_db(transaction=True)
def test_persist__within_a_transaction_tries_once() -> None:
    calls: list[int] = []

    def work() -> None:
        calls.append(1)
        raise OperationalError(2013, "Lost connection")

    with pytest.raises(OperationalError), transaction.atomic():
        persist(work, "default")
    assert calls == [1]


@pytest.mark.django_db(transaction=True)
def test_persist__gives_up_at_once_on_what_waiting_does_not_mend() -> None:
    calls: list[int] = []

    def work() -> None:
        calls.append(1)
        raise OperationalError("database or disk is full")

    with pytest.raises(OperationalError):
        persist(work, "default")
    assert calls == [1]


@pytest.mark.django_db(transaction=True)
def test_drop_broken_connections__drops_those_only() -> None:
    def wrong() -> None:
        with connection.cursor() as cursor:
            cursor.execute("SELECT nonsense")

    Item.objects.count()
    assert not drop_broken_connections()
    with pytest.raises(Error):
        wrong()
    assert not drop_broken_connections()
    assert connection.connection is not None
    cut_connection()
    with pytest.raises(Error):
        wrong()
    # SQLite has no server that could cut anything.
    assert drop_broken_connections() == (connection.vendor != "sqlite")
    assert Item.objects.count() == 0


@pytest.mark.django_db
def test_drop_broken_connections__leaves_a_transaction_of_the_callers_alone() -> None:
    connection.errors_occurred = True
    assert not drop_broken_connections()
    assert connection.connection is not None
    connection.errors_occurred = False
