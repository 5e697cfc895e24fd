from __future__ import annotations

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("dwatch", "0002_unconfirmed")]

    operations = [
        migrations.AddField(
            model_name="checkstate",
            name="unstored_ok",
            field=models.PositiveBigIntegerField(default=0, verbose_name="OK without a result"),
        ),
        migrations.AddField(
            model_name="checkstate",
            name="unstored_warning",
            field=models.PositiveBigIntegerField(
                default=0, verbose_name="warning without a result"
            ),
        ),
        migrations.AddField(
            model_name="checkstate",
            name="unstored_critical",
            field=models.PositiveBigIntegerField(
                default=0, verbose_name="critical without a result"
            ),
        ),
        migrations.AddField(
            model_name="checkstate",
            name="unstored_unknown",
            field=models.PositiveBigIntegerField(
                default=0, verbose_name="unknown without a result"
            ),
        ),
    ]
