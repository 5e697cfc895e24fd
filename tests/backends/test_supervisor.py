"""Real worker processes that really die."""

from __future__ import annotations

import os
import pickle
import signal
import subprocess
import sys
import threading
import time
from collections import Counter
from contextlib import suppress
from typing import TYPE_CHECKING, Any

import pytest

from dwatch.backends import supervisor as module
from dwatch.backends.supervisor import (
    Kind,
    Progress,
    Refused,
    Supervisor,
    Task,
    WorkersCannotStartError,
    how_it_died,
)
from tests.backends import handlers
from tests.project import CHECKOUT

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from dwatch.backends.supervisor import Answer

PRELOAD = "tests.backends.preloaded"
PARENT = """
import pickle, sys, time
from dwatch.backends.supervisor import Supervisor, Task
from tests.backends import handlers

supervisor = Supervisor(2, handlers.prepare, {preload!r})
for _ in range(2):
    supervisor.submit(Task([{item!r}], pickle.dumps))
while [worker.progress.index for worker in supervisor._workers] != [0, 0]:
    supervisor.answers()
print(*supervisor.pids, flush=True)
time.sleep(600)
"""
UNGUARDED = """
import pickle
from dwatch.backends.supervisor import Supervisor, Task
from tests.backends import handlers

print("once", flush=True)
supervisor = Supervisor(1, handlers.prepare)
supervisor.submit(Task([("print",)], pickle.dumps))
while not supervisor.answers():
    pass
# Not closed: the interpreter ends all the same.
"""

OF_THE_PROJECT = """
import multiprocessing, pickle, signal
from dwatch.backends.supervisor import Supervisor, Task
from tests.backends import handlers

supervisor = Supervisor(1, handlers.prepare, "dwatch.backends.preload")
supervisor.submit(Task([("pid",)], pickle.dumps))
while not supervisor.answers():
    pass
supervisor.close()
context = multiprocessing.get_context("forkserver")
process = context.Process(target=signal.raise_signal, args=(signal.SIGTERM,))
process.start()
process.join()
print(process.exitcode)
"""

IN_A_DAEMON = """
import multiprocessing, pickle, resource, sys
from dwatch.backends.supervisor import Supervisor, Task, WorkersCannotStartError
from tests.backends import handlers

def main(files):
    if files:
        resource.setrlimit(resource.RLIMIT_NOFILE, (files, files))
        kept = []
        try:
            while True:
                kept.append(open("/dev/null"))
        except OSError:
            pass
    try:
        Supervisor(1, handlers.prepare).submit(Task([("pid",)], pickle.dumps))
    except WorkersCannotStartError as error:
        print(error, flush=True)

context = multiprocessing.get_context("fork")
process = context.Process(target=main, args=({files},), daemon={daemon})
process.start()
process.join()
"""


class Pool:
    """A supervisor, and what it answered."""

    def __init__(self, size: int, prepare: Callable[[], Any] = handlers.prepare) -> None:
        self.supervisor = Supervisor(size, prepare, PRELOAD)

    def do(self, *items: tuple[Any, ...], seconds: float | None = None, size: int = 100) -> None:
        for start in range(0, len(items), size):
            self.supervisor.submit(Task(list(items[start : start + size]), pickle.dumps, seconds))

    def rest(self) -> list[Answer]:
        answers = []
        while self.supervisor.in_flight:
            answers += self.supervisor.answers()
        return answers + self.supervisor.answers(0)

    def done(self, *items: tuple[Any, ...], **options: Any) -> dict[tuple[Any, ...], Answer]:
        self.do(*items, **options)
        answers = self.rest()
        assert Counter(answer.item for answer in answers) == Counter(items)
        return {answer.item: answer for answer in answers}


@pytest.fixture
def pools() -> Iterator[Callable[..., Pool]]:
    made: list[Pool] = []

    def make(size: int = 1, *arguments: Any) -> Pool:
        made.append(Pool(size, *arguments))
        return made[-1]

    yield make
    for pool in made:
        pids = pool.supervisor.pids
        pool.supervisor.close()
        assert not [pid for pid in pids if is_running(pid)]


def is_running(pid: int) -> bool:
    try:
        with open(f"/proc/{pid}/stat") as file:  # noqa: PTH123 - gone at any moment
            return file.read().rpartition(")")[2].split()[0] != "Z"
    except (FileNotFoundError, ProcessLookupError):
        return False


def wait_until_gone(pids: list[int]) -> None:
    deadline = time.monotonic() + 60
    while any(map(is_running, pids)):
        if time.monotonic() > deadline:
            raise TimeoutError(pids)
        time.sleep(0.01)


def kinds(answers: dict[tuple[Any, ...], Answer]) -> dict[Any, tuple[Kind, Any]]:
    return {item: (answer.kind, answer.value) for item, answer in answers.items()}


@pytest.mark.parametrize("size", [1, 3])
def test_answers__each_item_once(pools: Callable[..., Pool], size: int) -> None:
    items = [("double", number) for number in range(50)]
    answers = pools(size).done(*items, size=7)
    assert kinds(answers) == {item: (Kind.done, item[1] * 2) for item in items}


def test_workers__are_started_when_there_is_work_and_shared(pools: Callable[..., Pool]) -> None:
    pool = pools(3)
    assert pool.supervisor.pids == []
    first = pool.done(("pid",))[("pid",)].value
    assert pool.supervisor.pids == [first]
    assert pool.done(("pid",))[("pid",)].value == first != os.getpid()


@pytest.mark.parametrize(
    ("item", "words"),
    [
        (("die", signal.SIGSEGV), "signal 11"),
        (("die", signal.SIGKILL), "signal 9"),
        (("exit", 7), "exit code 7"),
        (("exit", 0), "exit code 0"),
    ],
)
def test_death__only_its_cause_is_blamed(
    pools: Callable[..., Pool], item: tuple[Any, ...], words: str
) -> None:
    mates = [("double", number) for number in range(20)]
    answers = kinds(pools(2).done(*mates[:9], item, *mates[9:]))
    assert answers.pop(item) == (Kind.died, words)
    assert answers == {mate: (Kind.done, mate[1] * 2) for mate in mates}


def test_death__an_item_that_was_hit_from_outside_is_done_again(
    pools: Callable[..., Pool], tmp_path: Path
) -> None:
    item = ("exit at first", str(tmp_path / "marker"), signal.SIGKILL)
    answers = pools(1).done(("double", 1), item, ("double", 2))
    assert {answer.kind for answer in answers.values()} == {Kind.done}
    assert answers[item].value == "alive"


def test_death__a_pair_of_poisons_in_one_task(pools: Callable[..., Pool]) -> None:
    answers = kinds(pools(1).done(("exit", 1), ("exit", 2), ("double", 1)))
    assert answers == {
        ("exit", 1): (Kind.died, "exit code 1"),
        ("exit", 2): (Kind.died, "exit code 2"),
        ("double", 1): (Kind.done, 2),
    }


def test_death__of_a_task_that_cannot_be_unpacked(pools: Callable[..., Pool]) -> None:
    mates = [("double", number) for number in range(5)]
    answers = kinds(pools(2, handlers.prepare_unguarded).done(*mates, ("exit", 7)))
    assert answers.pop(("exit", 7)) == (Kind.died, "exit code 7")
    assert answers == {mate: (Kind.done, mate) for mate in mates}


def test_death__of_an_idle_worker_is_made_good(pools: Callable[..., Pool]) -> None:
    pool = pools(1)
    pid = pool.done(("pid",))[("pid",)].value
    os.kill(pid, signal.SIGKILL)
    wait_until_gone([pid])
    assert pool.done(("pid",))[("pid",)].value != pid


def test_death__that_a_slow_fork_server_tells_of(pools: Callable[..., Pool]) -> None:
    pool = pools(1)
    server = pool.done(("parent's pid",))[("parent's pid",)].value
    pool.do(("exit", 7))
    while not pool.supervisor._suspects:
        pool.supervisor.answers()
    os.kill(server, signal.SIGSTOP)
    later = threading.Timer(1.5, os.kill, (server, signal.SIGCONT))
    later.start()
    answers = pool.rest()
    later.join()
    assert [answer[2:] for answer in answers] == [(Kind.died, "exit code 7")]


def test_progress__an_item_that_begins_meanwhile_is_not_late(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    shared = [0.0, 10.0, 0.0]

    def next_begins() -> float:
        shared[:2] = [1.0, 100.0]
        return 100.0

    monkeypatch.setattr(time, "monotonic", next_begins)
    seconds = Progress(shared).seconds
    monkeypatch.undo()
    assert seconds == 0.0


def test_late__is_killed_with_what_it_started(
    pools: Callable[..., Pool], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "LATE_SECONDS", 0.2)
    marker = tmp_path / "child"
    hanging: list[tuple[Any, ...]] = [("hang for good",), ("hang with child", str(marker))]
    answers = kinds(pools(2).done(("double", 1), *hanging, ("double", 2), seconds=0.1))
    assert answers == {
        ("double", 1): (Kind.done, 2),
        ("double", 2): (Kind.done, 4),
        **dict.fromkeys(hanging, (Kind.late, None)),
    }
    wait_until_gone([int(marker.read_text())])


def test_refused__the_rest_of_the_task(pools: Callable[..., Pool]) -> None:
    answers = kinds(pools(1).done(("double", 1), ("refuse", "no"), ("double", 2)))
    assert answers == {
        ("double", 1): (Kind.done, 2),
        ("refuse", "no"): (Kind.refused, "no"),
        ("double", 2): (Kind.refused, "no"),
    }


def test_refused__a_handler_that_fails(pools: Callable[..., Pool]) -> None:
    answers = kinds(pools(1).done(("fail",)))
    assert answers == {("fail",): (Kind.refused, "RuntimeError: in the engine")}


def test_refused__what_cannot_be_packed(pools: Callable[..., Pool]) -> None:
    def pack(_items: list[Any]) -> bytes:
        raise Refused("too large")

    pool = pools(1)
    pool.supervisor.submit(Task([1], pack))
    assert [(answer.item, *answer[2:]) for answer in pool.rest()] == [
        (1, Kind.refused, "too large")
    ]


def test_workers__make_room_after_some_tasks(
    pools: Callable[..., Pool], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "MAX_TASKS", 2)
    pool = pools(1)
    pids = [pool.done(("pid",))[("pid",)].value for _ in range(5)]
    assert [pids.count(pid) for pid in dict.fromkeys(pids)] == [2, 2, 1]


def test_results__come_while_a_later_item_hangs(pools: Callable[..., Pool]) -> None:
    pool = pools(1)
    pool.do(("double", 1), ("sleep", 600))
    answers: list[Answer] = []
    while not answers:
        answers += pool.supervisor.answers()
    assert [answer.value for answer in answers] == [2]
    assert pool.supervisor.in_flight == 1


def test_drain__brings_what_is_done_and_leaves_the_rest(pools: Callable[..., Pool]) -> None:
    pool = pools(2)
    pool.do(*[("sleep", 0.01)] * 1000, ("sleep", 600), size=500)
    first: list[Answer] = []
    while not first:
        first += pool.supervisor.answers()
    answers = pool.supervisor.drain(20)
    assert pool.supervisor.in_flight == 0
    assert 0 < len(first) + len(answers) < 1000
    assert {answer.kind for answer in answers} <= {Kind.done}
    assert len(pool.supervisor.pids) == 2
    assert pool.done(("double", 4))[("double", 4)].value == 8


def test_drain__kills_what_does_not_come_back(pools: Callable[..., Pool]) -> None:
    pool = pools(1)
    pool.do(("double", 1), ("hang for good",))
    answers: list[Answer] = []
    while not answers:
        answers += pool.supervisor.answers()
    (pid,) = pool.supervisor.pids
    assert pool.supervisor.drain(0.1) == []
    wait_until_gone([pid])


def test_abandon__forgets_all(pools: Callable[..., Pool]) -> None:
    pool = pools(1)
    pool.do(*[("sleep", 600)] * 3, size=1)
    pool.supervisor.abandon()
    assert pool.supervisor.in_flight == 0
    assert pool.supervisor.answers(0) == []
    assert kinds(pool.done(("double", 1))) == {("double", 1): (Kind.done, 2)}


def test_abandon__a_worker_that_has_done_its_last_task(
    pools: Callable[..., Pool], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "MAX_TASKS", 1)
    pool = pools(1)
    pool.do(("double", 1))
    while not pool.supervisor._workers[0].task:
        pool.supervisor.answers()
    # All of it is there, and nothing was taken in.
    while not pool.supervisor._workers[0].connection.poll(0.1):
        pass
    pool.supervisor.abandon()
    assert pool.supervisor.pids == []


@pytest.mark.parametrize(
    ("prepare", "words"),
    [
        (handlers.prepare_not, "ValueError: no such settings"),
        (handlers.prepare_refusing, "not today"),
        (handlers.prepare_and_die, "they die while they start (exit code 9)"),
    ],
)
def test_start__that_never_works_ends_in_words(
    pools: Callable[..., Pool], prepare: Callable[[], Any], words: str
) -> None:
    pool = pools(2, prepare)
    with pytest.raises(WorkersCannotStartError) as raised:
        pool.done(("double", 1), ("double", 2), size=1)
    assert str(raised.value) == words


@pytest.mark.parametrize(
    ("daemon", "files", "words"),
    [
        (True, 0, "AssertionError: daemonic processes are not allowed to have children"),
        (False, 20, "OSError: [Errno 24] Too many open files"),
    ],
)
def test_start__where_processes_cannot_be_made(daemon: bool, files: int, words: str) -> None:  # noqa: FBT001 - a case
    done = subprocess.run(
        [sys.executable, "-c", IN_A_DAEMON.format(daemon=daemon, files=files)],
        cwd=CHECKOUT,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert (done.stdout, done.stderr) == (f"{words}\n", "")


def test_start__that_takes_for_ever(
    pools: Callable[..., Pool], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "START_SECONDS", 0.1)
    with pytest.raises(WorkersCannotStartError, match="they die while they start"):
        pools(2, handlers.prepare_for_ever).done(("double", 1))


def test_start__what_must_not_be_forked_is_spawned(pools: Callable[..., Pool]) -> None:
    pool = pools(3, handlers.prepare_unless_forked)
    assert kinds(pool.done(("double", 1), ("double", 2), ("double", 3), size=1)) == {
        ("double", number): (Kind.done, number * 2) for number in (1, 2, 3)
    }


@pytest.mark.parametrize("preload", ["", PRELOAD])
@pytest.mark.parametrize("hang", [("sleep", 600), ("hang for good",), ("hang in C",)])
def test_parent_killed__no_worker_outlives_it(preload: str, hang: tuple[Any, ...]) -> None:
    script = PARENT.format(preload=preload, item=hang)
    with subprocess.Popen(
        [sys.executable, "-c", script], cwd=CHECKOUT, stdout=subprocess.PIPE, text=True
    ) as parent:
        assert parent.stdout is not None
        pids = [int(pid) for pid in parent.stdout.readline().split()]
        assert len(pids) == 2
        assert all(map(is_running, pids))
        parent.kill()
    wait_until_gone(pids)


def test_unguarded_main__is_not_run_again(tmp_path: Path) -> None:
    script = tmp_path / "main.py"
    script.write_text(UNGUARDED)
    done = subprocess.run(
        [sys.executable, script],
        env={**os.environ, "PYTHONPATH": str(CHECKOUT)},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    # What workers print would spoil the parent's report.
    assert (done.stdout, done.stderr) == ("once\n", "spoils the report\n")


def test_processes_of_the_project__end_when_they_are_told_to() -> None:
    done = subprocess.run(
        [sys.executable, "-c", OF_THE_PROJECT],
        cwd=CHECKOUT,
        env={**os.environ, "DJANGO_SETTINGS_MODULE": "tests.settings"},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert (done.stdout, done.stderr) == ("-15\n", "")


def test_supervisors_in_threads__leave_the_process_as_it_was(pools: Callable[..., Pool]) -> None:
    main = sys.modules["__main__"]
    made = [pools(1) for _ in range(4)]
    answers: list[Answer] = []

    def work(pool: Pool) -> None:
        pool.do(*[("exit", 1)] * 3, size=1)
        answers.extend(pool.rest())

    threads = [threading.Thread(target=work, args=(pool,)) for pool in made]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sys.modules["__main__"] is main
    assert Counter(answer.kind for answer in answers) == {Kind.died: 12}


def test_random_kills__every_item_is_answered(pools: Callable[..., Pool]) -> None:
    pool = pools(3)
    items = [("sleep", number / 1e6) for number in range(5000, 5300)]
    pool.do(*items, size=20)
    answers: list[Answer] = []
    killed = 0
    while pool.supervisor.in_flight:
        answers += pool.supervisor.answers(0.02)
        if killed < 8 and len(answers) > killed * 30:
            with suppress(ProcessLookupError):
                os.kill(pool.supervisor.pids[killed % 3 - 1], signal.SIGKILL)
            killed += 1
    answers += pool.supervisor.answers(0)
    assert killed == 8
    assert Counter(answer.item for answer in answers) == Counter(items)
    assert {answer.kind for answer in answers} == {Kind.done}


@pytest.mark.parametrize(
    ("code", "words"), [(-11, "signal 11"), (3, "exit code 3"), (None, "lost")]
)
def test_how_it_died(code: int | None, words: str) -> None:
    assert how_it_died(code) == words
