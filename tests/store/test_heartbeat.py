from __future__ import annotations

import threading
import time
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import pytest
from django.db import OperationalError, connections
from django.db.backends.signals import connection_created

from dwatch.core.status import Status
from dwatch.models import CheckState, Result
from dwatch.services.reports import RunState
from dwatch.store import states
from dwatch.store.heartbeat import kept_alive
from tests.running import judging, make_check, make_items, run

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.testapp.models import Item


@pytest.fixture
def short_lease(settings: Any) -> None:
    settings.DWATCH_LEASE_SECONDS = 1


def leased() -> states.Lease:
    state = states.ensure_states([make_check()])["items"]
    lease = states.acquire_lease(state, datetime.now(UTC), scheduled=False)
    assert lease is not None
    return lease


def wait_for(condition: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 60
    while not condition():
        assert time.monotonic() < deadline, "nothing happened"
        time.sleep(0.02)


def expiry() -> datetime:
    expires = CheckState.objects.get().lease_expires
    assert expires is not None
    return expires


def beats() -> list[threading.Thread]:
    return [thread for thread in threading.enumerate() if "heartbeat" in thread.name]


@pytest.mark.django_db(transaction=True)
@pytest.mark.usefixtures("short_lease")
def test_payload_that_takes_longer_than_the_lease__keeps_it() -> None:
    def is_held(_item: Item) -> Status:
        first = expiry()
        wait_for(lambda: expiry() > first + timedelta(seconds=1))
        return Status.ok

    make_items(1)
    make_check(check=judging(is_held))
    assert run().state is RunState.complete
    assert Result.objects.get().status == Status.ok
    assert beats() == []


@pytest.mark.django_db(transaction=True)
@pytest.mark.usefixtures("short_lease")
def test_beats__go_on_after_a_beat_that_failed() -> None:
    failed: list[str] = []

    def fail_once(execute: Any, sql: str, params: Any, many: Any, context: Any) -> Any:
        if not failed:
            failed.append(sql)
            raise OperationalError(2013, "Lost connection to server during query")
        return execute(sql, params, many, context)

    def listen(connection: Any, **_: Any) -> None:
        if "heartbeat" in threading.current_thread().name:
            connection.execute_wrappers.append(fail_once)

    connection_created.connect(listen)
    lease = leased()
    first = expiry()
    with kept_alive(lease):
        wait_for(lambda: expiry() > first)
    connection_created.disconnect(listen)
    assert failed
    assert beats() == []


@pytest.mark.django_db(transaction=True)
@pytest.mark.usefixtures("short_lease")
def test_beats__end_once_somebody_else_has_the_lease() -> None:
    with kept_alive(leased()):
        assert len(beats()) == 1
        CheckState.objects.update(lease_token="another", lease_expires=datetime.now(UTC))
        taken = expiry()
        wait_for(lambda: beats() == [])
        assert expiry() == taken


@pytest.mark.django_db(transaction=True)
@pytest.mark.usefixtures("short_lease")
def test_no_connection_is_opened__while_batches_renew_the_lease(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    lease = leased()
    felt_at = lease.pulse.felt_at
    states.write_fenced(lease, lambda: None)
    assert lease.pulse.felt_at > felt_at
    lease.pulse.felt_at += 3600  # as if batches came and came
    opened: list[str] = []
    kind = type(connections["default"])
    connect = kind.connect

    def noted(wrapper: Any) -> None:
        opened.append(threading.current_thread().name)
        connect(wrapper)

    monkeypatch.setattr(kind, "connect", noted)
    with kept_alive(lease):
        time.sleep(0.7)  # two beats' time
    assert opened == []


@pytest.mark.django_db
@pytest.mark.usefixtures("short_lease")
def test_within_a_transaction_of_the_callers__nothing_beats() -> None:
    with kept_alive(leased()):
        assert beats() == []


@pytest.mark.django_db(transaction=True)
def test_no_thread_to_be_had__is_no_reason_to_fail(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(_thread: threading.Thread) -> None:
        raise RuntimeError("can't start new thread")

    make_items(1)
    make_check()
    monkeypatch.setattr(threading.Thread, "start", refuse)
    done = run()
    monkeypatch.undo()
    assert done.state is RunState.complete
