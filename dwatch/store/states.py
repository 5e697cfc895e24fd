"""The row of each check, and the lease on it."""

from __future__ import annotations

import os
import secrets
import socket
import time
from dataclasses import dataclass, field
from datetime import timedelta
from typing import TYPE_CHECKING, TypeVar

from django.db.models import Q

from dwatch import conf
from dwatch.core.plan import MAX_CLOCK_SKEW
from dwatch.exceptions import DatabaseBusyError, LeaseLostError
from dwatch.models import CheckState, Run
from dwatch.store.clock import InSeconds, shared_now
from dwatch.store.locks import LOCK_SECONDS
from dwatch.store.transactions import database, read, write

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from datetime import datetime

    from django.db.models import QuerySet

    from dwatch.core.check import BaseCheck

T = TypeVar("T")

_TOKEN_BYTES, _MARK_BYTES = 12, 4  # as hexadecimal digits they fill the column together


@dataclass(slots=True)
class Pulse:
    """When this process renewed a lease last; saves the heartbeat what batches do already."""

    felt_at: float = field(default_factory=time.monotonic)

    def feel(self) -> None:
        """Note a renewal that was committed."""
        self.felt_at = time.monotonic()


@dataclass(frozen=True, slots=True)
class Lease:
    """The right to write a check's results, as long as the stored token begins with this one.

    Behind it stands the mark of the last transaction made under the lease, which
    tells whether a COMMIT that nobody answered arrived.
    """

    state_id: int
    token: str
    pulse: Pulse = field(default_factory=Pulse, compare=False, repr=False)

    def row(self) -> QuerySet[CheckState]:
        """Return the check's row if the lease is still ours, no row if it is not."""
        rows = CheckState.objects.using(database())
        return rows.filter(pk=self.state_id, lease_token__startswith=self.token)


def ensure_states(check_classes: Iterable[type[BaseCheck]]) -> dict[str, CheckState]:
    """Return each check's row by slug; makes those that are missing.

    A row found under an alias is renamed, so that results and history stay.
    """
    classes = list(check_classes)
    states = read(lambda: _existing(classes))
    if all(cls.slug in states for cls in classes):
        return states
    return write(lambda: _create_missing(classes))


def read_states(check_classes: Iterable[type[BaseCheck]] = ()) -> dict[str, CheckState]:
    """Return every check's row by slug, without writing anything.

    The row of one of these checks that has only an earlier slug yet stands under
    the present one as well: the next run renames it.
    """
    rows = CheckState.objects.using(database())
    states = read(lambda: {state.slug: state for state in rows.all()})
    for cls in check_classes:
        earlier = [states[alias] for alias in cls.aliases if alias in states]
        if earlier and cls.slug not in states:
            states[cls.slug] = min(earlier, key=lambda state: state.pk)
    return states


def acquire_lease(state: CheckState, now: datetime, *, scheduled: bool) -> Lease | None:
    """Claim the check: return its lease, or None if somebody else was faster.

    One UPDATE decides (compare and set). With ``scheduled``, the slot handled
    last must still be the one in ``state``, so that of many schedulers one wins.
    A lease past its expiry is taken over, and its runs are marked abandoned. So
    is one that ends too late to be true: its owner's clock had jumped ahead. An
    owner that froze within a transaction keeps the row locked, and so the check.
    """
    token = secrets.token_hex(_TOKEN_BYTES)
    clock = read(shared_now)
    expires = clock + timedelta(seconds=conf.lease_seconds())
    free = Q(lease_token="") | Q(lease_expires__lte=clock) | Q(lease_expires__isnull=True)
    free |= Q(lease_expires__gt=expires + MAX_CLOCK_SKEW)
    free |= Q(lease_token=token)  # claimed by a COMMIT that nobody answered
    same_slot = {"handled_slot": state.handled_slot} if state.handled_slot else {}
    unhandled = Q(**same_slot) if same_slot else Q(handled_slot__isnull=True)
    condition = Q(pk=state.pk) & free & (unhandled if scheduled else Q())

    def claim() -> bool:
        claimed = (
            CheckState.objects.using(database())
            .filter(condition)
            .update(
                lease_token=token,
                lease_owner=process_name(),
                lease_since=now,
                lease_expires=expires,
            )
        )
        if claimed:
            abandoned = Run.objects.using(database()).filter(
                check_state=state, state=Run.State.RUNNING
            )
            abandoned.update(
                state=Run.State.ABANDONED,
                finished_at=now,
                error="The process ended or froze before the run was complete.",
            )
        return bool(claimed)

    return Lease(state.pk, token) if _write_unless_owned(claim, state) else None


def write_fenced(lease: Lease, work: Callable[[], T]) -> T:
    """Run the work in a transaction that only the lease's owner can make, exactly once.

    It begins with the fence: an UPDATE of the lease where the token is ours, which
    renews it and leaves this attempt's mark. Raises LeaseLostError, with nothing
    written, if another run took the check over; otherwise as ``write``.
    """
    mark = ""

    def fenced() -> T:
        nonlocal mark
        mark = renew(lease)
        return work()

    def landed() -> bool:
        # Locked, so that an unanswered COMMIT which is still under way is waited for.
        tokens = lease.row().select_for_update().values_list("lease_token", flat=True)
        return list(tokens) == [lease.token + mark]

    result = write(fenced, landed=landed)
    lease.pulse.feel()
    return result


def renew(lease: Lease) -> str:
    """Prolong the lease and return the mark left on it.

    Raises LeaseLostError if another run took the check over: what this one
    judged since then must not be written.
    """
    mark = secrets.token_hex(_MARK_BYTES)
    expires = InSeconds(conf.lease_seconds())
    if not lease.row().update(lease_expires=expires, lease_token=lease.token + mark):
        raise LeaseLostError(
            "another run took this check over, because this one had not been heard of "
            f"for {conf.lease_seconds()} seconds",
            "Its process was frozen or starved, or its database out of reach.",
        )
    return mark


def prolong(lease: Lease) -> bool:
    """Prolong the lease, between batches; return whether it is still ours."""
    expires = InSeconds(conf.lease_seconds())
    held = bool(write(lambda: lease.row().update(lease_expires=expires), patience=0))
    lease.pulse.feel()
    return held


def release_lease(lease: Lease, *, handled_slot: datetime | None, ran_at: datetime | None) -> None:
    """Give the lease back; note the slot as handled and when the check ran, unless None."""
    changes: dict[str, object] = {"lease_token": "", "lease_owner": "", "lease_expires": None}
    if handled_slot is not None:
        changes["handled_slot"] = handled_slot
    if ran_at is not None:
        changes["last_run_at"] = ran_at
    write(lambda: lease.row().update(**changes))


def process_name() -> str:
    """Return who this process is, for people: host and process id."""
    return f"{socket.gethostname()} (pid {os.getpid()})"[:200]


def _write_unless_owned(claim: Callable[[], bool], state: CheckState) -> bool:
    """Make the claim; wait for a locked row only as long as nobody has the lease."""
    try:
        return write(claim, patience=LOCK_SECONDS)
    except DatabaseBusyError:
        row = CheckState.objects.using(database()).filter(pk=state.pk).exclude(lease_token="")
        if read(row.exists):
            return False
        return write(claim)


def _existing(classes: list[type[BaseCheck]]) -> dict[str, CheckState]:
    wanted = [cls.slug for cls in classes]
    rows = CheckState.objects.using(database()).filter(slug__in=wanted)
    return {state.slug: state for state in rows}


def _create_missing(classes: list[type[BaseCheck]]) -> dict[str, CheckState]:
    rows = CheckState.objects.using(database())
    states = _existing(classes)
    for cls in classes:
        if cls.slug not in states and cls.aliases:
            earlier = rows.filter(slug__in=list(cls.aliases)).order_by("pk").first()
            if earlier is not None:
                rows.filter(pk=earlier.pk).update(slug=cls.slug)
    states = _existing(classes)
    missing = sorted(cls.slug for cls in classes if cls.slug not in states)
    rows.bulk_create([CheckState(slug=slug) for slug in missing], ignore_conflicts=True)
    return _existing(classes)
