"""Worker processes that may die at any moment, and every item answered exactly once.

Knows nothing of Django or of checks: it hands out tasks (lists of items) and takes
in answers. Each worker has a pipe of its own and shares no lock with anybody, so
that one that is killed in the middle of anything harms nobody else. What it is
working on, and since when, stands in memory shared with the parent.
"""

from __future__ import annotations

import atexit
import fcntl
import json
import multiprocessing
import os
import signal
import sys
import threading
import time
from collections import deque
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from enum import Enum, auto
from multiprocessing.connection import wait
from types import ModuleType
from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator
    from multiprocessing.connection import Connection

TICK_SECONDS = 0.1
"""Nothing that is waited for goes unnoticed for longer than this."""
LATE_SECONDS = 1.0
"""A worker that does not end an item by itself this long after its limit is killed."""
START_SECONDS = 120.0
"""A worker that is not ready by then never will be."""
CLOSE_SECONDS = 0.3
"""Idle workers get this long to close their connections."""
END_SECONDS = 30.0
"""A killed worker gets this long to be gone; the fork server that tells of it may be slow."""
MAX_TASKS = 1000
"""A worker makes room for a new one after so many, whatever its memory has grown to."""
MAX_FAILED_STARTS = 5
PYTHON_PATH = "DWATCH_WORKER_PYTHON_PATH"
"""Environment variable that tells ``preload`` the parent's ``sys.path``."""

_NOTHING = -1.0
_DEATHS = 2
_DEATHS_BY_SIGKILL = 3
"""SIGKILL comes from outside: the item in hand is suspected less."""
_starting = threading.Lock()
"""To start a worker is to change, for a moment, what belongs to the whole process."""


class WorkersCannotStartError(Exception):
    """No worker can do anything; the message says why."""


class Refused(Exception):  # noqa: N818 - an answer, not an error
    """Raised by a handler: somebody else has to see to the rest of the task.

    Raised by ``prepare``: no worker can work, for the reason given.
    """


class UnsafeToForkError(Exception):
    """Raised by ``prepare``: what was preloaded must not be forked."""


class Kind(Enum):
    """What became of an item."""

    done = auto()
    """``value`` is what the handler made of it."""
    died = auto()
    """Workers die of it; ``value`` says how."""
    late = auto()
    """It did not end in time, and its worker was killed."""
    refused = auto()
    """No worker can handle it; ``value`` is what Refused was raised with."""


class Answer(NamedTuple):
    """One item, and what became of it."""

    task: Task
    item: Any
    kind: Kind
    value: Any = None


@dataclass(slots=True, eq=False)
class Task:
    """Items that travel to a worker together."""

    items: list[Any]
    pack: Callable[[list[Any]], bytes]
    """Makes of items what travels; called again for what is left when a worker died."""
    seconds: float | None = None
    """How long one item may take."""
    body: bytes = b""
    """What ``pack`` made of all items, if that is known already."""
    deaths: int = 0
    """How many workers died of its items, as far as anybody can tell."""
    began: float = 0.0
    took: float | None = None
    """Seconds that a worker needed for it, once it is done."""

    def of(self, items: list[Any], deaths: int = 0) -> Task:
        """Return a task of the same kind."""
        return Task(items, self.pack, self.seconds, deaths=deaths)


class Progress:
    """What a worker is working on, as both sides see it."""

    def __init__(self, shared: Any) -> None:
        self._shared = shared

    @classmethod
    def blank(cls, context: Any) -> Progress:
        """Make one that can be handed to a process when it is started."""
        return cls(context.RawArray("d", [_NOTHING, 0.0, 0.0]))

    def begin(self, index: int) -> None:
        """Note that work on this item of the task begins; called by the worker."""
        # In this order: the parent must never see a new item with an old moment.
        self._shared[0] = _NOTHING
        self._shared[1] = time.monotonic()
        self._shared[0] = index

    def pause(self) -> None:
        """Note that no item is being worked on."""
        self._shared[0] = _NOTHING

    @property
    def index(self) -> int | None:
        """Return the item being worked on, None between items."""
        index = self._shared[0]
        return None if index == _NOTHING else int(index)

    @property
    def seconds(self) -> float:
        """Return how long the item has been worked on."""
        before, now = self._shared[:2], time.monotonic()
        index, began = before
        # Looked at once more: another item may have begun while we were not running.
        return now - began if index != _NOTHING and self._shared[:2] == before else 0.0

    @property
    def stop(self) -> bool:
        """Whether the worker should hand over what it has and leave the rest."""
        return bool(self._shared[2])

    @stop.setter
    def stop(self, wanted: bool) -> None:
        self._shared[2] = float(wanted)


if TYPE_CHECKING:
    Handler = Callable[[bytes, Progress], Iterator[tuple[int, Any]]]
    """Yields the index and the result of each item, in whatever order; may raise Refused."""


@dataclass(slots=True, eq=False)
class _Worker:
    process: Any
    connection: Connection
    progress: Progress
    started: float
    ready: bool = False
    task: Task | None = None
    open: dict[int, Any] = field(default_factory=dict)
    """The task's items that are not answered yet."""
    served: int = 0
    excused: bool = False
    """Whether it ended before it was ready for a reason that will not come again."""

    @property
    def idle(self) -> bool:
        return self.ready and self.task is None

    def kill(self) -> None:
        # With all that it started: once it is ready it leads a process group of its own.
        if self.ready and self.process.pid:
            with suppress(ProcessLookupError, PermissionError):
                os.killpg(self.process.pid, signal.SIGKILL)
        self.process.kill()

    def is_dead(self) -> bool:
        return self.process.exitcode is not None


class Supervisor:
    """Hands tasks to at most ``size`` worker processes, started when there is work.

    ``prepare`` is called once in each worker and returns its handler; it has to be a
    function at the top of a module. ``preload`` names a module that may be imported
    once for all of them, where processes can be forked from that.
    """

    def __init__(self, size: int, prepare: Callable[[], Handler], preload: str = "") -> None:
        self.size = size
        self._prepare = prepare
        self._context: Any = _context(preload)
        self._workers: list[_Worker] = []
        self._waiting: deque[Task] = deque()
        self._suspects: deque[Task] = deque()
        self._answers: list[Answer] = []
        self._failed_starts = 0
        self._owner = os.getpid()

    # -- what is asked of it ------------------------------------------------

    @property
    def in_flight(self) -> int:
        """How many tasks are not answered yet."""
        busy = sum(worker.task is not None for worker in self._workers)
        return busy + len(self._waiting) + len(self._suspects)

    @property
    def pids(self) -> list[int]:
        """Return the workers' process ids."""
        return [worker.process.pid for worker in self._workers]

    def submit(self, task: Task) -> None:
        """Have a task done; raises WorkersCannotStartError."""
        self._waiting.append(task)
        self._hand_out()

    def answers(self, seconds: float = TICK_SECONDS) -> list[Answer]:
        """Return what was answered meanwhile; waits for something, but not for long.

        Raises WorkersCannotStartError.
        """
        self._hand_out()
        if not self._answers:
            self._listen(seconds)
            self._end_overdue()
            self._hand_out()
        answers, self._answers = self._answers, []
        return answers

    def drain(self, seconds: float) -> list[Answer]:
        """Let every worker end the item in hand and hand over what it has; leave the rest.

        Those that take longer than ``seconds`` are killed.
        """
        self._waiting.clear()
        self._suspects.clear()
        for worker in self._workers:
            worker.progress.stop = True
        until = time.monotonic() + seconds
        with suppress(WorkersCannotStartError):
            while any(worker.task for worker in self._workers) and time.monotonic() < until:
                self._listen(min(TICK_SECONDS, max(until - time.monotonic(), 0)))
        self._kill_busy()
        for worker in self._workers:
            worker.progress.stop = False
        answers, self._answers = self._answers, []
        return [answer for answer in answers if answer.kind is Kind.done]

    def abandon(self) -> None:
        """Forget all tasks; a worker that is busy with one is killed."""
        self._kill_busy()
        self._answers.clear()

    def _kill_busy(self) -> None:
        self._waiting.clear()
        self._suspects.clear()
        for worker in [worker for worker in self._workers if worker.task]:
            if not worker.open and worker.connection.poll(TICK_SECONDS):
                self._receive(worker)  # it only has to say that it is done
            if worker.task:
                worker.kill()
                self._receive(worker)
                worker.task = None
                self._remove(worker)

    def close(self) -> None:
        """End all workers."""
        if os.getpid() != self._owner:
            return  # a copy, in a process forked by somebody else
        atexit.unregister(self.close)
        leaving: list[_Worker] = []
        try:
            for worker in self._workers:
                if worker.idle and _send(worker.connection, b""):
                    leaving.append(worker)
                else:
                    worker.kill()
            until = time.monotonic() + CLOSE_SECONDS
            for worker in leaving:
                worker.process.join(max(until - time.monotonic(), 0))
        finally:
            for worker in self._workers:
                worker.kill()
            for worker in list(self._workers):
                self._remove(worker)

    # -- workers ------------------------------------------------------------

    def _start(self) -> None:
        # Should nobody close it, the interpreter would wait for the workers for ever.
        atexit.unregister(self.close)
        atexit.register(self.close)
        ours = theirs = None
        try:
            ours, theirs = multiprocessing.Pipe()
            progress = Progress.blank(self._context)
            process = self._context.Process(
                target=run_worker, args=(theirs, progress, self._prepare), name="dwatch-worker"
            )
            with _starting, _unnoticed_main(), _told_python_path():
                process.start()
        # AssertionError: a daemonic process is not allowed to have children.
        except (OSError, EOFError, AssertionError) as error:
            if ours is not None:
                ours.close()
            raise WorkersCannotStartError(f"{type(error).__name__}: {error}") from error
        finally:
            if theirs is not None:
                theirs.close()
        self._workers.append(_Worker(process, ours, progress, time.monotonic()))

    def _remove(self, worker: _Worker) -> None:
        self._workers.remove(worker)
        worker.connection.close()
        worker.process.join(1.0)
        with suppress(ValueError):  # a process that even SIGKILL takes a while to end
            worker.process.close()

    def _hand_out(self) -> None:
        for worker in list(self._workers):
            if worker.idle and worker.served >= MAX_TASKS:
                self._retire(worker)
        self._hand_out_suspects()
        for worker in self._workers:
            if worker.idle and self._waiting:
                self._give(worker, self._waiting.popleft())
        starting = sum(not worker.ready for worker in self._workers)
        wanted = min(len(self._waiting) - starting, self.size - len(self._workers))
        for _ in range(wanted):
            self._start()

    def _hand_out_suspects(self) -> None:
        """Give each suspected item to a worker that has done nothing else before."""
        for worker in self._workers:
            if worker.idle and not worker.served and self._suspects:
                self._give(worker, self._suspects.popleft())
        unused = sum(not worker.served and worker.task is None for worker in self._workers)
        for _ in range(len(self._suspects) - unused):
            if len(self._workers) >= self.size:
                used = next((worker for worker in self._workers if worker.idle), None)
                if used is None:
                    return
                self._retire(used)
            self._start()

    def _give(self, worker: _Worker, task: Task) -> None:
        try:
            body = task.body or task.pack(task.items)
        except Refused as refusal:
            self._answer(task, task.items, Kind.refused, str(refusal))
            return
        task.body = b""
        worker.task = task
        worker.open = dict(enumerate(task.items))
        worker.served += 1
        task.began = time.monotonic()
        worker.progress.pause()
        # Should it be dead, that is found out soon enough.
        _send(worker.connection, body)

    def _retire(self, worker: _Worker) -> None:
        _send(worker.connection, b"")
        worker.process.join(CLOSE_SECONDS)
        worker.kill()
        self._remove(worker)

    # -- answers ------------------------------------------------------------

    def _answer(self, task: Task, items: Iterable[Any], kind: Kind, value: Any = None) -> None:
        self._answers += [Answer(task, item, kind, value) for item in items]

    def _listen(self, seconds: float) -> None:
        sources: dict[Any, _Worker] = {}
        for worker in self._workers:
            sources[worker.connection] = sources[worker.process.sentinel] = worker
        if not sources:
            time.sleep(min(seconds, 0.01))
            return
        heard = {id(sources[source]): sources[source] for source in wait(list(sources), seconds)}
        for worker in heard.values():
            if not self._receive(worker) or worker.is_dead():
                self._bury(worker)

    def _receive(self, worker: _Worker) -> bool:
        """Take in all that a worker has sent; return whether there may be more one day."""
        try:
            while worker.connection.poll():
                self._take(worker, worker.connection.recv())
        except (EOFError, OSError):
            return False
        return True

    def _take(self, worker: _Worker, message: tuple[str, Any, list[tuple[int, Any]]]) -> None:
        kind, value, results = message
        if kind == "ready":
            worker.ready = True
            self._failed_starts = 0
        elif kind == "failed":
            raise WorkersCannotStartError(value)
        elif kind == "unsafe":
            worker.excused = True
            self._context = multiprocessing.get_context("spawn")
        elif worker.task is not None:
            for index, result in results:
                self._answer(worker.task, [worker.open.pop(index)], Kind.done, result)
            if kind != "results":
                self._take_end(worker, worker.task, kind, value)

    def _take_end(self, worker: _Worker, task: Task, kind: str, value: Any) -> None:
        if kind == "refused":
            self._answer(task, worker.open.values(), Kind.refused, value)
        task.took = time.monotonic() - task.began
        worker.task = None
        worker.open = {}

    def _end_overdue(self) -> None:
        now = time.monotonic()
        for worker in list(self._workers):
            task, index = worker.task, worker.progress.index
            if not worker.ready and now - worker.started > START_SECONDS:
                worker.kill()
                self._bury(worker)
            elif task and task.seconds and worker.progress.seconds > task.seconds + LATE_SECONDS:
                self._end_late(worker, index)
            elif worker.is_dead():  # its pipe may be held open by what it started
                self._bury(worker)

    def _end_late(self, worker: _Worker, index: int | None) -> None:
        worker.kill()
        worker.process.join(END_SECONDS)
        self._receive(worker)
        # It may have come to an end after all, just before the kill.
        if worker.task and worker.progress.index == index and index in worker.open:
            self._answer(worker.task, [worker.open.pop(index)], Kind.late)
            worker.progress.pause()
        self._bury(worker, innocent=True)

    def _bury(self, worker: _Worker, *, innocent: bool = False) -> None:
        """See to what a dead worker leaves behind."""
        if worker not in self._workers:
            return
        worker.kill()
        worker.process.join(END_SECONDS)
        self._receive(worker)
        code = worker.process.exitcode
        task, left, index = worker.task, worker.open, worker.progress.index
        worker.task = None
        self._remove(worker)
        if not worker.ready:
            self._count_failed_start(code, excused=worker.excused)
        elif task is not None and left:
            self._see_to_the_rest(task, left, None if innocent else index, code, innocent=innocent)

    def _count_failed_start(self, code: int | None, *, excused: bool) -> None:
        self._failed_starts += not excused
        if self._failed_starts >= MAX_FAILED_STARTS:
            raise WorkersCannotStartError(f"they die while they start ({how_it_died(code)})")

    def _see_to_the_rest(
        self,
        task: Task,
        left: dict[int, Any],
        index: int | None,
        code: int | None,
        *,
        innocent: bool,
    ) -> None:
        if index in left:
            suspect = left.pop(index)
            # On its way with others it has no record of its own yet.
            deaths = 1 + (task.deaths if len(task.items) == 1 else 0)
            self._suspect(task, suspect, deaths, code)
            if left:
                self._waiting.appendleft(task.of(list(left.values())))
            return
        rest = list(left.values())
        if innocent:
            self._waiting.appendleft(task.of(rest, task.deaths))
        elif len(rest) == 1:
            self._suspect(task, rest[0], task.deaths + 1, code)
        elif task.deaths:
            # It dies outside of any item, while it unpacks them: find out which.
            middle = len(rest) // 2
            self._waiting.extendleft([task.of(rest[middle:], 1), task.of(rest[:middle], 1)])
        else:
            self._waiting.appendleft(task.of(rest, 1))

    def _suspect(self, task: Task, item: Any, deaths: int, code: int | None) -> None:
        if deaths < (_DEATHS_BY_SIGKILL if code in {-signal.SIGKILL, None} else _DEATHS):
            self._suspects.append(task.of([item], deaths))
        else:
            self._answer(task, [item], Kind.died, how_it_died(code))


def how_it_died(code: int | None) -> str:
    """Return a process's end in words."""
    if code is None:
        return "lost"
    return f"signal {-code}" if code < 0 else f"exit code {code}"


def _send(connection: Connection, body: bytes) -> bool:
    try:
        connection.send_bytes(body)
    except (OSError, ValueError):
        return False
    return True


def _context(preload: str) -> Any:
    # Forking what has loaded Apple's frameworks is not safe.
    if not preload or sys.platform == "darwin":
        return multiprocessing.get_context("spawn")
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload([preload])
    return context


@contextmanager
def _unnoticed_main() -> Iterator[None]:
    """Keep workers from running the script that runs us, guarded or not."""
    main = sys.modules["__main__"]
    sys.modules["__main__"] = ModuleType("__main__")
    try:
        yield
    finally:
        sys.modules["__main__"] = main


@contextmanager
def _told_python_path() -> Iterator[None]:
    # The fork server of Python 3.11 does not know it while it preloads.
    os.environ[PYTHON_PATH] = json.dumps(sys.path)
    try:
        yield
    finally:
        del os.environ[PYTHON_PATH]


# -- in the worker ----------------------------------------------------------


def run_worker(connection: Connection, progress: Progress, prepare: Callable[[], Handler]) -> None:
    """Do what the parent asks for until it says so, or is no more."""
    for number in (signal.SIGINT, signal.SIGTERM):
        # The parent decides what they mean. Not SIG_IGN, which programs started here would keep.
        signal.signal(number, _leave_to_the_parent)
    _end_with_the_parent()
    os.setpgrp()
    with suppress(OSError):
        os.dup2(2, 1)  # the parent's standard output is for its report
    try:
        handle = prepare()
    except UnsafeToForkError:
        connection.send(("unsafe", None, []))
        return
    except Refused as refusal:
        connection.send(("failed", str(refusal), []))
        return
    # Whatever it is, the parent has to know.
    except BaseException as error:  # noqa: BLE001
        words = " ".join(f"{type(error).__name__}: {error}".split())
        connection.send(("failed", words[:500], []))
        return
    connection.send(("ready", None, []))
    outbox = _Outbox(connection)
    with suppress(EOFError, OSError):
        while body := connection.recv_bytes():
            outbox.send(*_work(body, progress, handle, outbox))


def _work(
    body: bytes, progress: Progress, handle: Handler, outbox: _Outbox
) -> tuple[str, str | None]:
    try:
        for index, result in handle(body, progress):
            progress.pause()
            outbox.put(index, result)
            if progress.stop:
                break
    except Refused as refusal:
        return "refused", str(refusal)
    except Exception as error:  # noqa: BLE001 - not the author's, that is guarded further in
        return "refused", f"{type(error).__name__}: {error}"[:500]
    finally:
        progress.pause()
    return "done", None


class _Outbox:
    """Sends results in bunches, soon enough that little is lost with the worker."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self._lock = threading.Lock()
        self._results: deque[tuple[int, Any]] = deque()
        threading.Thread(target=self._flush_now_and_then, daemon=True).start()

    def put(self, index: int, result: Any) -> None:
        self._results.append((index, result))

    def send(self, kind: str, value: str | None = None) -> None:
        """Send a message with all results since the last one."""
        with self._lock:
            results = [self._results.popleft() for _ in range(len(self._results))]
            self._connection.send((kind, value, results))

    def _flush_now_and_then(self) -> None:
        """Hand over what is judged even while the main thread hangs in an item."""
        with suppress(OSError):
            while True:
                time.sleep(TICK_SECONDS)
                if self._results:
                    self.send("results")


def _leave_to_the_parent(_number: int, _frame: object) -> None:
    pass


def _end_with_the_parent() -> None:
    """Have the kernel end this process when the parent is no more, however busy it is."""
    parent = multiprocessing.parent_process()
    if parent is None:
        return
    sentinel = parent.sentinel
    signal.signal(signal.SIGIO, signal.SIG_DFL)  # which ends the process
    fcntl.fcntl(sentinel, fcntl.F_SETOWN, os.getpid())
    fcntl.fcntl(sentinel, fcntl.F_SETFL, fcntl.fcntl(sentinel, fcntl.F_GETFL) | os.O_ASYNC)
    if wait([sentinel], 0):  # it had gone before
        os._exit(1)
