"""Worker processes in trouble, through the real command line."""

from __future__ import annotations

import json
import os
import signal
import time
from collections import Counter
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from dwatch.core.status import Status
from dwatch.models import CheckState, Result
from tests.faults.history import assert_history_is_unbroken
from tests.project import wait_until_written

if TYPE_CHECKING:
    import subprocess

    from tests.project import Project

POISON = r"""
import ctypes, os, pathlib, re, resource, signal, time
from dwatch import BaseCheck, Status, register

def bare():
    while True:
        try:
            time.sleep(600)
        except:
            pass

def deaf():
    signal.signal(signal.SIGALRM, signal.SIG_IGN)
    time.sleep(600)

def out_of_memory():
    # As the kernel ends a process, without the rest of the machine suffering for it.
    os.kill(os.getpid(), signal.SIGKILL)

def limited_memory():
    resource.setrlimit(resource.RLIMIT_AS, (2**30, resource.RLIM_INFINITY))
    try:
        bytearray(2**31)
    finally:
        resource.setrlimit(resource.RLIMIT_AS, (resource.RLIM_INFINITY,) * 2)

POISON = {
    "1 segfault": lambda: ctypes.string_at(0),
    "2 exit": lambda: os._exit(0),
    "3 killed": out_of_memory,
    "4 memory": limited_memory,
    "5 hangs": lambda: time.sleep(600),
    "6 deaf": deaf,
    "7 bare except": bare,
    "8 in C": lambda: re.match(r"(a+)+$", "a" * 40 + "b"),
}

@register
class Poison(BaseCheck):
    slug = "poison"
    timeout = 1
    def generate(self):
        for number, word in enumerate(POISON):
            yield from (f"{number} fine {mate}" for mate in range(20))
            yield word
    def get_identifier(self, payload): return payload
    def get_payload(self, identifier): return identifier
    def check(self, payload):
        print("judging", payload)
        POISON.get(payload, int)()
        return Status.ok
"""
NUMBERS = r"""
import os, pathlib, time
from dwatch import BaseCheck, Status, register

@register
class Numbers(BaseCheck):
    slug = "numbers"
    run_every = "0 0 1 1 *"
    def generate(self): return range(COUNT)
    def get_identifier(self, payload): return payload
    def get_payload(self, identifier): return int(identifier)
    def check(self, payload):
        if payload == HANGS_AT and not pathlib.Path("free").exists():
            pathlib.Path("hanging").write_text("here\n")
            time.sleep(600)
        with open("pids", "a") as file:
            file.write(f"{os.getpid()}\n")
        time.sleep(SECONDS)
        return Status.ok
"""
CODES = {signal.SIGTERM: 143, signal.SIGINT: 130}


def numbers(count: int, hangs_at: int = -1, seconds: float = 0) -> str:
    source = NUMBERS.replace("COUNT", str(count)).replace("HANGS_AT", str(hangs_at))
    return source.replace("SECONDS", str(seconds))


def start(project: Project, *arguments: str) -> subprocess.Popen[str]:
    return project.start("-W", "error", "-m", "dwatch", "run", "--workers", "3", *arguments)


def busy_workers(project: Project) -> list[int]:
    """Return workers that have judged a few payloads of ``numbers()``, the latest last.

    A new one may be there for a payload that was hit before: three hits, and it is blamed.
    """
    judged = Counter((project.folder / "pids").read_text().split()[:-1])
    return [int(pid) for pid, count in judged.items() if count >= 5 and is_running(int(pid))]


def descendants(pid: int) -> list[int]:
    """Return the processes below this one."""
    below = []
    for stat in Path("/proc").glob("[0-9]*/stat"):
        try:
            parent = int(stat.read_text().rpartition(")")[2].split()[1])
        except (FileNotFoundError, ProcessLookupError):
            continue
        if parent == pid:
            child = int(stat.parent.name)
            below += [child, *descendants(child)]
    return below


def wait_until_gone(pids: list[int]) -> None:
    deadline = time.monotonic() + 60
    while alive := [pid for pid in pids if is_running(pid)]:
        if time.monotonic() > deadline:
            raise TimeoutError(alive)
        time.sleep(0.02)


def is_running(pid: int) -> bool:
    try:
        stat = Path(f"/proc/{pid}/stat").read_text()
    except (FileNotFoundError, ProcessLookupError):
        return False
    return stat.rpartition(")")[2].split()[0] != "Z"


def test_poison__only_the_payload_is_blamed(project: Project) -> None:
    project.write("stock/checks.py", POISON)
    done = project.dwatch("run", "--force", "--workers", "2", "--format", "json")
    assert done.returncode == 3, done.stderr
    (report,) = json.loads(done.stdout)["checks"]
    assert (report["state"], report["errors"], report["counts"]["ok"]) == ("complete", 8, 160)
    assert "judging 1 segfault" in done.stderr
    died = "the worker process died ({}) while judging this payload"
    late = "timed out after 1 s"
    assert dict(Result.objects.exclude(error="").values_list("identifier", "error")) == {
        "1 segfault": died.format("signal 11"),
        "2 exit": died.format("exit code 0"),
        "3 killed": died.format("signal 9"),
        "4 memory": "MemoryError",
        "5 hangs": late,
        "6 deaf": late,
        "7 bare except": late,
        "8 in C": late,
    }
    assert Result.objects.filter(status=Status.unknown).count() == 8


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_signal__stores_what_was_judged_and_leaves_nobody(
    project: Project, number: signal.Signals
) -> None:
    project.write("stock/checks.py", numbers(60, hangs_at=30))
    process = start(project)
    wait_until_written(project.folder / "hanging")
    wait_until_written(project.folder / "pids", 30)
    below = descendants(process.pid)
    assert len(below) >= 3
    process.send_signal(number)
    out, err = process.communicate(timeout=60)
    assert process.returncode == CODES[number], out + err
    assert "Traceback" not in err
    wait_until_gone(below)
    state = CheckState.objects.get()
    assert (state.lease_token, state.handled_slot) == ("", None)
    assert 30 <= Result.objects.count() < 60

    project.write("free", "")
    assert project.dwatch("run", "--workers", "2").returncode == 0
    assert Result.objects.filter(status=Status.ok).count() == 60
    assert_history_is_unbroken()


def test_parent_killed__leaves_nobody(project: Project) -> None:
    project.write("stock/checks.py", numbers(60, hangs_at=30))
    process = start(project)
    wait_until_written(project.folder / "hanging")
    below = descendants(process.pid)
    assert len(below) >= 3
    process.kill()
    process.wait()
    wait_until_gone(below)


def test_service_manager__that_signals_all_processes_at_once(project: Project) -> None:
    project.write("stock/checks.py", numbers(300, seconds=0.02))
    process = start(project)
    wait_until_written(project.folder / "pids", 20)
    below = descendants(process.pid)
    for pid in [*below, process.pid]:
        os.kill(pid, signal.SIGTERM)
    out, err = process.communicate(timeout=60)
    assert process.returncode == 143, out + err
    assert not Result.objects.exclude(error="").exists()
    assert 0 < Result.objects.count() < 300
    wait_until_gone(below)


def test_random_kills_of_workers__every_payload_is_accounted_for(project: Project) -> None:
    project.write("stock/checks.py", numbers(400, seconds=0.005))
    process = start(project, "--format", "json")
    for kills in range(1, 9):
        wait_until_written(project.folder / "pids", 30 * kills)
        for victim in busy_workers(project)[-1:]:
            with suppress(ProcessLookupError):
                os.kill(victim, signal.SIGKILL)
    out, err = process.communicate(timeout=60)
    assert process.returncode == 0, out + err
    (report,) = json.loads(out)["checks"]
    assert (report["counts"]["ok"], report["errors"], report["notes"]) == (400, 0, [])
    assert Result.objects.filter(status=Status.ok).count() == 400


def test_wrong_number_of_workers__is_2_with_one_line_and_a_hint(project: Project) -> None:
    for command, given in (("run", "0"), ("refresh", "many")):
        done = project.dwatch(command, "--workers", given)
        assert done.returncode == 2
        assert [line.partition(":")[0] for line in done.stderr.splitlines()] == ["error", "hint"]
        assert f"{given!r} is not a number of workers." in done.stderr
    managed = project.run("-m", "django", "dwatch_run", "--workers", "1000")
    assert managed.returncode == 2
    assert "'1000' is not a number of workers." in managed.stderr
