"""What every test gets."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

import hypothesis
import pytest
from django.db import connection

from dwatch.core.registry import registry
from tests.project import make_project

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from pytest_django import DjangoDbBlocker

    from tests.project import Project

# A slow machine is no wrong answer.
hypothesis.settings.register_profile("dwatch", deadline=None)
hypothesis.settings.load_profile("dwatch")


@pytest.fixture(autouse=True)
def _restored_registry() -> Iterator[None]:
    """Undo what a test registers."""
    before = registry.snapshot()
    yield
    registry.restore(before)


@pytest.fixture(scope="session")
def django_db_setup(django_db_setup: None, django_db_blocker: DjangoDbBlocker) -> Iterator[None]:  # noqa: ARG001
    """Let PostgreSQL notice the end of the last tests' processes: it drops no database in use."""
    yield
    with django_db_blocker.unblock():
        until = time.monotonic() + 20
        while _other_sessions() and time.monotonic() < until:
            time.sleep(0.1)


def _other_sessions() -> bool:
    if connection.vendor != "postgresql":
        return False
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT COUNT(*) FROM pg_stat_activity"
            " WHERE datname = CURRENT_DATABASE() AND pid <> PG_BACKEND_PID()"
        )
        return bool(cursor.fetchone()[0])


@pytest.fixture
def project(tmp_path: Path, transactional_db: None) -> Iterator[Project]:  # noqa: ARG001
    """Give a project on the test database; what it starts is killed at the end."""
    made = make_project(tmp_path)
    yield made
    made.end()
