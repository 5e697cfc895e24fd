"""Signals at bad moments: what was judged is kept, and the next run makes it whole."""

from __future__ import annotations

import signal
from typing import TYPE_CHECKING

import pytest

from dwatch.core.status import Status
from dwatch.models import CheckState, Result, Run
from tests.faults.history import assert_history_is_unbroken
from tests.project import wait_until_written

if TYPE_CHECKING:
    from tests.project import Project

HANGS_AT_5 = """
import pathlib, time
from dwatch import BaseCheck, Status, register

def hang(number):
    if number == 5 and not pathlib.Path("free").exists():
        pathlib.Path("hanging").write_text("here\\n")
        HANG

class Numbers(BaseCheck):
    run_every = "0 0 1 1 *"
    def generate(self): return range(10)
    def get_identifier(self, payload): return payload
    def get_payload(self, identifier): return int(identifier)
    def check(self, payload): return Status.ok

@register
class InGenerate(Numbers):
    slug = "generate"
    def generate(self):
        for number in range(10):
            hang(number)
            yield number

@register
class InCheck(Numbers):
    slug = "check"
    def check(self, payload):
        hang(payload)
        return Status.ok

@register
class Later(Numbers):
    slug = "later"
"""
CODES = {signal.SIGTERM: 143, signal.SIGINT: 130}
SLEEP = "time.sleep(3600)"
DEAF = """
        try:
            time.sleep(3600)
        except:
            pass
"""


@pytest.mark.parametrize(
    ("number", "where", "way"),
    [
        (signal.SIGTERM, "check", SLEEP),
        (signal.SIGINT, "check", DEAF),
        (signal.SIGTERM, "generate", DEAF),
        (signal.SIGINT, "generate", SLEEP),
    ],
    ids=["check", "check that catches all", "generate that catches all", "generate"],
)
def test_signal_while_author_code_hangs__kept_and_made_whole_by_the_next_run(
    project: Project, number: signal.Signals, where: str, way: str
) -> None:
    project.write("stock/checks.py", HANGS_AT_5.replace("HANG\n", f"{way.strip()}\n"))
    process = project.start("-W", "error", "-m", "dwatch", "run", "-s", where, "-s", "later")
    wait_until_written(project.folder / "hanging")
    process.send_signal(number)
    out, err = process.communicate(timeout=60)
    assert process.returncode == CODES[number], out + err
    assert "Traceback" not in err
    state = CheckState.objects.get(slug=where)
    assert (state.lease_token, state.handled_slot) == ("", None)
    judged = Result.objects.filter(check_state=state)
    # What generate() gave but nobody judged yet is no loss: the next run draws it again.
    assert judged.filter(status=Status.ok).count() >= (5 if where == "check" else 0)
    assert not Result.objects.filter(check_state__slug="later").exists()

    project.write("free", "")
    done = project.dwatch("run", "-s", where, "-s", "later")
    assert done.returncode == 0, done.stdout + done.stderr
    assert judged.filter(status=Status.ok).count() == 10
    runs = Run.objects.filter(check_state=state).order_by("pk")
    assert list(runs.values_list("state", flat=True)) == ["interrupted", "complete"]
    assert_history_is_unbroken()
