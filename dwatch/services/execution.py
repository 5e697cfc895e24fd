"""Executes one check under its lease and says what came of it."""

from __future__ import annotations

import heapq
import time
from collections import Counter
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from dwatch import conf
from dwatch.backends.base import Job
from dwatch.core.definition import overrides
from dwatch.core.gather import gather
from dwatch.core.guard import Failure, attempt
from dwatch.core.interrupt import Interrupted
from dwatch.core.outcome import Disposition
from dwatch.core.status import Status
from dwatch.core.transition import keep_worst
from dwatch.exceptions import BackendError, DatabaseBusyError, LeaseLostError
from dwatch.models import Run
from dwatch.services.checkruns import next_slot_of, title_of
from dwatch.services.reports import CheckRun, Problem, RunState, StatusCounts
from dwatch.services.sources import StoredResults
from dwatch.store import assignments, runs, states
from dwatch.store.batches import BatchWritten, Ticket, write_batch
from dwatch.store.heartbeat import kept_alive
from dwatch.store.transactions import is_enclosed

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from dwatch.backends.base import Backend
    from dwatch.core.check import BaseCheck
    from dwatch.core.interrupt import StopRequest
    from dwatch.core.outcome import Outcome, OutcomeBatch
    from dwatch.exceptions import DwatchError
    from dwatch.models import CheckState
    from dwatch.services.requests import Observer
    from dwatch.services.sources import Source

MAX_PROBLEMS = 5
"""How many of the worst payloads a report names for each check."""
_TRANSACTION_NOTE = (
    "Its generate() keeps a transaction open: nothing is stored for good until that ends, "
    "and nothing at all if generate() fails."
)
_WORST = max(status.severity for status in Status)


@dataclass(frozen=True, slots=True)
class Watch:
    """Where an execution happens, who may end it, who is told of it, and on whose behalf it is."""

    backend: Backend
    stop: StopRequest
    observer: Observer
    user: Any = None


@dataclass(slots=True)
class Execution:
    """One check being run or refreshed."""

    check_class: type[BaseCheck]
    source: Source
    watch: Watch
    reason: str
    written: BatchWritten = field(default_factory=BatchWritten)
    problems: list[tuple[float, int, Problem]] = field(default_factory=list)
    seen: int = 0
    verdicts: Counter[Status] = field(default_factory=Counter)
    """What a check that leaves out what is fine has said, be it shown already or not."""
    unstored: dict[Status, int] = field(default_factory=dict)
    """Payloads by status that have no result, because the check leaves them out."""
    together: int = field(default_factory=conf.transaction_size)
    """Up to how many outcomes batches are joined to be stored. May raise ConfigurationError."""
    notes: dict[str, None] = field(default_factory=dict)
    """What people should know besides, each sentence once."""

    def run(self, lease: states.Lease, slot: datetime | None) -> CheckRun:
        """Judge the payloads and store the outcomes batch by batch."""
        started = datetime.now(UTC)
        clock = time.monotonic()
        run = runs.start_run(
            lease, reason=self.reason, slot=slot, now=started, user=self.watch.user
        )
        with kept_alive(lease):
            end = self._finish(lease, run)
        runs.finish_run(run, self._found, end)
        self._release(lease, slot, started, end)
        report = self._report(RunState(end.state.value), started, time.monotonic() - clock, end)
        return replace(report, run_id=run.pk, slot=slot)

    def rehearse(self, state: CheckState | None) -> CheckRun:
        """Judge the payloads and store nothing."""
        started = datetime.now(UTC)
        clock = time.monotonic()
        end = self._guarded(lambda check: self._rehearse(check, state))
        return self._report(RunState(end.state.value), started, time.monotonic() - clock, end)

    def _finish(self, lease: states.Lease, run: Run) -> runs.RunEnd:
        names_people = overrides(self.check_class, "get_assigned_users", "get_assigned_groups")
        # A check that named people once still has to be rid of them.
        assigns = names_people or assignments.there_are_any()
        confirm_after = self.check_class.confirm_after
        leaves_out = self.check_class.only_problems
        absent_is_ok = leaves_out and confirm_after > 1 and runs.left_out_only_what_is_fine(lease)
        finds_nothing = self.source.complete and not runs.has_results(lease)
        ticket = Ticket(
            lease, run.pk, self.reason, assigns, confirm_after, absent_is_ok, finds_nothing
        )
        end = self._guarded(lambda check: self._judge_and_store(check, ticket, run))
        if end.state is not Run.State.COMPLETE or not self.source.complete:
            return end
        try:
            return runs.RunEnd(end.state, vanished=self._vanished(lease, run))
        except (LeaseLostError, DatabaseBusyError) as error:
            return _given_up(error)

    def _vanished(self, lease: states.Lease, run: Run) -> int:
        """Hide results whose payload is no longer there; return how many that were."""
        if self.check_class.only_problems:
            # Each result was judged, and hidden where its payload is gone.
            runs.note_unstored(lease, self.unstored)
            gone, self.written = self.written.gone, replace(self.written, gone=0)
            return gone
        # Payloads without a name may be any result's.
        return 0 if self.source.nameless else runs.hide_unseen(lease, run)

    def _guarded(self, judge: Callable[[BaseCheck], Failure | None]) -> runs.RunEnd:
        check = attempt(self.check_class)
        if isinstance(check, Failure):
            return _failed(check)
        try:
            with self.watch.stop.interruptible():
                self._announce(check)
                failure = judge(check)
        except Interrupted:
            return runs.RunEnd(Run.State.INTERRUPTED)
        except (LeaseLostError, DatabaseBusyError, BackendError) as error:
            return _given_up(error)
        if failure is not None:
            return _failed(failure)
        return runs.RunEnd(Run.State.INTERRUPTED if self.watch.stop else Run.State.COMPLETE)

    def _announce(self, check: BaseCheck) -> None:
        self.source.open(check)
        total = self.source.total() if self.watch.observer.wants_totals else None
        self.watch.observer.check_started(check.slug, title_of(self.check_class), total)

    def _judge_and_store(self, check: BaseCheck, ticket: Ticket, run: Run) -> Failure | None:
        self._store(check, ticket, self.source)
        if not self._leaves_out_what_is_fine:
            return self.source.failure
        # What is stored and did not come has recovered, is gone, or is beyond a cap.
        self._store(check, ticket, StoredResults(runs.unseen_results(ticket.lease, run)))
        return self._count_unstored(check)

    def _store(self, check: BaseCheck, ticket: Ticket, source: Source) -> None:
        batches = self._evaluated(check, source, ticket.lease.state_id)
        enclosed = is_enclosed()
        for batch in gather(batches, self.together):
            if is_enclosed() and not enclosed:
                self._note(_TRANSACTION_NOTE)
            with self.watch.stop.protected():
                written = write_batch(ticket, batch)
                self._count(written, batch.outcomes)
            if written.duplicates:
                # Names come again, so the next batch may well find something.
                ticket = replace(ticket, finds_nothing=False)

    def _rehearse(self, check: BaseCheck, state: CheckState | None) -> Failure | None:
        for batch in self._evaluated(check, self.source, state.pk if state else None):
            self._count(_tally(batch.outcomes), batch.outcomes)
        if not self._leaves_out_what_is_fine:
            return self.source.failure
        return self._count_unstored(check)

    @property
    def _leaves_out_what_is_fine(self) -> bool:
        """Whether all that the check gave is judged, and more is to be found out."""
        drawn = self.source.complete and self.source.failure is None and not self.watch.stop
        return drawn and self.check_class.only_problems

    def _count_unstored(self, check: BaseCheck) -> Failure | None:
        if self.watch.stop:
            return None
        counted = attempt(check.count_left_out, self.verdicts, self.written.skipped)
        if isinstance(counted, Failure):
            return counted
        self.unstored = {status: counted.get(status, 0) for status in Status}
        return None

    @property
    def _found(self) -> BatchWritten:
        """What was stored, with the payloads that have no result among the counts."""
        # What comes twice is taken off again by the status that is stored, which is not the
        # one it was counted by if a newer verdict stood there.
        stored = {status: max(0, self.written.counts[status]) for status in Status}
        counts = Counter({s: stored[s] + self.unstored.get(s, 0) for s in Status})
        return replace(self.written, counts=counts)

    def _evaluated(
        self, check: BaseCheck, source: Source, state_id: int | None
    ) -> Iterator[OutcomeBatch]:
        batches = source.batches(check)
        job = Job(check, state_id, self.watch.stop, self._note)
        return self.watch.backend.evaluate_batches(job, batches)

    def _note(self, sentence: str) -> None:
        self.notes[sentence] = None

    def _count(self, written: BatchWritten, outcomes: list[Outcome]) -> None:
        # Numbers add up; identifiers would, too, until the memory is full.
        self.written += replace(written, held={}, refused={})
        if self.check_class.only_problems:
            judged = Disposition.judged
            self.verdicts.update([one.status for one in outcomes if one.disposition is judged])
        if written.refused:
            outcomes = [written.refused.get(one.identifier, one) for one in outcomes]
        shown = _as_shown(outcomes, written.held) if written.held else outcomes
        problems = [one for one in shown if one.status is not Status.ok and _is_problem(one)]
        for outcome in problems:
            if len(self.problems) == MAX_PROBLEMS and self.problems[0][0] >= _WORST:
                break  # nothing can be worse than those there are
            self.seen += 1
            # Negative, so that of equally bad ones the first seen stay.
            entry = (_weight(outcome), -self.seen, _problem(outcome))
            if len(self.problems) < MAX_PROBLEMS:
                heapq.heappush(self.problems, entry)
            else:
                heapq.heappushpop(self.problems, entry)
        self.watch.observer.batch_stored(self.check_class.slug, len(outcomes), len(problems))

    def _release(
        self, lease: states.Lease, slot: datetime | None, started: datetime, end: runs.RunEnd
    ) -> None:
        # An interrupted run leaves its slot due: the next one puts right the rest.
        handled = slot if end.state is not Run.State.INTERRUPTED else None
        ran_at = started if self.source.complete else None
        states.release_lease(lease, handled_slot=handled, ran_at=ran_at)

    def _report(
        self,
        state: RunState,
        started: datetime,
        duration: float,
        end: runs.RunEnd,
    ) -> CheckRun:
        written = self._found
        unstored = StatusCounts.of(self.unstored)
        return CheckRun(
            slug=self.check_class.slug,
            title=title_of(self.check_class),
            state=state,
            next_slot=next_slot_of(self.check_class),
            started_at=started,
            duration=duration,
            counts=StatusCounts.of(written.counts),
            errors=written.errors + bool(end.error),
            skipped=written.skipped,
            gone=written.gone,
            vanished=end.vanished,
            duplicates=written.duplicates,
            status_changes=written.status_changes,
            unconfirmed=written.unconfirmed,
            error=end.error,
            traceback=end.traceback,
            problems=tuple(problem for *_, problem in sorted(self.problems, reverse=True)),
            unstored=unstored,
            notes=(*self.notes, *_cap_notes(StatusCounts.of(written.counts), unstored)),
        )


def _cap_notes(counts: StatusCounts, unstored: StatusCounts) -> Iterator[str]:
    if unstored.problems:
        shown = counts.problems - unstored.problems
        yield (
            f"Showing {shown:,} of {counts.problems:,} problems: the others are counted, "
            "and have no results of their own."
        )


def _failed(failure: Failure) -> runs.RunEnd:
    return runs.RunEnd(Run.State.FAILED, failure.error, failure.traceback)


def _as_shown(outcomes: list[Outcome], held: Mapping[str, Status]) -> list[Outcome]:
    """Return the outcomes with the statuses that people see."""
    return [
        outcome._replace(status=held[outcome.identifier])
        if outcome.identifier in held and outcome.disposition is Disposition.judged
        else outcome
        for outcome in outcomes
    ]


def _given_up(error: DwatchError) -> runs.RunEnd:
    return runs.RunEnd(Run.State.FAILED, f"{error.message}. {error.hint}")


def _weight(outcome: Outcome) -> float:
    """Rank problems for a report: what raised comes right behind what is critical."""
    least = Status.critical.severity - 0.5 if outcome.error else 0
    return max(outcome.status.severity, least)


def _is_problem(outcome: Outcome) -> bool:
    return outcome.status is not Status.ok and outcome.disposition is Disposition.judged


def _problem(outcome: Outcome) -> Problem:
    return Problem(outcome.identifier, outcome.status, outcome.description, outcome.error)


def _tally(outcomes: list[Outcome]) -> BatchWritten:
    """Count outcomes that are not stored."""
    kept, duplicates = keep_worst(outcomes)
    written = BatchWritten(duplicates=duplicates)
    for outcome in kept.values():
        judged = outcome.disposition is Disposition.judged
        written += BatchWritten(
            errors=bool(outcome.error),
            skipped=outcome.disposition is Disposition.skipped,
            gone=outcome.disposition is Disposition.gone,
        )
        if judged:
            written.counts[outcome.status] += 1
    return written
