"""Real ``dwatch`` processes by the hundred, for tests that stop them at random moments."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.project import Project


@dataclass(slots=True)
class Nursery:
    """Starts processes that do not have to import anything; see ``forking``."""

    process: subprocess.Popen[str]

    def start(self, *arguments: str, times: int = 1) -> list[int]:
        """Start that many at one moment and return their process ids; ``wait`` comes next."""
        assert self.process.stdin is not None
        self.process.stdin.write(json.dumps({"times": times, "arguments": arguments}) + "\n")
        self.process.stdin.flush()
        return self._answer()

    def wait(self) -> list[int]:
        """Return the exit codes, or negative signal numbers, of those started last."""
        return self._answer()

    def run(self, *arguments: str, times: int = 1) -> list[int]:
        """Run that many at once to their end."""
        self.start(*arguments, times=times)
        return self.wait()

    def stopped(self, number: signal.Signals, delay: float, *arguments: str) -> tuple[int, float]:
        """Run one and send it a signal after a while; return its exit code and how long it took."""
        (child,) = self.start(*arguments)
        time.sleep(delay)
        sent = time.monotonic()
        # It is no zombie's fault: the nursery may have reaped it just now.
        with suppress(ProcessLookupError):
            os.kill(child, number)
        (code,) = self.wait()
        return code, time.monotonic() - sent

    def usual_seconds(self, *arguments: str) -> float:
        """Return how long such a process takes when nothing disturbs it."""
        times = []
        for _ in range(3):
            started = time.monotonic()
            self.run(*arguments)
            times.append(time.monotonic() - started)
        return sorted(times)[1]

    def _answer(self) -> list[int]:
        assert self.process.stdout is not None
        line = self.process.stdout.readline()
        assert line, "the nursery died"
        answer: list[int] = json.loads(line)
        return answer


@contextmanager
def nursery(project: Project) -> Iterator[Nursery]:
    """Give a nursery of this project's; end it afterwards."""
    process = subprocess.Popen(
        [sys.executable, "-m", "tests.stress.forking"],
        cwd=project.folder,
        env=project._environment(),
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )
    try:
        yield Nursery(process)
    finally:
        os.killpg(process.pid, signal.SIGKILL)  # its children too, frozen or not
        process.communicate()
