"""What the services return: plain values, ready to be shown or encoded.

All moments are aware datetimes in UTC; all durations are seconds.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING, Any

from dwatch.core.status import Status

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

    from dwatch.core.plan import DueState


class RunState(StrEnum):
    """What became of one selected check."""

    complete = "complete"
    """Every payload was judged (some may have raised; see ``errors``)."""
    failed = "failed"
    """The check itself raised, for instance in ``generate()``; what was judged is stored."""
    interrupted = "interrupted"
    """Ctrl-C or SIGTERM; what was judged is stored, the slot stays due."""
    not_due = "not_due"
    """Its schedule asks for nothing now."""
    held = "held"
    """Another run holds the check's lease."""
    not_started = "not_started"
    """An earlier check ended the whole run (``-x`` or an interruption)."""


@dataclass(frozen=True, slots=True)
class StatusCounts:
    """How many results have each status."""

    ok: int = 0
    warning: int = 0
    critical: int = 0
    unknown: int = 0

    @classmethod
    def of(cls, counts: Mapping[Status, int]) -> StatusCounts:
        """Build from a mapping; statuses that are absent count zero."""
        return cls(**{status.name: counts.get(status, 0) for status in Status})

    def __add__(self, other: StatusCounts) -> StatusCounts:
        return StatusCounts(
            self.ok + other.ok,
            self.warning + other.warning,
            self.critical + other.critical,
            self.unknown + other.unknown,
        )

    @property
    def total(self) -> int:
        """All results together."""
        return self.ok + self.warning + self.critical + self.unknown

    @property
    def problems(self) -> int:
        """All that are not ok."""
        return self.total - self.ok

    @property
    def worst(self) -> Status | None:
        """The most severe status that occurs, or None without any result."""
        return Status.worst(status for status in Status if getattr(self, status.name))


@dataclass(frozen=True, slots=True)
class ModuleFailure:
    """A checks module that could not be imported; its checks are missing."""

    module: str
    error: str
    traceback: str


@dataclass(frozen=True, slots=True)
class Problem:
    """One payload worth showing beside its check."""

    identifier: str
    status: Status
    description: str
    error: str


@dataclass(frozen=True, slots=True)
class CheckRun:
    """One selected check after ``run`` or ``refresh``."""

    slug: str
    title: str
    state: RunState
    run_id: int | None = None
    slot: datetime | None = None
    next_slot: datetime | None = None
    started_at: datetime | None = None
    duration: float = 0.0
    counts: StatusCounts = StatusCounts()
    """The payloads judged now, by the status that is shown of them.

    Those that the check leaves out, and that have no result, are included.
    """
    errors: int = 0
    """Payloads that raised, plus one if the check itself raised."""
    skipped: int = 0
    gone: int = 0
    """Payloads that no longer exist (refresh only)."""
    vanished: int = 0
    """Results hidden because a complete run no longer produced their payload."""
    duplicates: int = 0
    """Payloads whose identifier came more than once; the worst one counts."""
    status_changes: int = 0
    unconfirmed: int = 0
    """Payloads judged worse than what is shown, but not yet in ``confirm_after`` runs."""
    error: str = ""
    """What the check itself raised, in one line."""
    traceback: str = ""
    problems: tuple[Problem, ...] = ()
    """The worst payloads, most severe first; bounded."""
    unstored: StatusCounts = StatusCounts()
    """Of the counts: payloads without a result, because the check leaves them out."""
    held_by: str = ""
    held_since: datetime | None = None
    notes: tuple[str, ...] = ()
    """Whatever else people should know, one sentence each."""


@dataclass(frozen=True, slots=True)
class RunReport:
    """Everything ``run`` or ``refresh`` did."""

    checks: tuple[CheckRun, ...]
    module_failures: tuple[ModuleFailure, ...]
    started_at: datetime
    duration: float
    dry_run: bool = False
    requested_by_name: frozenset[str] = frozenset()
    """Slugs that a pattern named; holding one of them is worth an exit code."""
    interrupted_by: int | None = None
    """Number of the signal that ended the run early."""


@dataclass(frozen=True, slots=True)
class CheckListing:
    """One check in ``list``."""

    slug: str
    title: str
    schedule: str
    """In words, "" for a check without ``run_every``."""
    expression: str
    zone: str
    state: DueState
    last_run_at: datetime | None
    last_run_state: str
    """As in Run.state; "" if it never ran."""
    last_duration: float | None
    last_errors: int
    next_slot: datetime | None
    counts: StatusCounts
    """The results by status, and the payloads that the last run left without one."""
    tags: tuple[str, ...]
    owner: str
    runbook: str
    running_since: datetime | None
    running_by: str
    clock_stepped_back: bool = False
    unconfirmed: int = 0
    """Results that are worse than shown, but not yet in ``confirm_after`` runs."""
    unstored: StatusCounts = StatusCounts()
    """Of the counts: payloads without a result."""


@dataclass(frozen=True, slots=True)
class ListReport:
    """All selected checks, and what could not be loaded."""

    checks: tuple[CheckListing, ...]
    module_failures: tuple[ModuleFailure, ...]
    removed: tuple[tuple[str, int], ...]
    """Slugs with results whose check no longer exists, with how many results."""
    now: datetime


@dataclass(frozen=True, slots=True)
class UnconfirmedStatus:
    """A worse status than the one shown, not yet found by enough runs in a row."""

    status: Status
    runs: int
    confirm_after: int
    """How many runs it takes; not more than ``runs`` if the check was changed meanwhile."""
    since: datetime
    description: str
    data: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class ResultRow:
    """One stored result in ``show``."""

    identifier: str
    status: Status
    since: datetime
    description: str
    error: str
    data: Mapping[str, Any]
    evaluated_at: datetime
    vanished_at: datetime | None
    acknowledged_until: datetime | None
    acknowledged_by: str
    acknowledged_reason: str
    unconfirmed: UnconfirmedStatus | None = None


@dataclass(frozen=True, slots=True)
class ResultsReport:
    """Stored results of one check, worst first."""

    check: CheckListing
    results: tuple[ResultRow, ...]
    matching: int
    """How many results match; ``results`` may hold fewer."""
    now: datetime


@dataclass(frozen=True, slots=True)
class TimelineEntry:
    """One thing that happened to a result."""

    at: datetime
    kind: str
    """"status", "acknowledged", "acknowledgement ended"."""
    from_status: Status | None
    to_status: Status | None
    text: str


@dataclass(frozen=True, slots=True)
class ResultReport:
    """Everything known of one result."""

    check: CheckListing
    result: ResultRow
    formatted_data: str
    """What the check's ``format_result_data`` made of the data; may be ""."""
    traceback: str
    config: Mapping[str, Any] | None
    """Configuration stored for this result, None without any."""
    tags: tuple[str, ...]
    users: tuple[str, ...]
    groups: tuple[str, ...]
    timeline: tuple[TimelineEntry, ...]
    """Newest first."""
    now: datetime


@dataclass(frozen=True, slots=True)
class CleanupReport:
    """What ``cleanup`` deleted, or would delete."""

    dry_run: bool
    removed_checks: tuple[tuple[str, int], ...]
    """Slug and number of results, per check that no longer exists."""
    vanished_results: int
    status_changes: int
    runs: int


@dataclass(frozen=True, slots=True)
class TrialReport:
    """One payload judged by ``try``; nothing was written."""

    slug: str
    identifier: str
    outcome: str
    """"judged", "skipped", "gone"."""
    status: Status | None
    description: str
    data: Mapping[str, Any]
    error: str
    traceback: str
    users: tuple[str, ...]
    groups: tuple[str, ...]
    duration: float
    queries: tuple[str, ...]
    stored_status: Status | None
    """What is stored now, None without a result."""


@dataclass(frozen=True, slots=True)
class Finding:
    """One line of ``doctor``."""

    subject: str
    level: str
    """"ok", "warning", "error"."""
    text: str
    hint: str = ""


@dataclass(frozen=True, slots=True)
class DoctorReport:
    """The health of an installation."""

    findings: tuple[Finding, ...] = field(default_factory=tuple)

    @property
    def healthy(self) -> bool:
        """Whether nothing is an error."""
        return all(finding.level != "error" for finding in self.findings)
