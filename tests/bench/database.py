"""Create, prepare or drop a database of a benchmark: ``python -m tests.bench.database create``."""

from __future__ import annotations

import os
import re
import sys
from pathlib import Path

from tests.bench import rows

CHUNK = 5_000


def create() -> None:
    """Create the database on its server; SQLite makes its file by itself."""
    _on_server("CREATE DATABASE {}")


def drop() -> None:
    """Drop the database, or delete SQLite's file."""
    _on_server("DROP DATABASE {}")


def migrate() -> None:
    """Make the tables of this tool."""
    import django

    django.setup()
    from django.core.management import call_command

    call_command("migrate", run_syncdb=True, verbosity=0)


def prepare() -> None:
    """Make the tables of this tool, and the wallets unless the other tool has."""
    migrate()
    from tests.bench.wallets.models import Wallet

    first = Wallet.objects.count() + 1
    for start in range(first, rows.payloads() + 1, CHUNK):
        Wallet.objects.bulk_create(
            Wallet(pk=number, owner=f"Owner {number}", balance=rows.balance(number))
            for number in range(start, min(start + CHUNK, rows.payloads() + 1))
        )


def version() -> None:
    """Print the server's version."""
    from django.db import connection

    with connection._nodb_cursor() as cursor:
        cursor.execute(
            "SELECT VERSION()" if connection.vendor == "mysql" else "SHOW server_version"
        )
        sys.stdout.write(re.split("[ -]", cursor.fetchone()[0])[0])


def _on_server(statement: str) -> None:
    from django.db import connection

    name = connection.settings_dict["NAME"]
    if connection.vendor == "sqlite":
        if statement.startswith("DROP"):
            Path(name).unlink(missing_ok=True)
        return
    with connection._nodb_cursor() as cursor:
        cursor.execute(statement.format(connection.ops.quote_name(name)))


if __name__ == "__main__":
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "tests.bench.settings")
    steps = (create, migrate, prepare, drop, version)
    {step.__name__: step for step in steps}[sys.argv[1]]()
