from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from tests.examples.shop_project import ShopProject


@pytest.fixture(scope="session")
def migrated_database(tmp_path_factory: pytest.TempPathFactory) -> Path:
    database = tmp_path_factory.mktemp("shop") / "empty.sqlite3"
    ShopProject(database).manage("migrate", "--verbosity=0")
    return database


@pytest.fixture
def shop(tmp_path: Path, migrated_database: Path) -> ShopProject:
    return ShopProject(Path(shutil.copy(migrated_database, tmp_path / "shop.sqlite3")))


@pytest.fixture
def other_shop(tmp_path: Path, migrated_database: Path) -> ShopProject:
    return ShopProject(Path(shutil.copy(migrated_database, tmp_path / "other.sqlite3")))
