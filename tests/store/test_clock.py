from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from django.db import connections

from dwatch.models import CheckState
from dwatch.store import clock, states
from tests.running import make_check

pytestmark = pytest.mark.django_db

NEARLY = timedelta(minutes=5)  # the test's machine may be slow, its zones are hours apart


def test_shared_now__is_the_present_moment() -> None:
    assert abs(clock.shared_now() - datetime.now(UTC)) < NEARLY


def test_shared_now__of_an_unknown_database_is_this_hosts(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(clock, "_QUESTIONS", {})
    assert abs(clock.shared_now() - datetime.now(UTC)) < NEARLY


@pytest.mark.parametrize("zone", ["UTC", "Asia/Kolkata"])
def test_in_seconds__means_the_same_in_every_zone(
    monkeypatch: pytest.MonkeyPatch, zone: str
) -> None:
    state = states.ensure_states([make_check()])["items"]
    monkeypatch.setattr(connections["default"], "timezone_name", zone)
    CheckState.objects.filter(pk=state.pk).update(lease_expires=clock.InSeconds(86400))
    monkeypatch.undo()
    state.refresh_from_db()
    assert state.lease_expires is not None
    assert abs(state.lease_expires - datetime.now(UTC) - timedelta(days=1)) < NEARLY
