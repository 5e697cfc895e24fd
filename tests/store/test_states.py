from __future__ import annotations

import threading
from datetime import UTC, datetime, timedelta

import pytest
from django.db import connection

from dwatch.core.registry import registry
from dwatch.exceptions import LeaseLostError
from dwatch.models import CheckState, Run
from dwatch.store import states
from tests.running import make_check

SLUGS = ["a", "b", "c"]


def moment(**ahead: float) -> datetime:
    return datetime.now(UTC) + timedelta(**ahead)


def leased() -> tuple[CheckState, states.Lease]:
    state = states.ensure_states([make_check()])["items"]
    lease = states.acquire_lease(state, moment(), scheduled=False)
    assert lease is not None
    return state, lease


def expire(state: CheckState) -> None:
    CheckState.objects.filter(pk=state.pk).update(lease_expires=moment(seconds=-1))


@pytest.mark.django_db(transaction=True)
def test_ensure_states__of_many_at_once_makes_each_row_once() -> None:
    classes = [make_check(slug) for slug in SLUGS]
    start = threading.Barrier(6)
    found: list[dict[str, int]] = []

    def ensure() -> None:
        start.wait()
        try:
            made = states.ensure_states(classes)
            found.append({slug: state.pk for slug, state in made.items()})
        finally:
            connection.close()

    threads = [threading.Thread(target=ensure) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert found == [dict(CheckState.objects.values_list("slug", "pk"))] * 6
    assert sorted(found[0]) == SLUGS


@pytest.mark.django_db
def test_ensure_states__renames_the_row_of_an_alias() -> None:
    before = states.ensure_states([make_check("earlier")])["earlier"]
    registry.restore({})
    after = states.ensure_states([make_check("now", aliases=("other", "earlier"))])["now"]
    assert after.pk == before.pk
    assert list(CheckState.objects.values_list("slug", flat=True)) == ["now"]


@pytest.mark.django_db
def test_ensure_states__keeps_its_own_row_beside_an_alias() -> None:
    own = states.ensure_states([make_check("now")])["now"]
    states.ensure_states([make_check("earlier")])
    registry.restore({})
    assert states.ensure_states([make_check("now", aliases=("earlier",))])["now"].pk == own.pk
    assert set(states.read_states()) == {"now", "earlier"}


@pytest.mark.django_db
def test_lease__is_free_again_once_released_and_notes_what_was_done() -> None:
    state, lease = leased()
    slot, ran_at = moment(minutes=-5), moment(minutes=-1)
    states.release_lease(lease, handled_slot=slot, ran_at=ran_at)
    state.refresh_from_db()
    assert (state.handled_slot, state.last_run_at) == (slot, ran_at)
    assert (state.lease_token, state.lease_owner, state.lease_expires) == ("", "", None)
    assert states.acquire_lease(state, moment(), scheduled=True) is not None


@pytest.mark.django_db
def test_release__without_a_slot_leaves_what_was_handled_before() -> None:
    state, lease = leased()
    slot = moment(minutes=-5)
    states.release_lease(lease, handled_slot=slot, ran_at=slot)
    again = states.acquire_lease(state, moment(), scheduled=False)
    assert again is not None
    states.release_lease(again, handled_slot=None, ran_at=None)
    state.refresh_from_db()
    assert (state.handled_slot, state.last_run_at) == (slot, slot)


@pytest.mark.django_db
def test_release__of_a_lost_lease_changes_nothing() -> None:
    state, lost = leased()
    expire(state)
    taken = states.acquire_lease(state, moment(), scheduled=False)
    assert taken is not None
    states.release_lease(lost, handled_slot=moment(), ran_at=moment())
    state.refresh_from_db()
    assert state.lease_token == taken.token
    assert state.handled_slot is None


@pytest.mark.django_db
def test_renew__prolongs_ones_own_lease_only() -> None:
    state, lease = leased()
    expire(state)
    states.renew(lease)
    state.refresh_from_db()
    assert state.lease_expires is not None
    assert state.lease_expires > moment(seconds=30)
    with pytest.raises(LeaseLostError, match="another run took this check over"):
        states.renew(states.Lease(state.pk, "somebody else's"))


@pytest.mark.django_db
def test_takeover__marks_the_runs_of_this_check_abandoned_and_no_others() -> None:
    state, _lease = leased()
    other = states.ensure_states([make_check("other")])["other"]
    for one in (state, other):
        Run.objects.create(check_state=one, reason="forced", started_at=moment())
    assert states.acquire_lease(state, moment(), scheduled=False) is None
    assert set(Run.objects.values_list("state", flat=True)) == {Run.State.RUNNING}
    expire(state)
    assert states.acquire_lease(state, moment(), scheduled=False) is not None
    assert Run.objects.get(check_state=state).state == Run.State.ABANDONED
    assert Run.objects.get(check_state=state).finished_at is not None
    assert Run.objects.get(check_state=other).state == Run.State.RUNNING
