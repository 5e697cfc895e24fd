from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from dwatch.cli.bootstrap import find_project
from dwatch.exceptions import ConfigurationError

if TYPE_CHECKING:
    from pathlib import Path

MANAGE = 'import os\nos.environ.setdefault("DJANGO_SETTINGS_MODULE", "from_manage")\n'
PYPROJECT = '[tool.dwatch]\nsettings = "from_pyproject"\n'
VARIABLE = {"DJANGO_SETTINGS_MODULE": "from_environment"}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "manage.py").write_text(MANAGE)
    (tmp_path / "pyproject.toml").write_text(PYPROJECT)
    return tmp_path


def test_find_project__option_then_environment_then_pyproject_then_manage(folder: Path) -> None:
    assert find_project("from_option", VARIABLE, folder).settings == "from_option"
    assert find_project(None, VARIABLE, folder).settings == "from_environment"
    assert find_project(None, {}, folder).settings == "from_pyproject"
    (folder / "pyproject.toml").write_text("[tool.other]\n")
    assert find_project(None, {}, folder).settings == "from_manage"


def test_find_project__empty_variable_is_none(folder: Path) -> None:
    found = find_project(None, {"DJANGO_SETTINGS_MODULE": ""}, folder)
    assert found.settings == "from_pyproject"


def test_find_project__from_below_names_the_projects_folder(folder: Path) -> None:
    below = folder / "shop" / "templates"
    below.mkdir(parents=True)
    assert find_project(None, {}, below).folder == folder
    assert find_project("any.settings", {}, below).folder == folder


def test_find_project__says_who_named_the_settings(folder: Path) -> None:
    assert find_project("x", {}, folder).source == "--settings"
    assert "DJANGO_SETTINGS_MODULE" in find_project(None, VARIABLE, folder).source
    assert find_project(None, {}, folder).source == str(folder / "pyproject.toml")


@pytest.mark.parametrize(
    "content",
    [
        "def broken(:\n",
        "import os\nprint(os.environ)\n",
        'x["DJANGO_SETTINGS_MODULE"] = f()\n',
        "\0",
    ],
)
def test_find_project__manage_that_says_nothing(tmp_path: Path, content: str) -> None:
    (tmp_path / "manage.py").write_text(content)
    with pytest.raises(ConfigurationError, match="No Django settings found"):
        find_project(None, {}, tmp_path)


def test_find_project__never_runs_manage(tmp_path: Path) -> None:
    (tmp_path / "manage.py").write_text(f"{MANAGE}raise SystemExit('it ran')\n")
    assert find_project(None, {}, tmp_path).settings == "from_manage"
