"""Schedules that cannot be, and those of old checks: real processes, the other checks go on."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

import pytest

from dwatch.core.status import Status
from dwatch.models import Result, Run
from tests.faults.test_clocks import CHECKS_HEAD, every, local_slots, tick, write_checks
from tests.running import make_items

if TYPE_CHECKING:
    from tests.project import Project

OTHER_APP = """
from tests.settings import *
INSTALLED_APPS = [*INSTALLED_APPS, "bad", "stock"]
"""
OLD_CHECK = """
from celery.schedules import crontab

@register
class Old(One):
    slug = "old"
    run_every = crontab(minute=0, hour=0, day_of_month="13", day_of_week="fri")
"""


@pytest.mark.parametrize("expression", ["0 0 31 2 *", "R * * * *", "0 " * 50_000])
def test_schedule_that_cannot_be__is_refused_and_the_others_run(
    project: Project, expression: str
) -> None:
    make_items(1)
    project.write("settings.py", OTHER_APP)
    project.write("bad/__init__.py", "")
    refused = f"@register\nclass Bad(One):\n    run_every = {expression!r}\n"
    project.write("bad/checks.py", CHECKS_HEAD + refused)
    done = project.dwatch("run")
    assert done.returncode == 3
    assert "bad.checks" in done.stdout
    assert "Traceback" not in done.stdout + done.stderr
    assert len(done.stdout) < 5_000
    assert [Status(status) for status in Result.objects.values_list("status", flat=True)] == [
        Status.ok
    ]


def test_old_crontab_with_day_and_weekday__runs_when_both_hold(project: Project) -> None:
    """Celery joins the two with AND; in 2026 three Fridays are a 13th."""
    project.write("stock/checks.py", CHECKS_HEAD + OLD_CHECK)
    first = datetime(2026, 1, 1, 12, tzinfo=UTC)
    tick(project, every(24 * 60, first, first + timedelta(days=364)))
    berlin = ZoneInfo("Europe/Berlin")
    slots = Run.objects.order_by("pk").values_list("slot", flat=True)
    assert [f"{slot.astimezone(berlin):%Y-%m-%d %H:%M}" for slot in slots if slot] == [
        "2025-06-13 00:00",  # it had never run, so it was due
        "2026-02-13 00:00",
        "2026-03-13 00:00",
        "2026-11-13 00:00",
    ]


def test_spring_in_new_york__fixed_job_runs_once(project: Project) -> None:
    write_checks(project, "York: 30 2 * * * @ America/New_York")
    first = datetime(2026, 3, 8, 5, tzinfo=UTC)
    tick(project, every(5, first, first + timedelta(hours=30)))
    assert local_slots("York", "America/New_York") == ["08 03:00-0400", "09 02:30-0400"]
