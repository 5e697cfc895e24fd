"""Workers that are killed at random, for as long as is asked."""

from __future__ import annotations

import json
import os
import random
import signal
import time
from contextlib import suppress
from typing import TYPE_CHECKING

import pytest

from dwatch.core.status import Status
from dwatch.models import Result
from tests.faults.history import assert_history_is_unbroken
from tests.faults.test_workers import busy_workers, descendants, numbers, start, wait_until_gone
from tests.project import wait_until_written
from tests.stress.rounds import ROUNDS

if TYPE_CHECKING:
    from tests.project import Project

KILLS_A_RUN = 20


@pytest.mark.parametrize("seed", range(max(ROUNDS // KILLS_A_RUN, 1)))
def test_workers_killed_at_random_moments__every_payload_is_judged(
    project: Project, seed: int
) -> None:
    moments = random.Random(seed)  # noqa: S311 - to be repeated, not to be secret
    project.write("stock/checks.py", numbers(2000, seconds=0.003))
    process = start(project, "--format", "json")
    wait_until_written(project.folder / "pids", 20)
    killed = 0
    while killed < KILLS_A_RUN and process.poll() is None:
        time.sleep(moments.uniform(0, 0.1))
        if busy := busy_workers(project):
            with suppress(ProcessLookupError):
                os.kill(moments.choice(busy), signal.SIGKILL)
                killed += 1
    out, err = process.communicate(timeout=120)
    assert process.returncode == 0, out + err
    assert killed > KILLS_A_RUN // 2
    (report,) = json.loads(out)["checks"]
    assert (report["counts"]["ok"], report["errors"], report["notes"]) == (2000, 0, [])
    assert Result.objects.filter(status=Status.ok).count() == 2000
    assert_history_is_unbroken()


@pytest.mark.parametrize("seed", range(max(ROUNDS // 10, 1)))
def test_parent_killed_at_random_moments__leaves_nobody_and_is_made_whole(
    project: Project, seed: int
) -> None:
    moments = random.Random(seed)  # noqa: S311 - as above
    settings = (project.folder / "settings.py").read_text()
    project.write("settings.py", f"{settings}\nDWATCH_LEASE_SECONDS = 1\n")
    project.write("stock/checks.py", numbers(200, seconds=0.005))
    process = start(project)
    wait_until_written(project.folder / "pids", moments.randrange(1, 150))
    below = descendants(process.pid)
    process.kill()
    process.wait()
    wait_until_gone(below)
    deadline = time.monotonic() + 120
    # Until its lease has run out, the check is held (4).
    while project.dwatch("run", "--force", "-s", "numbers", "--workers", "2").returncode == 4:
        if time.monotonic() > deadline:
            raise TimeoutError
    assert Result.objects.filter(status=Status.ok).count() == 200
    assert_history_is_unbroken()
