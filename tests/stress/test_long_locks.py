"""Somebody else keeps the database locked for ten seconds (four when in a hurry)."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING

from django.db import connection, transaction

from dwatch.models import CheckState, Result, StatusChange
from tests.faults.history import assert_history_is_unbroken
from tests.project import wait_until_written
from tests.running import make_items
from tests.stress.rounds import IS_SHORT

if TYPE_CHECKING:
    from tests.project import Project

SETTINGS = """
from tests.settings import *
INSTALLED_APPS = [*INSTALLED_APPS, "stock"]
DWATCH_BATCH_SIZE = DWATCH_TRANSACTION_SIZE = 10
"""
CHECKS = """
import time
from dwatch import BaseCheck, Status, register
from tests.testapp.models import Item

@register
class Stock(BaseCheck):
    slug, model_class, run_every = "stock", Item, "* * * * *"

    def check(self, item):
        with open("journal", "a") as file:
            print(item.pk, file=file)
        time.sleep(0.01)
        return Status.ok
"""
LOCKED_SECONDS = 4 if IS_SHORT else 10


def keep_locked() -> None:
    finish = threading.Event()
    try:
        with transaction.atomic():
            # SQLite's whole database, the servers' row that every batch begins with.
            CheckState.objects.update(lease_since=None)
            finish.wait(LOCKED_SECONDS)
    finally:
        connection.close()


def test_locked_for_seconds_in_mid_run__the_run_gets_through(project: Project) -> None:
    make_items(*range(200))
    project.write("settings.py", SETTINGS)
    project.write("stock/checks.py", CHECKS)
    running = project.start("-W", "error", "-m", "dwatch", "run")
    wait_until_written(project.folder / "journal", 50)
    keep_locked()
    out, err = running.communicate(timeout=120)
    assert (running.returncode, err) == (0, ""), out + err
    assert Result.objects.count() == StatusChange.objects.count() == 200
    assert_history_is_unbroken()


def test_locked_for_seconds_before_the_run__it_waits(project: Project) -> None:
    make_items(*range(20))
    project.write("settings.py", SETTINGS)
    project.write("stock/checks.py", CHECKS)
    assert project.dwatch("run").returncode == 0
    locker = threading.Thread(target=keep_locked)
    locker.start()
    done = project.dwatch("run", "--force")
    locker.join()
    assert done.returncode == 0, done.stdout + done.stderr
    assert "20 ok" in done.stdout
