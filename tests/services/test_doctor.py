from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from django.db import connection
from django.db.migrations.loader import MigrationLoader
from django.db.migrations.recorder import MigrationRecorder

from dwatch.exceptions import ConfigurationError
from dwatch.services.doctor import examine
from dwatch.services.requests import RunRequest
from dwatch.services.run import run_checks
from tests.running import make_check

if TYPE_CHECKING:
    from tests.project import Project

UNREACHABLE = """
from settings import *

DATABASES = {"default": {"ENGINE": "django.db.backends.sqlite3", "NAME": "/nowhere/at/all.sqlite3"}}
"""
SCRIPT = """
import django
django.setup()
from dwatch.services.doctor import examine
for finding in examine().findings:
    print(finding.level, finding.subject, bool(finding.hint))
"""


def levels() -> dict[str, str]:
    return {finding.subject: finding.level for finding in examine().findings}


@pytest.mark.django_db
def test_doctor__migration_that_is_not_applied() -> None:
    make_check()
    ((_app, latest),) = MigrationLoader(connection).graph.leaf_nodes("dwatch")
    MigrationRecorder(connection).record_unapplied("dwatch", latest)
    (finding,) = [finding for finding in examine().findings if finding.level == "error"]
    assert (finding.subject, finding.text) == ("migrations", f"not applied: {latest}")
    assert "migrate dwatch" in finding.hint


@pytest.mark.django_db(transaction=True)
def test_doctor__missing_table_is_one_finding_among_others() -> None:
    make_check()
    with connection.cursor() as cursor:
        cursor.execute("ALTER TABLE dwatch_checkstate RENAME TO dwatch_checkstate_away")
    try:
        found = levels()
        with pytest.raises(ConfigurationError, match="not up to date"):
            run_checks(RunRequest())
    finally:
        with connection.cursor() as cursor:
            cursor.execute("ALTER TABLE dwatch_checkstate_away RENAME TO dwatch_checkstate")
    assert found.pop("checks") == "error"
    assert set(found.values()) == {"ok"}


@pytest.mark.django_db
def test_doctor__impossible_setting_hides_no_other_finding(settings: Any) -> None:
    make_check()
    settings.DWATCH_LEASE_SECONDS = "long"
    found = levels()
    assert found.pop("settings") == "error"
    assert set(found.values()) == {"ok"}


def test_doctor__database_that_cannot_be_reached(project: Project) -> None:
    project.write("unreachable.py", UNREACHABLE)
    project.write("script.py", SCRIPT)
    project.environment["DJANGO_SETTINGS_MODULE"] = "unreachable"
    done = project.run("-W", "error", "script.py")
    assert done.stderr == ""
    lines = done.stdout.splitlines()
    assert "error database True" in lines
    assert "error migrations True" in lines
    assert "ok settings False" in lines
