"""The databases the tests can run on, each under a name of this run's own.

``DWATCH_TEST_DATABASE`` chooses one of ``sqlite`` (the default), ``postgresql``
and ``mariadb``. The first process picks a database name nobody else uses and
leaves it in the environment, so that the commands which tests start as
subprocesses find the same database.
"""

from __future__ import annotations

import atexit
import os
import secrets
import sys
import tempfile
from pathlib import Path
from typing import Any

VENDOR_VARIABLE = "DWATCH_TEST_DATABASE"
NAME_VARIABLE = "DWATCH_TEST_DATABASE_NAME"


def chosen_database() -> dict[str, Any]:
    """Return Django's settings of the chosen database; ValueError on an unknown choice."""
    vendor = os.environ.get(VENDOR_VARIABLE, "sqlite")
    if vendor not in _VENDORS:
        message = f"{VENDOR_VARIABLE} is {vendor!r}; it must be one of {', '.join(_VENDORS)}"
        raise ValueError(message)
    return _VENDORS[vendor]()


def _sqlite() -> dict[str, Any]:
    if NAME_VARIABLE not in os.environ:
        file = Path(tempfile.gettempdir(), f"dwatch_test_{os.getpid()}_{secrets.token_hex(4)}")
        atexit.register(_remove_with_journals, file)
        os.environ[NAME_VARIABLE] = str(file)
    name = os.environ[NAME_VARIABLE]
    # Without a test name of its own Django would choose an in-memory database,
    # which subprocesses and threads cannot see.
    return {"ENGINE": "django.db.backends.sqlite3", "NAME": name, "TEST": {"NAME": name}}


def _remove_with_journals(file: Path) -> None:
    for leftover in file.parent.glob(f"{file.name}*"):
        leftover.unlink(missing_ok=True)


def _postgresql() -> dict[str, Any]:
    return {
        "ENGINE": "django.db.backends.postgresql",
        "HOST": os.environ.get("PGHOST", "127.0.0.1"),
        "PORT": os.environ.get("PGPORT", "5432"),
        "USER": os.environ.get("PGUSER", "postgres"),
        "PASSWORD": os.environ.get("PGPASSWORD", ""),
        "NAME": _server_database_name(),
        "TEST": {"NAME": _server_database_name()},
    }


def _mariadb() -> dict[str, Any]:
    return {
        "ENGINE": "django.db.backends.mysql",
        "HOST": os.environ.get("MARIADB_HOST", "127.0.0.1"),
        "PORT": os.environ.get("MARIADB_PORT", "3306"),
        "USER": os.environ.get("MARIADB_USER", "root"),
        "PASSWORD": os.environ.get("MARIADB_PASSWORD", ""),
        "NAME": _server_database_name(),
        "OPTIONS": {"charset": "utf8mb4"},
        "TEST": {"NAME": _server_database_name(), "CHARSET": "utf8mb4"},
    }


def _server_database_name() -> str:
    return os.environ.setdefault(NAME_VARIABLE, f"dwatch_test_{os.getpid()}")


_VENDORS = {"sqlite": _sqlite, "postgresql": _postgresql, "mariadb": _mariadb}


def log_in() -> None:
    """Log in to the chosen database's server; exit with the reason when that fails."""
    import django
    from django.conf import settings
    from django.db import Error, connection

    settings.configure(DATABASES={"default": chosen_database()})
    django.setup()
    try:
        with connection._nodb_cursor() as cursor:
            cursor.execute("SELECT 1")
    except Error as error:
        sys.exit(str(error))


if __name__ == "__main__":
    log_in()
