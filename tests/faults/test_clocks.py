"""Hard days for schedules, and hosts with the wrong time: real processes, a false clock."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

import pytest

from dwatch.core.status import Status
from dwatch.models import CheckState, Result, Run
from tests.project import wait_until_written

if TYPE_CHECKING:
    from collections.abc import Iterable

    from tests.project import Project

FALSE_CLOCK = """
import os
from datetime import datetime
import time_machine

if moment := os.environ.get("FALSE_CLOCK"):
    time_machine.travel(datetime.fromisoformat(moment), tick=True).start()

from tests.settings import *
INSTALLED_APPS = [*INSTALLED_APPS, "stock"]
"""
CHECKS_HEAD = """
from dwatch import BaseCheck, Status, register

class One(BaseCheck):
    def generate(self): return [1]
    def get_identifier(self, payload): return payload
    def get_payload(self, identifier): return int(identifier)
    def check(self, payload): return Status.ok
"""
WAITS = """
    def check(self, payload):
        import pathlib, time
        print("here", file=open("waiting", "a"))
        while not pathlib.Path("go").exists():
            time.sleep(0.01)
        return Status.ok
"""
TICKS = """
from datetime import datetime
from pathlib import Path
import django, time_machine
django.setup()
from dwatch.services.requests import RunRequest
from dwatch.services.run import run_checks

with time_machine.travel(0, tick=False) as clock:
    for line in Path("moments").read_text().splitlines():
        clock.move_to(datetime.fromisoformat(line))
        for check in run_checks(RunRequest()).checks:
            assert check.state in ("complete", "not_due"), check
"""


@pytest.fixture
def clocked(project: Project) -> Project:
    """Give the project a clock that FALSE_CLOCK sets."""
    project.write("settings.py", FALSE_CLOCK)
    return project


def write_checks(project: Project, *definitions: str) -> None:
    """Write a check for each ``Name: schedule`` or ``Name: schedule @ zone``."""
    source = CHECKS_HEAD
    for definition in definitions:
        name, _, schedule = definition.partition(": ")
        expression, _, zone = schedule.partition(" @ ")
        source += f"@register\nclass {name}(One):\n    slug = {name!r}\n"
        source += f"    run_every = {expression!r}\n    timezone = {zone or 'UTC'!r}\n"
    project.write("stock/checks.py", source)


def tick(project: Project, moments: Iterable[datetime]) -> None:
    """Let one process run what is due at each of the moments."""
    project.write("ticks.py", TICKS)
    project.write("moments", "\n".join(map(str, moments)))
    done = project.run("ticks.py")
    assert (done.returncode, done.stderr) == (0, "")


def every(minutes: int, first: datetime, last: datetime) -> list[datetime]:
    step = timedelta(minutes=minutes)
    return [first + step * number for number in range((last - first) // step + 1)]


def local_slots(slug: str, zone: str) -> list[str]:
    """Return the slots that were handled after the first run, in local time."""
    slots = Run.objects.filter(check_state__slug=slug).order_by("pk").values_list("slot", flat=True)
    return [f"{slot.astimezone(ZoneInfo(zone)):%d %H:%M%z}" for slot in list(slots)[1:] if slot]


def test_spring__fixed_job_runs_once_and_wildcards_follow_real_time(clocked: Project) -> None:
    write_checks(
        clocked,
        "Berlin: 30 2 * * * @ Europe/Berlin",
        "Quarter: */15 1-3 * * * @ Europe/Berlin",
        "Howe: 15 2 * * * @ Australia/Lord_Howe",
    )
    tick(
        clocked,
        every(5, datetime(2026, 3, 28, 20, 30, tzinfo=UTC), datetime(2026, 3, 30, 1, tzinfo=UTC)),
    )
    assert local_slots("Berlin", "Europe/Berlin") == ["29 03:00+0200", "30 02:30+0200"]
    assert local_slots("Quarter", "Europe/Berlin")[:8] == [
        *(f"29 01:{minute:02}+0100" for minute in (0, 15, 30, 45)),
        *(f"29 03:{minute:02}+0200" for minute in (0, 15, 30, 45)),
    ]
    assert local_slots("Howe", "Australia/Lord_Howe") == ["30 02:15+1100"]


@pytest.mark.once
def test_autumn__fixed_job_runs_once_and_wildcards_in_both_hours(clocked: Project) -> None:
    write_checks(
        clocked,
        "York: 30 1 * * * @ America/New_York",
        "Quarter: */15 1 * * * @ America/New_York",
        "Kolkata: 0 12 * * * @ Asia/Kolkata",
    )
    tick(
        clocked,
        every(5, datetime(2026, 11, 1, 4, 30, tzinfo=UTC), datetime(2026, 11, 2, 7, tzinfo=UTC)),
    )
    assert local_slots("York", "America/New_York") == ["01 01:30-0400", "02 01:30-0500"]
    assert local_slots("Quarter", "America/New_York")[:8] == [
        *(f"01 01:{minute:02}-0400" for minute in (0, 15, 30, 45)),
        *(f"01 01:{minute:02}-0500" for minute in (0, 15, 30, 45)),
    ]
    assert local_slots("Kolkata", "Asia/Kolkata") == [
        "01 12:00+0530",
        "02 12:00+0530",
    ]


@pytest.mark.once
def test_leap_day__every_four_years(clocked: Project) -> None:
    write_checks(clocked, "Leap: 0 2 29 2 *")
    begin = datetime(2026, 1, 1, tzinfo=UTC)
    tick(clocked, every(7 * 24 * 60, begin, begin + timedelta(days=8 * 366)))
    slots = Run.objects.order_by("pk").values_list("slot", flat=True)
    assert [f"{slot:%Y-%m-%d %H}" for slot in slots if slot] == [
        "2024-02-29 02",
        "2028-02-29 02",
        "2032-02-29 02",
    ]


def test_three_hours_outage__one_run_makes_up_for_all(clocked: Project) -> None:
    write_checks(clocked, "Often: */5 * * * *")
    tick(clocked, [datetime(2026, 3, 2, *at, tzinfo=UTC) for at in [(9, 1), (12, 1), (12, 2)]])
    slots = Run.objects.order_by("pk").values_list("slot", flat=True)
    assert [f"{slot:%H:%M}" for slot in slots if slot] == ["09:00", "12:00"]


def test_hosts_two_minutes_apart__no_slot_twice(clocked: Project) -> None:
    write_checks(clocked, "Often: */5 * * * *")
    noon = datetime(2026, 3, 2, 12, tzinfo=UTC)
    tick(clocked, [noon + timedelta(minutes=minute) for minute in (6, 4, 5.5, 8, 10.1, 8.1)])
    slots = Run.objects.order_by("pk").values_list("slot", flat=True)
    assert [f"{slot:%H:%M}" for slot in slots if slot] == ["12:05", "12:10"]


def test_schedulers_two_minutes_apart_at_once__the_slot_runs_once(clocked: Project) -> None:
    write_checks(clocked, "Often: */5 * * * *")
    processes = []
    for moment in ["12:00:30", "12:02:30"] * 2:
        clocked.environment["FALSE_CLOCK"] = f"2026-03-02T{moment}+00:00"
        processes.append(clocked.start("-m", "dwatch", "run"))
    for process in processes:
        out, err = process.communicate(timeout=180)
        assert process.returncode == 0, out + err
    assert Run.objects.count() == 1


def test_host_ahead_by_more_than_the_lease__leaves_a_running_check_alone(clocked: Project) -> None:
    write_checks(clocked, "Often: */5 * * * *")
    source = (clocked.folder / "stock/checks.py").read_text()
    clocked.write("stock/checks.py", source + WAITS)
    clocked.environment["FALSE_CLOCK"] = "2026-03-02T12:00:30+00:00"
    process = clocked.start("-m", "dwatch", "run")
    wait_until_written(clocked.folder / "waiting")
    clocked.environment["FALSE_CLOCK"] = "2026-03-02T12:02:30+00:00"
    other = clocked.dwatch("run", "--slug", "Often")
    clocked.write("go", "")
    out, err = process.communicate(timeout=180)
    assert process.returncode == 0, out + err
    assert other.returncode == 4, other.stdout
    assert list(Run.objects.values_list("state", flat=True)) == ["complete"]


def test_clock_a_year_ahead_and_back__a_warning_and_the_check_resumes(clocked: Project) -> None:
    write_checks(clocked, "Often: */5 * * * *")
    resumes = datetime(2026, 3, 2, 12, 5, 10, tzinfo=UTC)
    tick(clocked, [resumes - timedelta(minutes=5), resumes.replace(year=2027)])
    clocked.environment["FALSE_CLOCK"] = resumes.isoformat()
    assert "Often was handled for a slot in the future" in clocked.dwatch("list").stdout
    tick(clocked, [resumes])
    slots = Run.objects.order_by("pk").values_list("slot", flat=True)
    assert [f"{slot:%Y %H:%M}" for slot in slots if slot] == [
        "2026 12:00",
        "2027 12:05",
        "2026 12:05",
    ]
    assert "in the future" not in clocked.dwatch("list").stdout


def test_lease_that_ends_in_a_year__is_taken_over(project: Project) -> None:
    """What a run leaves that died while the database's clock was a year ahead."""
    project.dwatch("run")
    in_a_year = datetime.now(UTC) + timedelta(days=365)
    CheckState.objects.update(lease_token="x", lease_expires=in_a_year)
    done = project.dwatch("run", "--force", "--slug", "stock")
    assert done.returncode == 0, done.stdout + done.stderr
    assert list(Run.objects.values_list("state", flat=True)) == ["complete"] * 2


def test_clock_a_year_ahead_and_back__results_are_judged_anew(clocked: Project) -> None:
    def day(year: int) -> list[datetime]:
        return [datetime(year, 3, 2, 12, 1, tzinfo=UTC)]

    write_checks(clocked, "Often: */5 * * * *")
    source = (clocked.folder / "stock/checks.py").read_text()
    two = "    def generate(self): return [1, 2]\n"
    clocked.write("stock/checks.py", source + two)
    tick(clocked, day(2027))
    worse = "    def check(self, payload): return Status.critical\n"
    clocked.write("stock/checks.py", source + worse)
    tick(clocked, day(2026))
    found = Result.objects.order_by("identifier").values_list("status", "vanished_at")
    assert [(status, at and at.year) for status, at in found] == [
        (Status.critical, None),
        (Status.ok, 2026),
    ]
