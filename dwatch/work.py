"""Evaluates one batch: names, configuration, judgement."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from django.db import connections

from dwatch.core.evaluate import evaluate
from dwatch.core.guard import attempt
from dwatch.core.interrupt import Interrupted
from dwatch.core.outcome import Outcome, OutcomeBatch
from dwatch.outages import drop_broken_connections
from dwatch.store.configs import load_configs

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from datetime import datetime

    from dwatch.core.check import BaseCheck
    from dwatch.core.evaluate import NamedPayload
    from dwatch.core.interrupt import StopRequest
    from dwatch.core.timelimit import TimeLimit

_FLUSH_SECONDS = 2.0
"""Slow checks hand over what they have this often, so that little is lost by a crash."""


def evaluate_batch(  # noqa: PLR0913 - the batch is two of them
    check: BaseCheck,
    payloads: Sequence[NamedPayload],
    *,
    loaded_at: datetime,
    state_id: int | None,
    stop: StopRequest,
    limit: TimeLimit | None = None,
) -> Iterator[OutcomeBatch]:
    """Yield the payloads' outcomes, in more than one batch if they take long.

    Ends early, with what was judged until then, when asked to stop.
    ``state_id`` is None for a check that never stored anything.
    """
    if payloads and all(type(named.payload) is Outcome for named in payloads):
        # The database has judged them, and quickly: there is nothing left to do.
        yield OutcomeBatch([named.payload for named in payloads], loaded_at)
        return
    outcomes: list[Outcome] = []
    flush_at = time.monotonic() + _FLUSH_SECONDS
    try:
        for outcome in judge(check, payloads, state_id=state_id, limit=limit):
            outcomes.append(outcome)
            if stop:
                break
            if time.monotonic() > flush_at:
                yield OutcomeBatch(outcomes, loaded_at)
                outcomes = []
                flush_at = time.monotonic() + _FLUSH_SECONDS
    except Interrupted:
        yield OutcomeBatch(outcomes, loaded_at)
        raise
    finally:
        # The source goes on drawing payloads of other batches and may ask for theirs.
        check.use_configs(None)
    if outcomes:
        yield OutcomeBatch(outcomes, loaded_at)


def judge(
    check: BaseCheck,
    payloads: Sequence[NamedPayload],
    *,
    state_id: int | None,
    limit: TimeLimit | None = None,
) -> Iterator[Outcome]:
    """Yield one outcome for each payload; the configurations are loaded at once."""
    _provide_configs(check, payloads, state_id)
    for outcome in evaluate(check, payloads, limit):
        if limit is not None and limit.expired:
            _suspect_connections()
        if outcome.error:
            drop_broken_connections()
        yield outcome


def _suspect_connections() -> None:
    """Have all connections looked at: a query in mid-flight may have been torn out of one."""
    for connection in connections.all(initialized_only=True):
        connection.errors_occurred = True


def _provide_configs(
    check: BaseCheck, payloads: Sequence[NamedPayload], state_id: int | None
) -> None:
    """Load the configuration of all payloads at once, if people can configure any."""
    if state_id is None or attempt(check.get_form_class) is None:
        check.use_configs({})
        return
    check.use_configs(load_configs(state_id, [named.identifier for named in payloads]))
