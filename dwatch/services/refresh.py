"""Re-checks the results there are."""

from __future__ import annotations

from contextlib import closing
from dataclasses import replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from dwatch.backends.loading import load_backend
from dwatch.core.identifier import storage_key
from dwatch.exceptions import UnknownResultError
from dwatch.models import Result, Run
from dwatch.services import checkruns, execution, selecting
from dwatch.services.boundary import database_errors_in_words
from dwatch.services.requests import SilentObserver
from dwatch.services.run import conduct
from dwatch.services.sources import StoredResults
from dwatch.store import states
from dwatch.store.transactions import database

if TYPE_CHECKING:
    from typing import Any

    from dwatch.core.check import BaseCheck
    from dwatch.core.interrupt import StopRequest
    from dwatch.models import CheckState
    from dwatch.querysets import ResultQuerySet
    from dwatch.services.reports import CheckRun, RunReport
    from dwatch.services.requests import Observer, RefreshRequest


def refresh_results(
    request: RefreshRequest, observer: Observer | None = None, *, user: Any = None
) -> RunReport:
    """Re-check existing results, payload by payload, whatever the schedule says.

    A payload that is gone vanishes; new payloads are left to the next run. Raises
    UnknownCheckError, and UnknownResultError for an identifier that none of the
    selected checks has a result for.
    """
    observer = observer or SilentObserver()
    with database_errors_in_words():
        classes = selecting.select(request.selection)
        selecting.refuse_nothing(classes)
        known = states.ensure_states(classes)
        _refuse_unknown(request, [known[cls.slug] for cls in classes])

        def refresh_one(cls: type[BaseCheck], stop: StopRequest) -> CheckRun:
            state = known[cls.slug]
            watch = execution.Watch(backend, stop, observer, user)
            source = StoredResults(_results(request, state))
            work = execution.Execution(cls, source, watch, Run.Reason.REFRESH)
            lease = states.acquire_lease(state, datetime.now(UTC), scheduled=False)
            if lease is None:
                return checkruns.held(cls, states.ensure_states([cls])[cls.slug])
            return work.run(lease, None)

        with closing(load_backend(request.workers)) as backend:
            report = conduct(classes, refresh_one, observer, lambda _check: False)
    return replace(report, requested_by_name=selecting.named(request.selection, tags_too=True))


def _results(request: RefreshRequest, state: CheckState) -> ResultQuerySet:
    results = Result.objects.using(database()).visible().filter(check_state=state)
    if request.identifiers:
        results = results.filter(identifier__in=[storage_key(i) for i in request.identifiers])
    if request.status is not None:
        results = results.filter(status=request.status)
    return results


def _refuse_unknown(request: RefreshRequest, chosen: list[CheckState]) -> None:
    rows = Result.objects.using(database()).visible().filter(check_state__in=chosen)
    for identifier in request.identifiers:
        if not rows.filter(identifier=storage_key(identifier)).exists():
            raise UnknownResultError(
                f"no selected check has a result for {identifier!r}",
                "`dwatch show SLUG` lists the results of a check.",
            )
