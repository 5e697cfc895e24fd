"""A Django project on the test database, used through real processes."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from dataclasses import dataclass, field
from pathlib import Path

CHECKOUT = Path(__file__).resolve().parents[1]
_SETTINGS = """
from tests.settings import *

INSTALLED_APPS = [*INSTALLED_APPS, "stock"]
"""
CHECKS = """
from dwatch import BaseCheck, CheckResponse, Status, register
from tests.testapp.models import Item


@register
class Stock(BaseCheck):
    title = "Items must not be negative"
    slug = "stock"
    run_every = "*/5 * * * *"
    tags = ("nightly",)
    model_class = Item

    def check(self, item):
        if item.note == "raise":
            raise ValueError("no [bold]such[/] \\x1b[31mitem")
        if item.value < 0:
            return CheckResponse(Status.critical, value=item.value)
        return Status.ok
"""


@dataclass(slots=True)
class Project:
    """A folder with settings, an app ``stock`` and its checks."""

    folder: Path
    environment: dict[str, str] = field(default_factory=dict)
    running: list[subprocess.Popen[str]] = field(default_factory=list)

    def write(self, name: str, content: str) -> None:
        """Write a file of the project."""
        file = self.folder / name
        file.parent.mkdir(exist_ok=True)
        file.write_text(content, encoding="utf-8")

    def start(self, *command: str) -> subprocess.Popen[str]:
        """Start Python with these arguments in the project's folder."""
        process = subprocess.Popen(
            [sys.executable, *command],
            cwd=self.folder,
            env=self._environment(),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        self.running.append(process)
        return process

    def run(self, *command: str) -> subprocess.CompletedProcess[str]:
        """Run Python with these arguments to its end."""
        process = self.start(*command)
        out, err = process.communicate(timeout=180)
        return subprocess.CompletedProcess(command, process.returncode, out, err)

    def dwatch(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        """Run the command line."""
        return self.run("-W", "error", "-m", "dwatch", *arguments)

    def end(self) -> None:
        """Kill whatever is still running."""
        for process in self.running:
            if process.poll() is None:
                process.send_signal(signal.SIGCONT)
                process.kill()
            process.communicate()

    def _environment(self) -> dict[str, str]:
        ours = {"PYTHONPATH": str(CHECKOUT), "DJANGO_SETTINGS_MODULE": "settings"}
        kept = {k: v for k, v in os.environ.items() if k not in {"COLUMNS", "NO_COLOR"}}
        return {**kept, **ours, **self.environment}


def make_project(folder: Path) -> Project:
    """Write a project whose one check is ``stock``."""
    project = Project(folder)
    project.write("settings.py", _SETTINGS)
    project.write("stock/__init__.py", "")
    project.write("stock/checks.py", CHECKS)
    return project


def wait_until_written(file: Path, lines: int = 1, seconds: float = 120) -> None:
    """Wait until a file that a check writes has that many lines; TimeoutError."""
    deadline = time.monotonic() + seconds
    while not file.exists() or len(file.read_text().splitlines()) < lines:
        if time.monotonic() > deadline:
            raise TimeoutError(file)
        time.sleep(0.01)
