"""The command line on a terminal: a real pseudo-terminal."""

from __future__ import annotations

import os
import pty
import subprocess
import sys
from typing import TYPE_CHECKING

from dwatch.models import Result
from tests.running import make_items

if TYPE_CHECKING:
    from tests.project import Project

SLOW = """
import time
from dwatch import BaseCheck, Status, register
from tests.testapp.models import Item

@register
class Stock(BaseCheck):
    slug, model_class, run_every = "stock", Item, "*/5 * * * *"

    def check(self, item):
        time.sleep(0.15)
        return Status.critical if item.value < 0 else Status.ok
"""


def on_terminal(project: Project, *arguments: str) -> tuple[int, str]:
    """Run the command on a pseudo-terminal; return its exit code and what it showed."""
    ours, theirs = pty.openpty()
    process = subprocess.Popen(
        [sys.executable, "-m", "dwatch", *arguments],
        cwd=project.folder,
        env={**project._environment(), "TERM": "xterm", "COLUMNS": "120"},
        stdin=theirs,
        stdout=theirs,
        stderr=theirs,
    )
    project.running.append(process)  # type: ignore[arg-type]
    os.close(theirs)
    shown = b""
    try:
        while chunk := os.read(ours, 65536):
            shown += chunk
    except OSError:
        pass  # how Linux says that the other side is closed
    os.close(ours)
    return process.wait(timeout=120), shown.decode()


def test_run__shows_progress_and_a_coloured_table(project: Project) -> None:
    project.write("stock/checks.py", SLOW)
    settings = (
        project.folder / "settings.py"
    ).read_text() + "\nDWATCH_BATCH_SIZE = DWATCH_TRANSACTION_SIZE = 2\n"
    project.write("settings.py", settings)
    make_items(1, -1, 2, -2, 3, -3)
    code, shown = on_terminal(project, "run")
    assert code == 1
    assert "/6" in shown
    assert "3 found" in shown or "2 found" in shown
    assert "\x1b[1;31m" in shown
    assert Result.objects.count() == 6


def test_run__no_color(project: Project) -> None:
    make_items(-1)
    project.environment["NO_COLOR"] = "1"
    code, shown = on_terminal(project, "run", "--force")
    assert code == 1
    assert "\x1b[1;31m" not in shown
    assert "item 0" in shown


def test_quiet__has_no_progress(project: Project) -> None:
    make_items(1)
    assert on_terminal(project, "run", "--quiet", "--force") == (0, "")


def test_output__that_cannot_be_written_is_said(project: Project) -> None:
    make_items(1)
    with open("/dev/full", "w") as full:  # noqa: PTH123 - a device
        done = subprocess.run(
            [sys.executable, "-m", "dwatch", "list"],
            cwd=project.folder,
            env=project._environment(),
            stdout=full,
            stderr=subprocess.PIPE,
            text=True,
            check=False,
        )
    assert done.returncode == 3
    assert "cannot be written" in done.stderr
