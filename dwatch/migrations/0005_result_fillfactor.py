from __future__ import annotations

from typing import TYPE_CHECKING

from django.db import migrations

if TYPE_CHECKING:
    from django.db.backends.base.schema import BaseDatabaseSchemaEditor


def leave_room(_apps: object, schema_editor: BaseDatabaseSchemaEditor) -> None:
    """Let PostgreSQL keep each row's next version on the same page.

    Each run notes on each row that it was seen. With room for that on the page no
    index has to change and old versions make place by themselves (HOT updates),
    which takes half the time and keeps table and indexes from growing.
    """
    if schema_editor.connection.vendor == "postgresql":
        schema_editor.execute("ALTER TABLE dwatch_result SET (fillfactor = 50)")


def leave_none(_apps: object, schema_editor: BaseDatabaseSchemaEditor) -> None:
    if schema_editor.connection.vendor == "postgresql":
        schema_editor.execute("ALTER TABLE dwatch_result RESET (fillfactor)")


class Migration(migrations.Migration):
    dependencies = [
        ("dwatch", "0004_result_order"),
    ]

    operations = [
        migrations.RunPython(leave_room, leave_none),
    ]
