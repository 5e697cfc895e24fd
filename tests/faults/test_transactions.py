"""Faults inside the transaction that stores a batch."""

from __future__ import annotations

import signal
import time
from typing import TYPE_CHECKING

import pytest

from dwatch.models import CheckState, Result, Run, StatusChange
from tests.faults.history import assert_history_is_unbroken
from tests.running import make_items

if TYPE_CHECKING:
    from tests.project import Project

SETTINGS = """
from tests.settings import *
INSTALLED_APPS = [*INSTALLED_APPS, "stock"]
DWATCH_LEASE_SECONDS = 1
DWATCH_BATCH_SIZE = DWATCH_TRANSACTION_SIZE = 10
"""
DIES_AT_A_STATEMENT = """
import os, signal
from django.db.backends.signals import connection_created

when, start, left = os.environ.get("DIES_AT", "never,none,1").split(",")
left = int(left)

def die_in_time(execute, sql, params, many, context):
    global left
    plain = sql.replace('"', "").replace("`", "")
    # A beat of the heartbeat begins like the fence, and only the fence sets the token, too.
    if plain.startswith(start) and ("SET" not in start or "lease_token =" in plain):
        left -= 1
        if left == 0 and when == "before":
            os.kill(os.getpid(), signal.SIGKILL)
    answer = execute(sql, params, many, context)
    if left == 0 and when == "after":
        os.kill(os.getpid(), signal.SIGKILL)
    return answer

def listen(connection, **_):
    connection.execute_wrappers.append(die_in_time)

connection_created.connect(listen, weak=False)
"""
WRITER = """
import random, sys
import django
django.setup()
from datetime import UTC, datetime
from dwatch.core.outcome import Outcome, OutcomeBatch
from dwatch.core.status import Status
from dwatch.store.batches import Ticket, write_batch
from dwatch.store.states import Lease

state, token, run, seed = sys.argv[1:]
dice = random.Random(int(seed))
ticket = Ticket(Lease(int(state), token), int(run), "forced", assigns=False)
names = [f"{number:03}" for number in range(100)]
for _ in range(20):
    dice.shuffle(names)
    outcomes = [Outcome(name, dice.choice(list(Status))) for name in names]
    write_batch(ticket, OutcomeBatch(outcomes, datetime.now(UTC)))
"""


@pytest.mark.parametrize(
    "moment",
    [
        "after,UPDATE dwatch_checkstate SET lease_expires,2",
        # COPY, by which PostgreSQL gets the results, is not heard of; what follows is.
        "before,INSERT INTO dwatch_statuschange,2",
        "after,INSERT INTO dwatch_statuschange,2",
    ],
    ids=["after the fence", "after the results", "after the history"],
)
def test_kill_9_inside_a_batch__batch_is_absent_and_the_next_run_takes_over(
    project: Project, moment: str
) -> None:
    make_items(*range(30))
    project.write("settings.py", SETTINGS)
    project.write(
        "stock/checks.py",
        (project.folder / "stock/checks.py").read_text() + DIES_AT_A_STATEMENT,
    )
    project.environment["DIES_AT"] = moment
    assert project.dwatch("run").returncode == -signal.SIGKILL
    assert Result.objects.count() == StatusChange.objects.count() == 10
    assert CheckState.objects.get().handled_slot is None

    time.sleep(1.1)  # the lease
    del project.environment["DIES_AT"]
    done = project.dwatch("run")
    assert done.returncode == 0, done.stdout + done.stderr
    assert Result.objects.count() == StatusChange.objects.count() == 30
    assert_history_is_unbroken()
    assert list(Run.objects.order_by("pk").values_list("state", "ok")) == [
        ("abandoned", 0),
        ("complete", 30),
    ]


def test_four_writers_of_the_same_rows_in_other_orders__no_deadlock_escapes(
    project: Project,
) -> None:
    project.dwatch("run")
    CheckState.objects.update(lease_token="shared", lease_expires="2999-01-01T00:00Z")
    state, run = CheckState.objects.get(), Run.objects.get()
    project.write("writer.py", WRITER)
    arguments = [str(state.pk), "shared", str(run.pk)]
    processes = [project.start("writer.py", *arguments, str(seed)) for seed in range(4)]
    for process in processes:
        _out, err = process.communicate(timeout=180)
        assert (process.returncode, err) == (0, "")
    assert Result.objects.count() == 100
    assert_history_is_unbroken()
