"""What a worker process does with a task: load the check and its payloads, judge them."""

from __future__ import annotations

import os
import pickle
import signal
import sys
from typing import TYPE_CHECKING, Any, NamedTuple

from dwatch.backends.supervisor import PYTHON_PATH, Refused, UnsafeToForkError
from dwatch.core.alarm import Alarm
from dwatch.core.guard import Failure, attempt
from dwatch.core.outcome import Outcome
from dwatch.core.timelimit import TimeLimit

if TYPE_CHECKING:
    from collections.abc import Iterator
    from types import TracebackType
    from typing import Self

    from dwatch.backends.supervisor import Handler, Progress
    from dwatch.core.check import BaseCheck
    from dwatch.core.evaluate import NamedPayload

UNKNOWN_CHECK = "check: "
"""A refusal that begins with this holds for all payloads of the check."""


class Order(NamedTuple):
    """A task as it travels; what only authors' classes can unpickle is packed once more."""

    check_class: bytes
    state: bytes
    """What the check's instance remembers; b"" for nothing."""
    state_id: int | None
    payloads: bytes
    """Pairs of identifier and payload; b"" if they are to be loaded here."""
    identifiers: list[str]


def prepare() -> Handler:
    """Set the worker up and return what handles its tasks."""
    preloaded = sys.modules.get("dwatch.backends.preload")
    if preloaded is not None and preloaded.threads_at_fork > 1:
        raise UnsafeToForkError
    if preloaded is not None and preloaded.failure:
        raise Refused(preloaded.failure)  # Django cannot be set up twice
    os.environ.pop(PYTHON_PATH, None)
    set_up_django()
    alarm = Alarm()
    signal.signal(signal.SIGALRM, alarm.ring)
    return _Judge(alarm).handle


def set_up_django() -> None:
    """Set Django up, unless it is, and leave no connection that a fork could inherit."""
    import django
    from django.apps import apps
    from django.db import connections

    if not apps.ready:
        django.setup()
    connections.close_all()


class _Judge:
    """Judges the payloads of one task after the other."""

    def __init__(self, alarm: Alarm) -> None:
        self._alarm = alarm
        self._made_from: tuple[bytes, bytes] | None = None
        self._check: BaseCheck | None = None

    def handle(self, body: bytes, progress: Progress) -> Iterator[tuple[int, Outcome | None]]:
        """Yield each payload's index and outcome; None for one that cannot be found here."""
        from dwatch.work import judge

        order: Order = pickle.loads(body)  # noqa: S301 - from our own parent
        check = self._check_of(order)
        found: list[NamedPayload] = []
        indexes: list[int] = []
        for index, named in enumerate(_payloads(check, order)):
            if named.gone or named.failure:
                yield index, None
            elif type(named.payload) is Outcome:
                yield index, named.payload
            else:
                found.append(named)
                indexes.append(index)
        limit = _WatchedLimit(check.timeout, self._alarm, progress, indexes)
        outcomes = judge(check, found, state_id=order.state_id, limit=limit)
        yield from zip(indexes, outcomes, strict=True)

    def _check_of(self, order: Order) -> BaseCheck:
        made_from = (order.check_class, order.state)
        if self._check is None or self._made_from != made_from:
            check = attempt(_make_check, order)
            if isinstance(check, Failure):
                raise Refused(f"{UNKNOWN_CHECK}{check.error}")
            self._check, self._made_from = check, made_from
        return self._check


def _make_check(order: Order) -> BaseCheck:
    check: BaseCheck = pickle.loads(order.check_class)()  # noqa: S301 - from our own parent
    if order.state:
        vars(check).update(pickle.loads(order.state))  # noqa: S301 - as above
    return check


def _payloads(check: BaseCheck, order: Order) -> list[NamedPayload]:
    from dwatch.core.evaluate import NamedPayload
    from dwatch.core.resolve import load_payloads

    if not order.payloads:
        return load_payloads(check, order.identifiers)
    pairs: Any = attempt(pickle.loads, order.payloads)
    if isinstance(pairs, Failure):
        raise Refused(pairs.error)
    return [NamedPayload(identifier, payload) for identifier, payload in pairs]


class _WatchedLimit(TimeLimit):
    """Tells the parent which payload is being judged, besides limiting its time if asked to."""

    def __init__(
        self, seconds: float | None, alarm: Alarm, progress: Progress, indexes: list[int]
    ) -> None:
        super().__init__(float("inf") if seconds is None else seconds, alarm)
        self._progress = progress
        self._indexes = iter(indexes)

    def __enter__(self) -> Self:
        self._progress.begin(next(self._indexes))
        return super().__enter__()

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        super().__exit__(kind, error, traceback)
        self._progress.pause()
