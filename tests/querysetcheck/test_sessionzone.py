from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.db import connection
from django.db.models import Q
from django.db.models.functions import Now

from dwatch.services.reports import StatusCounts
from tests.running import make_queryset_check, refresh, run

pytestmark = pytest.mark.django_db


def session_zone(zone: str = "") -> Any:
    """Set, if one is given, and return the time zone of the session; only MariaDB minds."""
    if connection.vendor != "mysql":
        return None
    with connection.cursor() as cursor:
        if zone:
            cursor.execute("SET SESSION time_zone = %s", [zone])
        cursor.execute("SELECT @@SESSION.time_zone")
        return cursor.fetchone()[0]


@pytest.mark.parametrize("zone", ["+05:00", "-05:00"])
@pytest.mark.parametrize("description", ["", "{username}"])
def test_now__is_comparable_with_what_is_stored_wherever_the_server_is(
    zone: str, description: str
) -> None:
    before = session_zone()
    now = datetime.now(UTC)
    User.objects.create(username="new", date_joined=now - timedelta(minutes=30))
    User.objects.create(username="old", date_joined=now - timedelta(minutes=90))
    make_queryset_check(
        queryset=User.objects.filter(date_joined__lt=Now()),
        critical=Q(date_joined__lt=Now() - timedelta(hours=1)),
        description=description,
    )
    try:
        session_zone(zone)
        assert run().counts == StatusCounts(critical=1, ok=1)
        assert refresh().counts == StatusCounts(critical=1)
        assert session_zone() == (zone if before else None)
    finally:
        session_zone(before or "")
