"""A database server that goes away in mid-run, and comes back or does not."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest
from django.db import connection

from tests.project import wait_until_written
from tests.stress.servers import private_server

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.project import Project
    from tests.stress.servers import Server

SETTINGS = """
from tests.settings import *
INSTALLED_APPS = [*INSTALLED_APPS, "stock"]
DWATCH_BATCH_SIZE = DWATCH_TRANSACTION_SIZE = 10
is_postgresql = "postgresql" in DATABASES["default"]["ENGINE"]
DATABASES["default"]["NAME"] = "postgres" if is_postgresql else "mysql"
"""
CHECKS = """
import time
import dwatch.outages
from dwatch import BaseCheck, Status, register
from tests.testapp.models import Item

# Long enough for a restart; that it is 20 s otherwise is not what is tested.
dwatch.outages._PATIENCE = dict.fromkeys(dwatch.outages.Outage, 8.0)

@register
class Stock(BaseCheck):
    slug, model_class, run_every = "stock", Item, "* * * * *"

    def check(self, item):
        with open("journal", "a") as file:
            print(item.pk, file=file)
        time.sleep(0.01)
        return Status.ok
"""
FILL = """
import django
django.setup()
from django.core.management import call_command
from tests.testapp.models import Item
call_command("migrate", verbosity=0, run_syncdb=True)
Item.objects.bulk_create(Item(name=str(number)) for number in range(300))
"""
HISTORY = """
import django
django.setup()
from tests.faults.history import assert_history_is_unbroken
from dwatch.models import CheckState, Result, Run, StatusChange
import json
assert_history_is_unbroken()
print(json.dumps([Result.objects.count(), StatusChange.objects.count(),
    list(CheckState.objects.values_list("lease_token", flat=True)),
    list(Run.objects.order_by("pk").values_list("state", "ok"))]))
"""

EXPIRE = """
import django
django.setup()
from dwatch.models import CheckState
CheckState.objects.update(lease_expires="2000-01-01T00:00Z")
"""


@pytest.fixture
def server(project: Project) -> Iterator[Server]:
    with private_server(connection.vendor) as started:
        project.environment |= started.environment
        project.write("settings.py", SETTINGS)
        project.write("stock/checks.py", CHECKS)
        project.write("fill.py", FILL)
        project.write("history.py", HISTORY)
        project.write("expire.py", EXPIRE)
        filled = project.run("fill.py")
        assert filled.returncode == 0, filled.stderr
        yield started


def found(project: Project) -> Any:
    asked = project.run("history.py")
    assert asked.returncode == 0, asked.stderr
    return json.loads(asked.stdout)


def test_killed_and_started_again__the_run_comes_to_its_end__and_killed_for_good(
    project: Project, server: Server
) -> None:
    running = project.start("-W", "error", "-m", "dwatch", "run")
    for lines in (60, 160):
        wait_until_written(project.folder / "journal", lines)
        server.kill()
        server.start()
    out, err = running.communicate(timeout=120)
    assert (running.returncode, err) == (0, ""), out + err
    assert "300 ok" in out
    assert found(project) == [300, 300, [""], [["complete", 300]]]

    project.write("stock/checks.py", CHECKS.replace("Status.ok", "Status.critical"))
    running = project.start("-W", "error", "-m", "dwatch", "run", "--force")
    wait_until_written(project.folder / "journal", 360)
    server.kill()
    out, err = running.communicate(timeout=120)
    assert running.returncode == 2, out + err
    first, hint = err.strip().splitlines()
    assert first.startswith("error: the database does not answer as it should")
    assert hint.startswith("hint: Is the server up")
    assert out == ""

    server.start()
    results, changes, _leases, _runs = found(project)
    assert results == 300
    assert 350 <= changes < 600
    assert changes % 10 == 0
    assert project.run("expire.py").returncode == 0
    done = project.dwatch("run", "--force", "--fail-on", "never")
    assert done.returncode == 0, done.stdout + done.stderr
    ends = [["complete", 300], ["abandoned", 0], ["complete", 0]]
    assert found(project) == [300, 600, [""], ends]
