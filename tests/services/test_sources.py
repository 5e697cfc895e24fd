"""Runs whose payloads come in while results are being stored, outside any transaction."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from dwatch.models import Result, StatusChange
from dwatch.services.reports import RunState, StatusCounts
from tests.running import make_check, run
from tests.testapp.models import Item

if TYPE_CHECKING:
    from collections.abc import Callable

    from django.db.models import QuerySet

    from tests.project import Project

ROWS = 4500
"""More than a cursor fetches at once, and several batches."""
SOURCES: dict[str, Callable[[], QuerySet[Any]]] = {
    "paged": Item.objects.all,
    "sliced": lambda: Item.objects.order_by("-value")[:ROWS],
    "union": lambda: Item.objects.filter(value__lt=2000).union(Item.objects.filter(value__gt=1000)),
    "reversed": lambda: Item.objects.order_by("value").reverse(),
}


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("name", SOURCES)
def test_run__stores_while_its_source_is_still_being_read(name: str) -> None:
    Item.objects.bulk_create(Item(name=f"i{n}", value=n) for n in range(ROWS))
    make_check(
        generate=lambda _self: SOURCES[name](),
        # One in the middle makes the store roll back and halve its batch.
        get_assigned_users=lambda _self, item, _status: ["no key"] if item.value == 2222 else [],
    )
    done = run()
    assert (done.state, done.error, done.duplicates) == (RunState.complete, "", 0)
    assert done.counts == StatusCounts(ok=ROWS - 1, unknown=1)
    assert Result.objects.count() == StatusChange.objects.count() == ROWS
    again = run()
    assert (again.counts, again.vanished, again.status_changes) == (done.counts, 0, 0)


TWO_DATABASES = """
from settings import *

DATABASES["stock"] = {"ENGINE": "django.db.backends.sqlite3", "NAME": "stock.sqlite3"}
DATABASE_ROUTERS = ["routing.Router"]
"""
ROUTER = """
class Router:
    def db_for_read(self, model, **hints):
        return "stock" if model._meta.app_label == "testapp" else None

    db_for_write = db_for_read

    def allow_migrate(self, db, app_label, **hints):
        return (db == "stock") == (app_label == "testapp")
"""
CHECKS = """
from django import forms
from dwatch import BaseCheck, CheckResponse, Status, register
from tests.testapp.models import Item


class Limits(forms.Form):
    least = forms.IntegerField(initial=0)


@register
class Stock(BaseCheck):
    slug = "stock"
    model_class = Item
    config_form = Limits

    def check(self, item):
        return Status.ok if item.value >= self.get_config(item)["least"] else Status.critical

    def get_assigned_users(self, item, status):
        from django.contrib.auth.models import User
        return User.objects.all()
"""
SCRIPT = """
import json
import django
django.setup()
from django.apps import apps
from django.contrib.auth.models import User
from django.db import connections
from dwatch.models import Result
from dwatch.services.acknowledge import acknowledge
from dwatch.services.configure import configure
from dwatch.services.requests import RunRequest
from dwatch.services.run import run_checks
from dwatch.services.show import show_result
from tests.testapp.models import Item

with connections["stock"].schema_editor() as editor:
    for model in apps.get_app_config("testapp").get_models():
        editor.create_model(model)
ada = User.objects.create(username="ada")
for value in (1, -1, 3):
    Item.objects.create(name=f"item {value}", value=value)
print(json.dumps({
    "first": vars_of(run_checks(RunRequest(force=True)).checks[0].counts),
    "configured": vars_of(configure("stock", "3", {"least": 5}, user=ada).checks[0].counts),
    "until": bool(acknowledge("stock", "3", user=ada, days=1)),
    "users": show_result("stock", "3").users,
    "gone": Item.objects.filter(pk=1).delete()[0],
    "second": run_checks(RunRequest(force=True)).checks[0].vanished,
    "where": [Item.objects.all().db, Result.objects.all().db],
}))
"""


def test_payloads_in_another_database__are_judged_into_this_one(project: Project) -> None:
    project.write("two_databases.py", TWO_DATABASES)
    project.write("routing.py", ROUTER)
    project.write("stock/checks.py", CHECKS)
    helper = "def vars_of(counts): return [counts.ok, counts.warning, counts.critical]\n"
    project.write("script.py", helper + SCRIPT)
    project.environment["DJANGO_SETTINGS_MODULE"] = "two_databases"
    done = project.run("-W", "error", "script.py")
    assert done.stderr == ""
    assert json.loads(done.stdout) == {
        "first": [2, 0, 1],
        "configured": [0, 0, 1],
        "until": True,
        "users": ["ada"],
        "gone": 1,
        "second": 1,
        "where": ["stock", "default"],
    }
