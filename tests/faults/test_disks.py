"""Databases that take nothing more: full, or read-only."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from django.db import connection

from dwatch.models import CheckState, Result, Run, StatusChange
from tests.faults.history import assert_history_is_unbroken
from tests.running import make_items
from tests.testapp.models import Item

if TYPE_CHECKING:
    import subprocess
    from collections.abc import Iterator

    from tests.project import Project

SETTINGS = """
from tests.settings import *
INSTALLED_APPS = [*INSTALLED_APPS, "stock"]
DWATCH_BATCH_SIZE = DWATCH_TRANSACTION_SIZE = 50
DATABASES["default"].setdefault("OPTIONS", {}).update(OPTIONS)
"""
READ_ONLY = {
    "sqlite": 'name = DATABASES["default"]["NAME"]\n'
    'DATABASES["default"]["NAME"] = f"file:{name}?mode=ro"\nOPTIONS = {"uri": True}\n',
    "postgresql": 'OPTIONS = {"options": "-c default_transaction_read_only=on"}\n',
    "mysql": 'OPTIONS = {"init_command": "SET SESSION TRANSACTION READ ONLY"}\n',
}


FILL = {
    "postgresql": [
        """
        CREATE FUNCTION dwatch_full() RETURNS trigger LANGUAGE plpgsql AS $$
        BEGIN
          IF (SELECT COUNT(*) FROM dwatch_result) >= 420 THEN
            RAISE EXCEPTION 'could not extend file: No space left on device'
              USING ERRCODE = 'disk_full';
          END IF;
          RETURN NEW;
        END $$
        """,
        """
        CREATE TRIGGER dwatch_full BEFORE INSERT ON dwatch_result
        FOR EACH ROW EXECUTE FUNCTION dwatch_full()
        """,
    ],
    "mysql": [
        """
        CREATE TRIGGER dwatch_full BEFORE INSERT ON dwatch_result FOR EACH ROW
        IF (SELECT COUNT(*) FROM dwatch_result) >= 420 THEN
          SIGNAL SQLSTATE 'HY000' SET MYSQL_ERRNO = 1114, MESSAGE_TEXT = 'The table is full';
        END IF
        """,
    ],
}


def with_options(project: Project, options: str) -> None:
    """Let the project's connections have these options."""
    head, tail = SETTINGS.rsplit("DATABASES", 1)
    project.write("settings.py", f"{head}{options}DATABASES{tail}")


def assert_one_clear_line(done: subprocess.CompletedProcess[str], words: str) -> None:
    assert done.returncode == 2, done.stdout + done.stderr
    first, hint = done.stderr.strip().splitlines()
    assert words in first
    assert hint.startswith("hint: ")
    assert done.stdout == ""


def test_read_only__one_clear_line_and_all_is_as_it_was(project: Project) -> None:
    make_items(1, -1)
    assert project.dwatch("run").returncode == 1
    before = list(Result.objects.values()), list(CheckState.objects.values())
    with_options(project, READ_ONLY[connection.vendor])
    assert_one_clear_line(project.dwatch("run", "--force"), "the database lets us read only")
    assert "item 1" in project.dwatch("show", "stock").stdout
    assert (list(Result.objects.values()), list(CheckState.objects.values())) == before
    assert Run.objects.count() == 1


def statements(*texts: str) -> None:
    with connection.cursor() as cursor:
        for text in texts:
            cursor.execute(text)


@pytest.fixture
def disk_full(project: Project) -> Iterator[None]:
    """Leave room for some results; the servers say what they say when the disk is full."""
    if connection.vendor == "sqlite":
        with connection.cursor() as cursor:
            cursor.execute("VACUUM")  # else there may be room that other tests left
            cursor.execute("PRAGMA page_count")
            room = cursor.fetchone()[0] + 60
        with_options(project, f'OPTIONS = {{"init_command": "PRAGMA max_page_count = {room}"}}\n')
        yield
    else:
        with_options(project, "OPTIONS = {}\n")
        statements(*FILL[connection.vendor])
        yield
        statements("DROP FUNCTION IF EXISTS dwatch_full")


def make_room(project: Project) -> None:
    with_options(project, "OPTIONS = {}\n")
    if connection.vendor != "sqlite":
        table = " ON dwatch_result" if connection.vendor == "postgresql" else ""
        statements(f"DROP TRIGGER dwatch_full{table}")


@pytest.mark.usefixtures("disk_full")
def test_disk_full_in_mid_run__one_clear_line_and_whole_batches_stay(project: Project) -> None:
    Item.objects.bulk_create(Item(name="x" * 90, value=-1) for _ in range(1000))
    assert_one_clear_line(project.dwatch("run", "--force"), "the database is full")
    stored = Result.objects.count()
    assert 0 < stored < 1000
    assert stored % 50 == 0
    assert StatusChange.objects.count() == stored
    assert_history_is_unbroken()

    make_room(project)
    CheckState.objects.update(lease_expires="2000-01-01T00:00Z")
    assert project.dwatch("run", "--force").returncode == 1
    assert Result.objects.count() == StatusChange.objects.count() == 1000
    assert_history_is_unbroken()
    states = Run.objects.order_by("pk").values_list("state", flat=True)
    assert list(states) == ["abandoned", "complete"]
