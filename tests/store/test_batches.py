from __future__ import annotations

import re
from dataclasses import replace
from datetime import UTC, datetime

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from dwatch.core.outcome import Outcome, OutcomeBatch
from dwatch.core.status import Status
from dwatch.exceptions import LeaseLostError
from dwatch.models import Result, Run, StatusChange
from dwatch.store import runs, states
from dwatch.store.batches import Ticket, write_batch
from tests.faults.history import assert_history_is_unbroken
from tests.running import make_check

pytestmark = pytest.mark.django_db


@pytest.fixture
def ticket() -> Ticket:
    state = states.ensure_states([make_check()])["items"]
    lease = states.acquire_lease(state, datetime.now(UTC), scheduled=False)
    assert lease is not None
    run = runs.start_run(lease, reason="forced", slot=None, now=datetime.now(UTC))
    return Ticket(lease, run.pk, "forced", assigns=False)


def outcomes(*identifiers: str) -> OutcomeBatch:
    return OutcomeBatch([Outcome(one, Status.ok) for one in identifiers], datetime.now(UTC))


def test_write_batch__row_that_the_database_refuses_is_reported_and_the_others_stay(
    ticket: Ticket,
) -> None:
    # A digest of over 64 bits is what every database refuses.
    class Unstorable(Outcome):
        def digest(self) -> int:
            return 2**70

    good = [Outcome(str(n), Status.ok) for n in range(7)]
    batch = OutcomeBatch([*good[:3], Unstorable("bad", Status.ok), *good[3:]], datetime.now(UTC))
    written = write_batch(ticket, batch)
    assert +written.counts == {Status.ok: 7, Status.unknown: 1}
    assert written.errors == 1
    assert Result.objects.filter(status=Status.ok).count() == 7
    assert "database refuses" in Result.objects.get(identifier="bad").error


def test_write_batch__without_the_lease_writes_nothing(ticket: Ticket) -> None:
    stranger = Ticket(
        states.Lease(ticket.lease.state_id, "other"), ticket.run_id, "forced", assigns=False
    )
    with pytest.raises(LeaseLostError, match="took this check over"):
        write_batch(stranger, outcomes("1"))
    assert Result.objects.count() == 0


def test_write_batch__unchanged_rows_are_only_touched(ticket: Ticket) -> None:
    write_batch(ticket, outcomes("1", "2"))
    run = Run.objects.create(
        check_state_id=ticket.lease.state_id, reason="forced", started_at=datetime.now(UTC)
    )
    again = Ticket(ticket.lease, run.pk, "forced", assigns=False)
    with CaptureQueriesContext(connection) as captured:
        write_batch(again, outcomes("1", "2"))
    written = [
        re.findall(r"(\w+)\W? = ", q["sql"].split("SET", 1)[1].split("WHERE", 1)[0])
        for q in captured
        if re.search(r"UPDATE \W?dwatch_result\W? SET", q["sql"])
    ]
    assert written == [["evaluated_at", "last_run"]]


def test_write_batch__of_nothing_writes_nothing(ticket: Ticket) -> None:
    assert write_batch(ticket, outcomes()).counts.total() == 0
    assert Result.objects.count() == 0


def test_acquire_lease__only_one_gets_it() -> None:
    state = states.ensure_states([make_check()])["items"]
    now = datetime.now(UTC)
    assert states.acquire_lease(state, now, scheduled=True) is not None
    assert states.acquire_lease(state, now, scheduled=True) is None


def test_acquire_lease__slot_handled_meanwhile_is_refused() -> None:
    cls = make_check()
    state = states.ensure_states([cls])["items"]
    now = datetime.now(UTC)
    lease = states.acquire_lease(state, now, scheduled=True)
    assert lease is not None
    states.release_lease(lease, handled_slot=now, ran_at=now)
    assert states.acquire_lease(state, now, scheduled=True) is None
    assert states.acquire_lease(state, now, scheduled=False) is not None


def test_write_batch__repeated_after_a_newer_verdict_changes_nothing(ticket: Ticket) -> None:
    """A trigger judged the payload again while two batches of a run held older copies of it."""
    loaded_at = datetime.now(UTC)
    write_batch(ticket, outcomes("1"))
    Result.objects.update(last_run=None)
    worse = OutcomeBatch([Outcome("1", Status.critical)], loaded_at)
    first = write_batch(ticket, worse)
    second = write_batch(ticket, worse)
    assert Result.objects.get().status == Status.ok
    assert all(number >= 0 for number in (first + second).counts.values())


def statements(queries: CaptureQueriesContext) -> list[str]:
    return [one["sql"].replace('"', "").replace("`", "") for one in queries.captured_queries]


@pytest.mark.django_db(transaction=True)
def test_write_batch__first_run_compares_with_nothing(ticket: Ticket) -> None:
    with CaptureQueriesContext(connection) as compared:
        write_batch(ticket, outcomes("1", "2"))
    first = replace(ticket, finds_nothing=True)
    with CaptureQueriesContext(connection) as blind:
        written = write_batch(first, outcomes("3", "4"))
    assert len(statements(blind)) == len(statements(compared)) - 1
    assert (written.counts[Status.ok], written.status_changes) == (2, 2)
    assert StatusChange.objects.count() == 4


@pytest.mark.django_db(transaction=True)
def test_write_batch__first_run_that_finds_something_after_all(ticket: Ticket) -> None:
    first = replace(ticket, finds_nothing=True)
    write_batch(first, outcomes("1", "2", "3"))
    worse = OutcomeBatch(
        [Outcome("2", Status.critical), Outcome("4", Status.ok)], datetime.now(UTC)
    )
    written = write_batch(first, worse)
    assert (written.duplicates, written.status_changes) == (1, 2)
    assert dict(Result.objects.order_by("pk").values_list("identifier", "status")) == {
        "1": Status.ok,
        "2": Status.critical,
        "3": Status.ok,
        "4": Status.ok,
    }
    assert_history_is_unbroken()


def test_write_batch__first_run_within_a_transaction_looks_first(ticket: Ticket) -> None:
    write_batch(ticket, outcomes("1"))
    written = write_batch(replace(ticket, finds_nothing=True), outcomes("1", "2"))
    assert written.duplicates == 1
    assert Result.objects.count() == 2
