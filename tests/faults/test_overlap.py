"""Faults that take several processes: overlap, kill -9, frozen owners, locked databases."""

from __future__ import annotations

import os
import random
import signal
import time
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from typing import TYPE_CHECKING

from dwatch.core.status import Status
from dwatch.models import CheckState, Result, Run, StatusChange
from tests.project import wait_until_written
from tests.running import make_items
from tests.testapp.models import Item

if TYPE_CHECKING:
    from tests.project import Project

SLOW = """
import time, pathlib
from dwatch import BaseCheck, Status, register
from tests.testapp.models import Item

@register
class Stock(BaseCheck):
    slug, model_class, run_every = "stock", Item, "*/5 * * * *"

    def check(self, item):
        with open("journal", "a") as file:
            print(item.pk, file=file)
        time.sleep(PAUSE)
        return Status.critical if item.value < 0 else Status.ok
"""


def write_slow_check(project: Project, pause: float) -> None:
    project.write("stock/checks.py", SLOW.replace("PAUSE", str(pause)))


def assert_history_is_unbroken() -> None:
    for result in Result.objects.all():
        changes = list(result.status_changes.order_by("pk"))
        assert changes[0].from_status is None
        assert all(old.to_status == new.from_status for old, new in pairwise(changes))
        assert changes[-1].to_status == result.status


def test_six_schedulers_run_a_slot_once(project: Project) -> None:
    make_items(1, -1)
    processes = [project.start("-m", "dwatch", "run", "--fail-on", "never") for _ in range(6)]
    for process in processes:
        process.communicate(timeout=180)
    assert [process.returncode for process in processes] == [0] * 6
    assert Run.objects.count() == 1
    assert Result.objects.count() == StatusChange.objects.count() == 2


def test_kill_9_at_random_moments__a_clean_run_puts_it_right(project: Project) -> None:
    items = make_items(*range(120))
    write_slow_check(project, 0.002)
    project.write(
        "settings.py",
        (project.folder / "settings.py").read_text()
        + "\nDWATCH_LEASE_SECONDS = 1\nDWATCH_BATCH_SIZE = DWATCH_TRANSACTION_SIZE = 10\n",
    )
    journal = project.folder / "journal"
    dice = random.Random(7)  # noqa: S311 - repeatable moments
    for _ in range(2):  # two hundred in tests/stress
        journal.unlink(missing_ok=True)
        Item.objects.filter(pk__in=[i.pk for i in dice.sample(items, 40)]).update(value=-1)
        process = project.start("-m", "dwatch", "run", "--force")
        wait_until_written(journal, dice.randrange(1, 110))
        process.kill()
        process.communicate()
        time.sleep(1.1)
    done = project.dwatch("run", "--force", "--fail-on", "never")
    assert done.returncode == 0, done.stdout + done.stderr
    found = dict(Result.objects.values_list("identifier", "status"))
    wanted = {
        str(item.pk): Status.critical if item.value < 0 else Status.ok
        for item in Item.objects.all()
    }
    assert found == wanted
    assert_history_is_unbroken()
    assert CheckState.objects.get().lease_token == ""
    assert set(Run.objects.values_list("state", flat=True)) == {"abandoned", "complete"}


def test_frozen_owner_that_comes_back_cannot_write(project: Project) -> None:
    make_items(1, 2, 3)
    write_slow_check(project, 0.5)
    process = project.start("-m", "dwatch", "run", "--force")
    wait_until_written(project.folder / "journal")
    os.kill(process.pid, signal.SIGSTOP)
    CheckState.objects.update(lease_expires=datetime.now(UTC) - timedelta(seconds=1))
    write_slow_check(project, 0)
    assert project.dwatch("run", "--force").returncode == 0
    Item.objects.update(value=-1)
    assert project.dwatch("run", "--force").returncode == 1
    os.kill(process.pid, signal.SIGCONT)
    out, _err = process.communicate(timeout=120)
    assert process.returncode == 3
    assert "took this check over" in out
    assert set(Result.objects.values_list("status", flat=True)) == {Status.critical}
    assert_history_is_unbroken()


def test_held_check__exit_4_only_when_asked_for_by_name(project: Project) -> None:
    make_items(1)
    project.dwatch("run")
    CheckState.objects.update(
        lease_token="x",
        lease_owner="elsewhere (pid 7)",
        lease_since=datetime.now(UTC),
        lease_expires=datetime.now(UTC) + timedelta(minutes=1),
    )
    asked = project.dwatch("run", "--force", "--slug", "stock")
    assert asked.returncode == 4
    assert "elsewhere (pid 7)" in asked.stdout
    assert project.dwatch("run", "--force", "--tag", "nightly").returncode == 4
    assert project.dwatch("refresh", "--tag", "nightly").returncode == 4
    assert project.dwatch("run", "--tag", "nightly").returncode == 0
    assert project.dwatch("run", "--force").returncode == 0


def test_four_writers__none_fails(project: Project) -> None:
    make_items(*range(60))
    for name in "abcd":
        project.write(f"{name}/__init__.py", "")
        project.write(
            f"{name}/checks.py",
            "from dwatch import *\nfrom tests.testapp.models import Item\n@register\n"
            f"class Many(BaseCheck):\n model_class = Item\n slug = '{name}'\n"
            " def check(self, item): return Status.ok\n",
        )
    project.write(
        "settings.py",
        "from tests.settings import *\nINSTALLED_APPS = [*INSTALLED_APPS, *'abcd']\n"
        "DWATCH_BATCH_SIZE = DWATCH_TRANSACTION_SIZE = 3\n",
    )
    processes = [project.start("-m", "dwatch", "run", "--force", "-s", name) for name in "abcd"]
    for process in processes:
        out, err = process.communicate(timeout=180)
        assert process.returncode == 0, out + err
    assert Result.objects.count() == 240


def test_memory_is_flat_however_many_payloads(project: Project) -> None:
    project.write(
        "stock/checks.py",
        "import resource\nfrom dwatch import *\n@register\n"
        "class Many(BaseCheck):\n slug = 'many'\n"
        " def generate(self):\n"
        "  for number in range(60_000):\n"
        "   if number in (20_000, 59_999):\n"
        "    used = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss\n"
        "    print(used, file=open('memory', 'a'))\n"
        "   yield number\n"
        " def get_identifier(self, payload): return payload\n"
        " def get_payload(self, identifier): return int(identifier)\n"
        " def check(self, payload): return Status.ok\n",
    )
    done = project.dwatch("run", "--force")
    assert done.returncode == 0, done.stdout + done.stderr
    early, late = map(int, (project.folder / "memory").read_text().split())
    assert late - early < 8 * 1024  # KiB; three times as many payloads, next to no more memory
    assert Result.objects.count() == 60_000
