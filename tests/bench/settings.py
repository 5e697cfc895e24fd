"""Django settings of one measurement, told by environment variables.

``BENCH_TOOL`` is ``dwatch`` or ``datawatch``, or a source of payloads for dwatch
alone (``model``, ``generator``); ``BENCH_DATABASE`` is ``sqlite``,
``postgresql`` or ``mariadb``; ``BENCH_DATABASE_NAME`` is a file or a database on
the server that the PG* or MARIADB_* variables name; ``BENCH_PAYLOADS`` is how
many wallets the check looks at. Both tools get the same database settings.
"""

from __future__ import annotations

import os
from importlib import import_module
from typing import Any

_APPS = {
    "dwatch": ["dwatch", "tests.bench.dwatch_side"],
    "datawatch": ["django_datawatch", "tests.bench.datawatch_side"],
    "model": ["dwatch", "tests.bench.model_side"],
    "generator": ["dwatch", "tests.bench.generator_side"],
    "parallel": ["dwatch", "tests.bench.parallel_side"],
}


def _sqlite(name: str) -> dict[str, Any]:
    return {"ENGINE": "django.db.backends.sqlite3", "NAME": name}


def _postgresql(name: str) -> dict[str, Any]:
    return {
        "ENGINE": "django.db.backends.postgresql",
        "HOST": os.environ.get("PGHOST", "127.0.0.1"),
        "PORT": os.environ.get("PGPORT", "5432"),
        "USER": os.environ.get("PGUSER", "postgres"),
        "PASSWORD": os.environ.get("PGPASSWORD", ""),
        "NAME": name,
    }


def _mariadb(name: str) -> dict[str, Any]:
    try:
        import_module("MySQLdb")
    except ImportError:
        import_module("pymysql").install_as_MySQLdb()
    return {
        "ENGINE": "django.db.backends.mysql",
        "HOST": os.environ.get("MARIADB_HOST", "127.0.0.1"),
        "PORT": os.environ.get("MARIADB_PORT", "3306"),
        "USER": os.environ.get("MARIADB_USER", "root"),
        "PASSWORD": os.environ.get("MARIADB_PASSWORD", ""),
        "NAME": name,
        "OPTIONS": {"charset": "utf8mb4"},
    }


_VENDORS = {"sqlite": _sqlite, "postgresql": _postgresql, "mariadb": _mariadb}

SECRET_KEY = "only for measuring"
INSTALLED_APPS = [
    "django.contrib.admin",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "tests.bench.wallets",
    *_APPS[os.environ["BENCH_TOOL"]],
]
DATABASES = {"default": _VENDORS[os.environ["BENCH_DATABASE"]](os.environ["BENCH_DATABASE_NAME"])}
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
TIME_ZONE = "Europe/Berlin"
USE_TZ = True
