from __future__ import annotations

import pytest
from django.core.management import call_command


@pytest.mark.django_db
def test_migrations__hold_everything_that_the_models_say() -> None:
    call_command("makemigrations", "dwatch", check=True, dry_run=True, verbosity=0)
