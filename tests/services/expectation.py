"""What should be stored, told a second time: plain dictionaries, one outcome after the other."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, NamedTuple

from dwatch.core.status import Status

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from datetime import datetime


class Verdict(NamedTuple):
    """What judging one payload should give; no status: it is skipped."""

    identifier: str
    status: Status | None
    description: str = ""
    data: Any = None
    """As it is stored."""
    is_error: bool = False

    @property
    def weight(self) -> int:
        return -1 if self.status is None else self.status.severity


@dataclass
class Waiting:
    """A worse status that is not shown yet."""

    status: Status
    runs: int
    since: datetime
    data: Any


@dataclass
class Given:
    """An acknowledgement."""

    status: Status
    until: datetime
    ended: str = ""


@dataclass
class Expected:
    """One result."""

    verdict: Verdict
    status: Status
    first_seen: datetime
    since: datetime
    evaluated_at: datetime
    run: int
    vanished_at: datetime | None = None
    waiting: Waiting | None = None
    history: list[tuple[Status | None, Status, datetime]] = field(default_factory=list)
    acknowledgements: list[Given] = field(default_factory=list)
    config: dict[str, Any] | None = None
    tags: set[str] = field(default_factory=set)

    def show(self, verdict: Verdict, status: Status, now: datetime) -> None:
        if status is not self.status:
            self.history.append((self.status, status, now))
            self.since = now
            self._end_acknowledgements(status)
            self.status = status
        self.verdict, self.vanished_at, self.waiting = verdict, None, None

    def _end_acknowledgements(self, status: Status) -> None:
        for given in self.acknowledgements:
            if given.ended or status is Status.unknown:
                continue
            if status is Status.ok:
                given.ended = "recovered"
            elif given.status.severity < status.severity:
                given.ended = "worsened"

    def vanish(self, now: datetime) -> None:
        if self.vanished_at is None:
            self.vanished_at, self.waiting = now, None


@dataclass
class Expectation:
    """Everything that one check should have stored."""

    confirm_after: int = 1
    absent_is_ok: bool = False
    """Whether what has no result was looked at, and was fine."""
    results: dict[str, Expected] = field(default_factory=dict)
    runs: int = 0

    def judge(self, batches: Iterable[Sequence[Verdict]], now: datetime) -> Counter[Status]:
        """Store one run's batches; return how many payloads show each status."""
        self.runs += 1
        return self.judge_more(batches, now)

    def judge_more(self, batches: Iterable[Sequence[Verdict]], now: datetime) -> Counter[Status]:
        """Store further batches of the same run, of other payloads; return as before."""
        judged: dict[str, None] = {}
        for batch in batches:
            for verdict in _worst_of_each(batch):
                self._store(verdict, now)
                if verdict.status is not None:
                    judged[verdict.identifier] = None
        return Counter(self.results[identifier].status for identifier in judged)

    def hide_unseen(self, now: datetime) -> int:
        """Hide what the latest run did not see; return how many."""
        unseen = [
            one for one in self.results.values() if one.run != self.runs and one.vanished_at is None
        ]
        for one in unseen:
            one.vanish(now)
        return len(unseen)

    def forget(self, vanished_before: datetime, changed_before: datetime) -> None:
        """Clean up."""
        for identifier, one in list(self.results.items()):
            if one.vanished_at is not None and one.vanished_at < vanished_before:
                del self.results[identifier]
            one.history = [change for change in one.history if change[2] >= changed_before]

    def _store(self, verdict: Verdict, now: datetime) -> None:
        known = self.results.get(verdict.identifier)
        if verdict.status is None:
            if known is not None and known.run != self.runs:
                known.vanish(now)
        elif known is None:
            self._add(verdict, verdict.status, now)
        elif known.run == self.runs and known.vanished_at is None:
            self._store_repeated(known, verdict, verdict.status, now)
        else:
            known.run, known.evaluated_at = self.runs, now
            self._store_first(known, verdict, verdict.status, now)

    def _add(self, verdict: Verdict, status: Status, now: datetime) -> None:
        waiting = None
        may_wait = self.confirm_after > 1 and not verdict.is_error
        if self.absent_is_ok and status.is_problem and may_wait:
            waiting = Waiting(status, 1, now, verdict.data)
            verdict = Verdict(verdict.identifier, Status.ok, verdict.description, {})
            status = Status.ok
        self.results[verdict.identifier] = Expected(
            verdict,
            status,
            now,
            now,
            now,
            self.runs,
            waiting=waiting,
            history=[(None, status, now)],
        )

    def _store_first(
        self, known: Expected, verdict: Verdict, status: Status, now: datetime
    ) -> None:
        if self._may_wait(known, verdict, status):
            before = known.waiting
            runs = before.runs + 1 if before else 1
            if runs < self.confirm_after:
                since = before.since if before else now
                known.waiting = Waiting(status, runs, since, verdict.data)
                return
        known.show(verdict, status, now)

    def _store_repeated(
        self, known: Expected, verdict: Verdict, status: Status, now: datetime
    ) -> None:
        if status.severity <= known.status.severity:
            return
        if self._may_wait(known, verdict, status) and known.waiting is not None:
            if status.severity > known.waiting.status.severity:
                known.waiting.status, known.waiting.data = status, verdict.data
            return
        known.show(verdict, status, now)

    def _may_wait(self, known: Expected, verdict: Verdict, status: Status) -> bool:
        return (
            self.confirm_after > 1
            and status.severity > known.status.severity
            and not verdict.is_error
            and not known.verdict.is_error
            and known.vanished_at is None
        )


def _worst_of_each(batch: Sequence[Verdict]) -> Iterable[Verdict]:
    worst: dict[str, Verdict] = {}
    for verdict in batch:
        other = worst.setdefault(verdict.identifier, verdict)
        if verdict.weight > other.weight:
            worst[verdict.identifier] = verdict
    return worst.values()
