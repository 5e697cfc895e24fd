from __future__ import annotations

import os
import subprocess
import sys

import pytest
from django.db import connection

from tests.databases import VENDOR_VARIABLE, chosen_database
from tests.testapp.models import Item

PRINT_ITEMS = """
import django
django.setup()
from tests.testapp.models import Item
print(*Item.objects.values_list("name", flat=True))
"""


@pytest.mark.django_db
def test_chosen_database__is_the_one_the_tests_talk_to() -> None:
    vendor = os.environ.get(VENDOR_VARIABLE, "sqlite")
    is_mariadb = getattr(connection, "mysql_is_mariadb", False)
    assert (connection.vendor, is_mariadb) == {
        "sqlite": ("sqlite", False),
        "postgresql": ("postgresql", False),
        "mariadb": ("mysql", True),
    }[vendor]


@pytest.mark.django_db(transaction=True)
def test_subprocess__reads_what_the_test_wrote() -> None:
    Item.objects.create(name="grün")
    environment = {**os.environ, "DJANGO_SETTINGS_MODULE": "tests.settings", "PYTHONUTF8": "1"}
    command = [sys.executable, "-c", PRINT_ITEMS]
    done = subprocess.run(
        command, env=environment, capture_output=True, check=False, encoding="utf8"
    )
    assert (done.stdout.strip(), done.stderr, done.returncode) == ("grün", "", 0)


def test_unknown_choice__is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(VENDOR_VARIABLE, "oracle")
    with pytest.raises(ValueError, match="sqlite, postgresql, mariadb"):
        chosen_database()
