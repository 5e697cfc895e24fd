"""A network that goes dark in mid-run (half-open TCP): nothing is refused, nothing arrives."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from django.db import connection

from dwatch.models import CheckState, Result, Run, StatusChange
from tests.faults.history import assert_history_is_unbroken
from tests.project import wait_until_written
from tests.proxy import proxy_to
from tests.running import make_items

if TYPE_CHECKING:
    from tests.project import Project

SETTINGS = """
from tests.settings import *
INSTALLED_APPS = [*INSTALLED_APPS, "stock"]
DWATCH_LEASE_SECONDS = 2
DWATCH_BATCH_SIZE = DWATCH_TRANSACTION_SIZE = 5
"""
CHECKS = """
import os, time
from dwatch import BaseCheck, Status, register
from tests.testapp.models import Item

@register
class Stock(BaseCheck):
    slug, model_class, run_every = "stock", Item, "* * * * *"

    def check(self, item):
        with open("journal", "a") as file:
            print(item.pk, file=file)
        time.sleep(float(os.environ.get("PAUSE", "0")))
        return Status.ok
"""


def test_network_goes_dark__another_run_takes_over_and_the_first_cannot_write(
    project: Project,
) -> None:
    make_items(*range(30))
    project.write("settings.py", SETTINGS)
    project.write("stock/checks.py", CHECKS)
    server = connection.settings_dict
    before = dict(project.environment)
    with proxy_to((server["HOST"], int(server["PORT"]))) as proxy:
        project.environment |= {"PGPORT": str(proxy.port), "MARIADB_PORT": str(proxy.port)}
        project.environment["PAUSE"] = "0.05"
        cut_off = project.start("-W", "error", "-m", "dwatch", "run", "--force")
        wait_until_written(project.folder / "journal", 12)
        proxy.go_dark()
        time.sleep(2.5)  # the lease

        project.environment = before
        taken_over = project.dwatch("run", "--slug", "stock", "--force")
        assert taken_over.returncode == 0, taken_over.stdout + taken_over.stderr
        proxy.come_back()
        out, err = cut_off.communicate(timeout=120)
    assert cut_off.returncode == 3, out + err
    assert "another run took this check over" in out
    assert Result.objects.count() == StatusChange.objects.count() == 30
    assert_history_is_unbroken()
    assert CheckState.objects.get().lease_token == ""
    states = Run.objects.order_by("pk").values_list("state", "ok")
    assert [state for state, _ok in states] == ["failed", "complete"]
