"""A process that froze in the middle of a transaction, with rows locked: nobody waits for ever."""

from __future__ import annotations

import os
import signal
from typing import TYPE_CHECKING

from django.db import connection

from dwatch.models import CheckState, Result, Run, StatusChange
from tests.faults.history import assert_history_is_unbroken
from tests.project import wait_until_written
from tests.running import make_items

if TYPE_CHECKING:
    from tests.project import Project

SETTINGS = """
from tests.settings import *
INSTALLED_APPS = [*INSTALLED_APPS, "stock"]
DWATCH_LEASE_SECONDS = 5
DWATCH_BATCH_SIZE = DWATCH_TRANSACTION_SIZE = 10
"""
CHECKS = """
import os, pathlib, signal
from django.db.backends.signals import connection_created
from dwatch import BaseCheck, Status, register
from tests.testapp.models import Item

@register
class Stock(BaseCheck):
    slug, model_class, run_every = "stock", Item, "* * * * *"
    def check(self, item): return Status.ok

@register
class Other(Stock):
    slug = "other"

batches = []

def freeze_in_the_second_batch(execute, sql, params, many, context):
    answer = execute(sql, params, many, context)
    if sql.replace('"', "").replace("`", "").startswith("INSERT INTO dwatch_statuschange"):
        batches.append(sql)
        if len(batches) == 2:
            pathlib.Path("frozen").write_text("here\\n")
            os.kill(os.getpid(), signal.SIGSTOP)
    return answer

def listen(connection, **_):
    connection.execute_wrappers.append(freeze_in_the_second_batch)

if os.environ.get("FREEZES"):
    connection_created.connect(listen, weak=False)
"""


def test_owner_frozen_within_a_transaction__is_named_and_the_others_go_on(
    project: Project,
) -> None:
    make_items(*range(30))
    project.write("settings.py", SETTINGS)
    project.write("stock/checks.py", CHECKS)
    project.environment["FREEZES"] = "yes"
    frozen = project.start("-W", "error", "-m", "dwatch", "run", "--slug", "stock")
    wait_until_written(project.folder / "frozen")
    del project.environment["FREEZES"]

    asked = project.dwatch("run", "--slug", "stock")
    assert asked.returncode == 4, asked.stdout + asked.stderr
    assert f"is being run by {os.uname().nodename} (pid {frozen.pid}), started" in asked.stdout
    if connection.vendor != "sqlite":  # which has one writer for everything
        other = project.dwatch("run", "--slug", "other")
        assert other.returncode == 0, other.stdout + other.stderr
        assert Result.objects.filter(check_state__slug="other").count() == 30

    frozen.send_signal(signal.SIGCONT)
    out, err = frozen.communicate(timeout=120)
    assert frozen.returncode in {0, 3}, out + err
    assert Result.objects.filter(check_state__slug="stock").count() == 30 or frozen.returncode == 3
    done = project.dwatch("run", "--force", "--slug", "stock")
    assert done.returncode == 0, done.stdout + done.stderr
    assert Result.objects.filter(check_state__slug="stock").count() == 30
    assert StatusChange.objects.count() == Result.objects.count()
    assert_history_is_unbroken()
    assert set(CheckState.objects.values_list("lease_token", flat=True)) == {""}
    assert not Run.objects.filter(state=Run.State.RUNNING).exists()
