"""What happens before Django is there, and how it all ends."""

from __future__ import annotations

import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from dwatch.cli.app import _globals_first, main
from tests.project import CHECKOUT, wait_until_written
from tests.running import make_items

if TYPE_CHECKING:
    from tests.project import Project

COMMANDS = ("run", "list", "show", "refresh", "cleanup", "try", "doctor")
HELD = """
import time
from dwatch import BaseCheck, Status, register
from tests.testapp.models import Item

@register
class Stock(BaseCheck):
    slug, model_class, run_every = "stock", Item, "*/5 * * * *"

    def check(self, item):
        with open("journal", "a") as file:
            print(item.pk, file=file)
        time.sleep(600)
"""


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        (["run", "--traceback"], ["--traceback", "run"]),
        (["run", "--settings", "a.b", "-q"], ["--settings", "a.b", "run", "-q"]),
        (["run", "--settings=a.b"], ["--settings=a.b", "run"]),
        (["run", "--settings"], ["--settings", "run"]),
        (["show", "--", "--settings", "17"], ["show", "--", "--settings", "17"]),
    ],
)
def test_globals_first(given: list[str], expected: list[str]) -> None:
    assert _globals_first(given) == expected


def test_main__alone_shows_help_but_is_no_success(capsys: pytest.CaptureFixture[str]) -> None:
    assert main([]) == 2
    said = capsys.readouterr().out
    assert all(f"\n  {command} " in said for command in COMMANDS)


@pytest.mark.parametrize("command", COMMANDS)
def test_help__has_examples(command: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main([command, "--help"]) == 0
    assert f"\n    dwatch {command}" in capsys.readouterr().out or command == "doctor"


def test_main__bad_choice_names_the_choices(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["run", "--fail-on", "bad"]) == 2
    error, hint = capsys.readouterr().err.splitlines()
    assert error.startswith("error: ")
    assert "'critical', 'warning', 'unknown', 'never'" in error
    assert hint == "hint: `dwatch run --help` shows what is possible."


def test_main__misspelt_command_is_guessed(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["lsit"]) == 2
    assert "'list'" in capsys.readouterr().err


def test_help__whose_reader_went_away_is_silent() -> None:
    done = subprocess.run(  # noqa: S602 - the pipe is what is tested
        f"( {sys.executable} -m dwatch --help; echo $? >&2 ) | true",
        shell=True,
        cwd=CHECKOUT,
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stderr == "0\n"


def test_run__held_by_another_run_is_4_and_says_by_whom(project: Project) -> None:
    make_items(1)
    project.write("stock/checks.py", HELD)
    project.start("-m", "dwatch", "run")
    wait_until_written(project.folder / "journal")
    asked = project.dwatch("run", "--slug", "stock", "--force")
    assert asked.returncode == 4
    assert "stock  is being run by" in asked.stdout
    assert project.dwatch("run", "--slug", "stock", "--quiet", "--force").stdout != ""
    swept = project.dwatch("run", "--force")
    assert swept.returncode == 0
    listed = project.dwatch("list")
    assert "running" in listed.stdout


def test_completion__of_a_broken_project_is_silent(project: Project) -> None:
    project.write("settings.py", "raise SystemExit('boom')")
    project.environment |= {
        "_DWATCH_COMPLETE": "complete_bash",
        "COMP_WORDS": "dwatch show st",
        "COMP_CWORD": "2",
    }
    completed = project.run("-m", "dwatch")
    assert completed.stdout.strip() == ""
    assert completed.stderr == ""


def test_unexpected_error__is_one_line_and_3(project: Project) -> None:
    settings = (project.folder / "settings.py").read_text()
    project.write("settings.py", f"{settings}\nTIME_ZONE = 'Europe/Berlin'\n")
    project.write(
        "stock/checks.py",
        "from dwatch.services import listing\n"
        "def broken(selection):\n    raise LookupError('first line\\nsecond line')\n"
        "listing.list_checks = broken\n",
    )
    done = project.dwatch("list")
    assert done.returncode == 3
    assert done.stderr.splitlines()[0] == "error: LookupError: first line"
    assert "--traceback" in done.stderr.splitlines()[1]
    assert "second line" in project.dwatch("list", "--traceback").stderr
