from __future__ import annotations

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("dwatch", "0003_unstored"),
    ]

    # New indexes first: MySQL keeps a foreign key only while some index serves it.
    operations = [
        migrations.AddIndex(
            model_name="result",
            index=models.Index(
                fields=["check_state", "vanished_at", "status", "since"],
                name="dwatch_result_worst",
            ),
        ),
        migrations.RemoveIndex(
            model_name="result",
            name="dwatch_result_count",
        ),
        migrations.AddIndex(
            model_name="run",
            index=models.Index(fields=["check_state", "id"], name="dwatch_run_latest"),
        ),
        migrations.AddIndex(
            model_name="run",
            index=models.Index(fields=["check_state", "state"], name="dwatch_run_running"),
        ),
        migrations.RemoveIndex(
            model_name="run",
            name="dwatch_run_by_check",
        ),
    ]
