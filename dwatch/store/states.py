"""The row of each check, and the lease on it."""

from __future__ import annotations

import os
import secrets
import socket
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING

from django.db.models import Q

from dwatch import conf
from dwatch.core.plan import MAX_CLOCK_SKEW
from dwatch.exceptions import LeaseLostError
from dwatch.models import CheckState, Run
from dwatch.store.transactions import database, write

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import datetime

    from dwatch.core.check import BaseCheck


@dataclass(frozen=True, slots=True)
class Lease:
    """The right to write a check's results, as long as the token is the stored one."""

    state_id: int
    token: str


def ensure_states(check_classes: Iterable[type[BaseCheck]]) -> dict[str, CheckState]:
    """Return each check's row by slug; makes those that are missing.

    A row found under an alias is renamed, so that results and history stay.
    """
    classes = list(check_classes)
    states = _existing(classes)
    if all(cls.slug in states for cls in classes):
        return states
    return write(lambda: _create_missing(classes))


def read_states() -> dict[str, CheckState]:
    """Return every check's row by slug, without writing anything."""
    return {state.slug: state for state in CheckState.objects.using(database())}


def acquire_lease(state: CheckState, now: datetime, *, scheduled: bool) -> Lease | None:
    """Claim the check: return its lease, or None if somebody else was faster.

    One UPDATE decides (compare and set). With ``scheduled``, the slot handled
    last must still be the one in ``state``, so that of many schedulers one wins.
    A lease past its expiry is taken over, and its runs are marked abandoned; so
    is one from the future, which a clock that was far ahead has left behind.
    """
    token = secrets.token_hex(16)
    free = Q(lease_token="") | Q(lease_expires__lte=now) | Q(lease_expires__isnull=True)
    free |= Q(lease_since__gt=now + MAX_CLOCK_SKEW)
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
                lease_expires=now + timedelta(seconds=conf.lease_seconds()),
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

    return Lease(state.pk, token) if write(claim) else None


def renew(lease: Lease, now: datetime) -> None:
    """Prolong the lease; the fence at the beginning of each batch's transaction.

    Raises LeaseLostError if another run took the check over: what this one
    judged since then must not be written.
    """
    expires = now + timedelta(seconds=conf.lease_seconds())
    held = CheckState.objects.using(database()).filter(pk=lease.state_id, lease_token=lease.token)
    if not held.update(lease_expires=expires):
        raise LeaseLostError(
            "another run took this check over, because this one had not been heard of "
            f"for {conf.lease_seconds()} seconds",
            "Raise DWATCH_LEASE_SECONDS if single payloads take that long.",
        )


def release_lease(lease: Lease, *, handled_slot: datetime | None, ran_at: datetime | None) -> None:
    """Give the lease back; note the slot as handled and when the check ran, unless None."""
    changes: dict[str, object] = {"lease_token": "", "lease_owner": "", "lease_expires": None}
    if handled_slot is not None:
        changes["handled_slot"] = handled_slot
    if ran_at is not None:
        changes["last_run_at"] = ran_at
    held = CheckState.objects.using(database()).filter(pk=lease.state_id, lease_token=lease.token)
    write(lambda: held.update(**changes))


def process_name() -> str:
    """Return who this process is, for people: host and process id."""
    return f"{socket.gethostname()} (pid {os.getpid()})"[:200]


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
