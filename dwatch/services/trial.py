"""Judges one payload for its author's eyes; nothing is written."""

from __future__ import annotations

import json
import time
from contextlib import ExitStack, contextmanager
from typing import TYPE_CHECKING

from django.contrib.auth import get_user_model
from django.contrib.auth.models import Group
from django.db import connections

from dwatch.core.evaluate import evaluate
from dwatch.core.guard import Failure, attempt
from dwatch.core.identifier import storage_key
from dwatch.core.outcome import Disposition
from dwatch.core.resolve import load_payloads
from dwatch.core.status import Status
from dwatch.exceptions import DefinitionError
from dwatch.models import Result
from dwatch.services import selecting
from dwatch.services.boundary import database_errors_in_words
from dwatch.services.reports import TrialReport
from dwatch.store.transactions import database

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from django.db.backends.base.base import BaseDatabaseWrapper
    from django.db.models import Model

    from dwatch.core.outcome import Outcome


def try_payload(slug: str, identifier: str) -> TrialReport:
    """Evaluate one payload and return the outcome, with its queries and time.

    Raises UnknownCheckError, DefinitionError for a check that cannot be made,
    and ConfigurationError.
    """
    check_class = selecting.get_check_class(slug)
    check = attempt(check_class)
    if isinstance(check, Failure):
        raise DefinitionError(f"{slug} cannot be made: {check.error}", "Mend its __init__().")
    with database_errors_in_words(), ExitStack() as captures:
        noted = [captures.enter_context(_noted(one)) for one in connections.all()]
        clock = time.perf_counter()
        outcome = next(evaluate(check, load_payloads(check, [identifier])))
        duration = time.perf_counter() - clock
    statements = tuple(sql for queries in noted for sql in queries)
    with database_errors_in_words():
        return _report(slug, outcome, duration, statements)


@contextmanager
def _noted(connection: BaseDatabaseWrapper) -> Iterator[list[str]]:
    """Give a list that holds, at the end, what the database was asked meanwhile.

    Django's own CaptureQueriesContext connects to every database, though this check
    may never need the one that does not answer.
    """
    queries: list[str] = []
    before, known = connection.force_debug_cursor, len(connection.queries_log)
    connection.force_debug_cursor = True
    try:
        yield queries
    finally:
        connection.force_debug_cursor = before
        queries += [query["sql"] for query in list(connection.queries_log)[known:]]


def _report(slug: str, outcome: Outcome, duration: float, queries: tuple[str, ...]) -> TrialReport:
    judged = outcome.disposition is Disposition.judged
    return TrialReport(
        slug=slug,
        identifier=outcome.identifier,
        outcome=outcome.disposition.value,
        status=outcome.status if judged else None,
        description=outcome.description,
        data=json.loads(outcome.data),
        error=outcome.error,
        traceback=outcome.traceback,
        users=_names(get_user_model(), outcome.users),
        groups=_names(Group, outcome.groups),
        duration=duration,
        queries=queries,
        stored_status=_stored_status(slug, outcome.identifier),
    )


def _names(people: type[Model], keys: Iterable[int | str]) -> tuple[str, ...]:
    rows = people._default_manager.using(database()).filter(pk__in=list(keys))
    return tuple(sorted(str(row) for row in rows))


def _stored_status(slug: str, identifier: str) -> Status | None:
    results = Result.objects.using(database()).visible()
    results = results.filter(check_state__slug=slug, identifier=storage_key(identifier))
    status = results.values_list("status", flat=True).first()
    return None if status is None else Status(status)
