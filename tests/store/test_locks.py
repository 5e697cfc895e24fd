from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING

import pytest
from django.db import connection, transaction

from dwatch.exceptions import DatabaseBusyError
from dwatch.models import CheckState
from dwatch.outages import Outage
from dwatch.services.reports import RunState
from dwatch.store import states
from dwatch.store.transactions import write
from tests.outages import locked_by_another
from tests.running import make_check, make_items, run

if TYPE_CHECKING:
    from collections.abc import Iterator

NOW = datetime.now(UTC)
ASKS = {
    "postgresql": "SELECT current_setting('lock_timeout')"
    " || ' ' || current_setting('idle_in_transaction_session_timeout')",
    "mysql": "SELECT @@innodb_lock_wait_timeout",
    "sqlite": "SELECT 1",
}


def session() -> str:
    with connection.cursor() as cursor:
        cursor.execute(ASKS[connection.vendor])
        return str(cursor.fetchone()[0])


@pytest.fixture
def state() -> CheckState:
    return states.ensure_states([make_check()])["items"]


@pytest.fixture
def _hasty(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Wait for locks for one second at most."""
    monkeypatch.setattr("dwatch.store.locks.LOCK_SECONDS", 1)
    if connection.vendor != "sqlite":
        yield
        return
    with connection.cursor() as cursor:
        cursor.execute("PRAGMA busy_timeout = 200")
        yield
        cursor.execute("PRAGMA busy_timeout = 5000")


def lock_all_rows() -> None:
    CheckState.objects.update(lease_since=None)


@pytest.mark.django_db(transaction=True)
@pytest.mark.usefixtures("_hasty")
def test_locked_row__is_not_waited_for_longer_than_asked(state: CheckState) -> None:
    row = CheckState.objects.filter(pk=state.pk)
    with (
        locked_by_another(lock_all_rows),
        pytest.raises(DatabaseBusyError, match="others have kept the database locked"),
    ):
        write(lambda: row.update(lease_owner="me"), patience=0)
    write(lambda: row.update(lease_owner="me"))
    assert row.get().lease_owner == "me"


@pytest.mark.django_db(transaction=True)
@pytest.mark.usefixtures("_hasty")
def test_locked_row_of_a_check_in_work__is_held_and_named(state: CheckState) -> None:
    CheckState.objects.update(lease_token="x", lease_owner="a frozen one", lease_expires=None)
    with locked_by_another(lock_all_rows):
        assert states.acquire_lease(state, NOW, scheduled=False) is None


@pytest.mark.django_db(transaction=True)
@pytest.mark.usefixtures("_hasty")
def test_locked_row_that_nobody_has_leased__fails_the_check_and_no_other(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("dwatch.outages._PATIENCE", dict.fromkeys(Outage, 0.0))
    make_items(1)
    make_check()
    run()
    with locked_by_another(lock_all_rows):
        done = run()
    assert done.state is RunState.failed
    assert done.errors == 1
    assert "others have kept the database locked" in done.error
    assert run().state is RunState.complete


@pytest.mark.django_db(transaction=True)
def test_bounds__end_with_the_transaction(state: CheckState) -> None:
    before = session()
    within = write(session)
    assert session() == before
    if connection.vendor == "postgresql":
        assert within == "3s 1min"
    lease = states.acquire_lease(state, NOW, scheduled=False)
    assert lease is not None
    states.renew(lease)
    assert session() == before


@pytest.mark.django_db(transaction=True)
def test_bounds__are_not_set_in_a_transaction_of_the_callers(state: CheckState) -> None:
    before = session()
    with transaction.atomic():
        write(lambda: CheckState.objects.filter(pk=state.pk).update(lease_owner="me"))
        assert session() == before
