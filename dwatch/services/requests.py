"""What the services are asked: plain values built by a face."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Literal, Protocol

if TYPE_CHECKING:
    from dwatch.core.status import Status
    from dwatch.services.reports import CheckRun


@dataclass(frozen=True, slots=True)
class Selection:
    """Which checks are meant. Empty means all.

    ``slugs`` and ``excludes`` are shell patterns (``fnmatch``) on slugs; a
    pattern in ``slugs`` that matches nothing is an error. ``tags``: the check
    has at least one of them.
    """

    slugs: tuple[str, ...] = ()
    excludes: tuple[str, ...] = ()
    tags: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class RunRequest:
    """What ``run`` is asked to do."""

    selection: Selection = Selection()
    force: bool = False
    dry_run: bool = False
    stop_early: bool = False
    """End after the first check with an error or a result that fails the gate."""
    fail_on: Status | None = None
    """The gate's threshold, for ``stop_early``; None never fails."""
    workers: int | Literal["auto"] | None = None
    """How many worker processes; None: as the settings say."""


@dataclass(frozen=True, slots=True)
class RefreshRequest:
    """What ``refresh`` is asked to do: existing results only."""

    selection: Selection = Selection()
    identifiers: tuple[str, ...] = ()
    status: Status | None = None
    workers: int | Literal["auto"] | None = None
    """As in :class:`RunRequest`."""


@dataclass(frozen=True, slots=True)
class CleanupRequest:
    """What ``cleanup`` is asked to delete. None leaves that kind alone."""

    dry_run: bool = False
    vanished_for: timedelta | None = timedelta(days=30)
    history_older_than: timedelta | None = timedelta(days=365)
    runs_older_than: timedelta | None = timedelta(days=90)


class Observer(Protocol):
    """Told of the progress of a run, in the thread that runs it."""

    wants_totals: bool
    """Whether counting payloads beforehand (one query a check) is worth it."""

    def check_started(self, slug: str, title: str, total: int | None) -> None:
        """Announce a check and how many payloads it expects, if that is known."""

    def batch_stored(self, slug: str, judged: int, problems: int) -> None:
        """Report payloads judged and stored since the last call."""

    def check_finished(self, check: CheckRun) -> None:
        """Report one check's end, whatever it was."""


class SilentObserver:
    """Watches without a word."""

    wants_totals = False

    def check_started(self, slug: str, title: str, total: int | None) -> None:
        """Ignore the start."""

    def batch_stored(self, slug: str, judged: int, problems: int) -> None:
        """Ignore the batch."""

    def check_finished(self, check: CheckRun) -> None:
        """Ignore the end."""
