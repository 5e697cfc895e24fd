"""The database the shop lives in, chosen by environment variables."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

from django.core.exceptions import ImproperlyConfigured

PROJECT = Path(__file__).resolve().parent.parent


def chosen_database() -> dict[str, Any]:
    """Return Django's settings of the database that ``SHOP_DATABASE`` names."""
    vendor = os.environ.get("SHOP_DATABASE", "sqlite")
    vendors = {"sqlite": _sqlite, "postgresql": _postgresql, "mariadb": _mariadb}
    if vendor not in vendors:
        message = f"SHOP_DATABASE is {vendor!r}; it must be one of {', '.join(vendors)}"
        raise ImproperlyConfigured(message)
    return vendors[vendor]()


def _sqlite() -> dict[str, Any]:
    default = PROJECT / "shop.sqlite3"
    return {
        "ENGINE": "django.db.backends.sqlite3",
        "NAME": os.environ.get("SHOP_SQLITE_PATH", str(default)),
        # A cron job and the web server may write at the same time.
        "OPTIONS": {"transaction_mode": "IMMEDIATE", "timeout": 20},
    }


def _postgresql() -> dict[str, Any]:
    return {
        "ENGINE": "django.db.backends.postgresql",
        "HOST": os.environ.get("PGHOST", "127.0.0.1"),
        "PORT": os.environ.get("PGPORT", "5432"),
        "USER": os.environ.get("PGUSER", "postgres"),
        "PASSWORD": os.environ.get("PGPASSWORD", ""),
        "NAME": os.environ.get("PGDATABASE", "shop"),
    }


def _mariadb() -> dict[str, Any]:
    _provide_driver()
    return {
        "ENGINE": "django.db.backends.mysql",
        "HOST": os.environ.get("MARIADB_HOST", "127.0.0.1"),
        "PORT": os.environ.get("MARIADB_PORT", "3306"),
        "USER": os.environ.get("MARIADB_USER", "root"),
        "PASSWORD": os.environ.get("MARIADB_PASSWORD", ""),
        "NAME": os.environ.get("MARIADB_DATABASE", "shop"),
        "OPTIONS": {"charset": "utf8mb4"},
    }


def _provide_driver() -> None:
    """Let PyMySQL stand in where mysqlclient, which has to be compiled, is missing."""
    try:
        import MySQLdb  # noqa: F401
    except ImportError:
        import pymysql

        pymysql.install_as_MySQLdb()
