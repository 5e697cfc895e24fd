"""Takes one check's payloads to workers and brings their outcomes back in order."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from dwatch.backends import synchronous
from dwatch.backends.pace import Pace
from dwatch.backends.packing import CannotTravelError, Packer
from dwatch.backends.supervisor import TICK_SECONDS, Kind, Refused, Task
from dwatch.backends.tray import Tray
from dwatch.backends.worker import UNKNOWN_CHECK
from dwatch.core.definition import overrides
from dwatch.core.interrupt import GRACE_SECONDS, Interrupted
from dwatch.core.timelimit import timed_out
from dwatch.work import judge

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import datetime

    from dwatch.backends.base import Batches, Job
    from dwatch.backends.supervisor import Answer, Supervisor
    from dwatch.backends.tray import Slot
    from dwatch.core.evaluate import NamedPayload
    from dwatch.core.outcome import Outcome, OutcomeBatch

_FLUSH_SECONDS = 2.0
"""What is judged is handed over this soon, even if a payload before it takes longer."""


class Conveyor:
    """The evaluation of one check by a supervisor's workers."""

    def __init__(self, supervisor: Supervisor, job: Job) -> None:
        self._supervisor = supervisor
        self._job = job
        self._packer = Packer(job.check, job.state_id)
        self._pace = Pace(supervisor.size)
        self._trays: list[Tray] = []
        self._waiting: list[Slot] = []
        self._flushed = time.monotonic()
        timeout = job.check.timeout
        self._limit = job.stop.time_limit(timeout) if timeout else None
        self._late = timed_out(timeout or 0)
        # Of payloads with the same name the worst counts, which only shows in order.
        self._names_are_unique = not overrides(type(job.check), "get_identifier")

    def run(self, batches: Batches) -> Iterator[OutcomeBatch]:
        """Yield the outcomes of all batches."""
        try:
            yield from self._run(batches)
        except Interrupted:
            # Author code in this process, such as generate(), did not come back.
            self._drain()
            yield from self._handed_over()
            raise

    def _run(self, batches: Batches) -> Iterator[OutcomeBatch]:
        source = iter(batches)
        exhausted = False
        while not self._job.stop:
            if self._packer.why_here and not self._trays:
                yield from synchronous.Backend().evaluate_batches(self._job, source)
                return
            if self._has_room and not exhausted:
                batch = next(source, None)
                if batch is None:
                    exhausted = True
                else:
                    self._take_up(*batch)
            self._send_off()
            if exhausted and not self._trays:
                return
            self._wait(0 if self._has_room and not exhausted else TICK_SECONDS)
            yield from self._ready()
        self._drain()
        yield from self._handed_over()

    @property
    def _has_room(self) -> bool:
        wanted = 2 * self._supervisor.size
        return (
            not self._waiting and self._supervisor.in_flight < wanted and len(self._trays) < wanted
        )

    # -- to the workers -----------------------------------------------------

    def _take_up(self, payloads: list[NamedPayload], loaded_at: datetime) -> None:
        tray = Tray(payloads, loaded_at)
        self._trays.append(tray)
        self._judge_here([slot for slot in tray.slots if slot.is_settled and not slot.outcome])
        left = [slot for slot in tray.slots if slot.outcome is None]
        if not left:
            return
        try:
            self._packer.look_at_check()
        except CannotTravelError as error:
            self._stay(left, f"Judged in the main process: {error}.")
            return
        self._waiting += left

    def _send_off(self) -> None:
        """Cut what waits into tasks, as long as workers can do with more."""
        while self._waiting and self._supervisor.in_flight < 2 * self._supervisor.size:
            size = self._pace.task_size(len(self._waiting))
            slots, self._waiting = self._waiting[:size], self._waiting[size:]
            try:
                self._send(slots)
            except Refused:
                picklable, others = self._packer.sort_out(slots)
                self._send_by_identifier(others)
                if picklable:
                    self._send(picklable)

    def _send(self, slots: list[Slot]) -> None:
        body = self._packer.pack(slots)
        self._submit(Task(slots, self._packer.pack, self._job.check.timeout, body))

    def _send_by_identifier(self, slots: list[Slot]) -> None:
        self._job.note(
            "Payloads that cannot be pickled were loaded anew in the workers, by identifier."
        )
        self._submit(Task(slots, self._packer.pack_identifiers, self._job.check.timeout))

    def _submit(self, task: Task) -> None:
        with self._job.stop.protected():
            self._supervisor.submit(task)

    # -- back from the workers ----------------------------------------------

    def _wait(self, seconds: float) -> None:
        with self._job.stop.protected():
            answers = self._supervisor.answers(seconds)
        self._sort(answers)

    def _drain(self) -> None:
        """Bring home what is judged; the rest is left to the next run."""
        with self._job.stop.protected():
            answers = self._supervisor.drain(GRACE_SECONDS)
            for answer in answers:
                answer.item.outcome = answer.value

    def _sort(self, answers: list[Answer]) -> None:
        homeless: dict[tuple[Task, str], list[Slot]] = {}
        for task, slot, kind, value in answers:
            if kind is Kind.done and not self._is_doubtful(task, value):
                slot.outcome = value
            elif kind is Kind.late:
                slot.blame(self._late)
            elif kind is Kind.died:
                slot.blame(f"the worker process died ({value}) while judging this payload")
            else:
                reason = value if kind is Kind.refused else ""
                homeless.setdefault((task, reason), []).append(slot)
        for task in {answer.task for answer in answers}:
            self._pace.saw(task)
        for (task, reason), slots in homeless.items():
            self._reroute(task, slots, reason)

    def _is_doubtful(self, task: Task, outcome: Outcome | None) -> bool:
        """Return whether the payload itself may fare better than what its identifier led to."""
        if task.pack != self._packer.pack_identifiers:
            return False
        return outcome is None or outcome.error not in {"", self._late}

    def _reroute(self, task: Task, slots: list[Slot], reason: str) -> None:
        if reason.startswith(UNKNOWN_CHECK):
            self._packer.keep_here(reason.removeprefix(UNKNOWN_CHECK))
            self._stay(slots, f"Judged in the main process: {self._packer.why_here}.")
        elif task.pack == self._packer.pack:
            self._send_by_identifier(slots)
        else:
            self._stay(
                slots,
                "Payloads that can neither be pickled nor found by their identifiers were judged "
                "in the main process.",
            )

    def _stay(self, slots: list[Slot], note: str) -> None:
        self._job.note(note)
        self._judge_here(slots)

    def _judge_here(self, slots: list[Slot]) -> None:
        """Judge in this process, as the synchronous backend does."""
        if not slots:
            return
        payloads = [slot.named for slot in slots]
        outcomes = judge(self._job.check, payloads, state_id=self._job.state_id, limit=self._limit)
        try:
            for slot, outcome in zip(slots, outcomes, strict=True):
                slot.outcome = outcome
                if self._job.stop:
                    return
        finally:
            # generate() goes on, and may ask for the configuration of other payloads.
            self._job.check.use_configs(None)

    # -- to the writer ------------------------------------------------------

    def _ready(self) -> Iterator[OutcomeBatch]:
        """Yield the batches that are complete; after a while those behind a slow one, too."""
        while self._trays and self._trays[0].complete:
            yield from self._trays.pop(0).handed_over()
            self._flushed = time.monotonic()
        if time.monotonic() - self._flushed > _FLUSH_SECONDS:
            yield from self._handed_over()

    def _handed_over(self) -> Iterator[OutcomeBatch]:
        self._flushed = time.monotonic()
        for tray in list(self._trays):
            if self._must_keep_order and tray is not self._trays[0]:
                return
            yield from tray.handed_over()
            if tray.complete:
                self._trays.remove(tray)

    @property
    def _must_keep_order(self) -> bool:
        moments = {tray.loaded_at for tray in self._trays}
        return not self._names_are_unique and len(moments) > 1
