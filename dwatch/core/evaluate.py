"""From payloads to outcomes: the only place where authors' judgement is called."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

from dwatch.core.definition import overrides
from dwatch.core.encoding import encode
from dwatch.core.guard import Failure, attempt, describe_failure
from dwatch.core.identifier import identify, printable
from dwatch.core.outcome import Disposition, Outcome
from dwatch.core.response import CheckResponse
from dwatch.core.status import Status
from dwatch.core.timelimit import TimedOut, timed_out
from dwatch.exceptions import SkipCheck

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from dwatch.core.check import BaseCheck
    from dwatch.core.timelimit import TimeLimit

MAX_DESCRIPTION_LENGTH = 1000
_LARGE = 2**64
"""Python refuses to print integers of over 4,300 digits."""


class NamedPayload(NamedTuple):
    """A payload with its identifier, and the trouble met in finding either."""

    identifier: str
    payload: Any
    failure: Failure | None = None
    gone: bool = False


class InvalidResponseError(TypeError):
    """``check()`` returned something that is no verdict."""


def name_payloads(check: BaseCheck, payloads: Iterable[Any]) -> list[NamedPayload]:
    """Return the payloads with their identifiers; a faulty one carries its failure."""
    return [_named(check.get_identifier, payload) for payload in payloads]


def evaluate(
    check: BaseCheck, payloads: Iterable[NamedPayload], limit: TimeLimit | None = None
) -> Iterator[Outcome]:
    """Yield one outcome for each payload, whatever the author's code does.

    A payload that is an outcome already, because the database judged it, stays as it is.
    ``limit`` is entered around the judgement of each payload.
    """
    assigns = overrides(type(check), "get_assigned_users", "get_assigned_groups")
    for named in payloads:
        identifier, payload, failure, is_gone = named
        if type(payload) is Outcome:
            yield payload
        elif is_gone:
            yield Outcome(identifier, disposition=Disposition.gone)
        elif failure is not None:
            yield _failed(named, identifier, failure)
        elif limit is None:
            yield _outcome(check, named, assigns=assigns)
        else:
            yield _in_time(check, named, limit, assigns=assigns)


def _named(get_identifier: Callable[[Any], Any], payload: Any) -> NamedPayload:
    if type(payload) is Outcome:
        return NamedPayload(payload.identifier, payload)
    value = attempt(get_identifier, payload)
    if type(value) is int and -_LARGE < value < _LARGE:
        return NamedPayload(str(value), payload)  # nearly all are like that
    identity = value if isinstance(value, Failure) else attempt(identify, value)
    if isinstance(identity, Failure):
        return NamedPayload("<no identifier>", payload, identity)
    if identity.problem:
        failure = Failure(identity.problem, "", ValueError)
        return NamedPayload(identity.identifier, payload, failure)
    return NamedPayload(identity.identifier, payload)


class _Verdict(NamedTuple):
    status: Status
    data: str


def _outcome(check: BaseCheck, named: NamedPayload, *, assigns: bool) -> Outcome:
    given: list[tuple[Status, str]] = []
    outcome = attempt(_judge, check, named, assigns, given)
    if not isinstance(outcome, Failure):
        return outcome
    if given:
        # A hook that raises after the verdict must not make it look better.
        status, data = given[0]
        worse = max(status, Status.unknown, key=lambda status: status.severity)
        return _failed(named, _describe(check, named), outcome, _Verdict(worse, data))
    if issubclass(outcome.exception_type, SkipCheck):
        return Outcome(named.identifier, disposition=Disposition.skipped)
    return _failed(named, _describe(check, named), outcome)


def _in_time(check: BaseCheck, named: NamedPayload, limit: TimeLimit, *, assigns: bool) -> Outcome:
    try:
        with limit:
            outcome = _outcome(check, named, assigns=assigns)
    except TimedOut as error:  # raised between two calls of the author's code
        limit.disarm()
        description = named.identifier[:MAX_DESCRIPTION_LENGTH]
        outcome = _failed(named, description, describe_failure(error))
    if not limit.expired:
        return outcome
    # Whatever the author made of being interrupted, it does not make the payload look better.
    worse = max(outcome.status, Status.unknown, key=lambda status: status.severity)
    return outcome._replace(
        status=worse, error=timed_out(limit.seconds), disposition=Disposition.judged
    )


def _judge(
    check: BaseCheck,
    named: NamedPayload,
    assigns: bool,  # noqa: FBT001 - through attempt()
    given: list[tuple[Status, str]],
) -> Outcome:
    """Return the whole outcome; ``given`` gets status and data as soon as they are known."""
    identifier, payload, *_ = named
    response = check.check(payload)
    if type(response) is Status:
        status, data = response, "{}"
    elif isinstance(response, CheckResponse):
        status, data = response.get_status(), encode(response.get_data())
    else:
        raise _invalid(response)
    given.append((status, data))
    description = printable(str(check.get_payload_description(payload)))[:MAX_DESCRIPTION_LENGTH]
    if not assigns:
        return Outcome(identifier, status, description, data)
    return Outcome(
        identifier,
        status,
        description,
        data,
        users=_keys(check.get_assigned_users(payload, status)),
        groups=_keys(check.get_assigned_groups(payload, status)),
    )


def _invalid(response: object) -> InvalidResponseError:
    return InvalidResponseError(
        f"check() returned {response!r:.80}; return a Status (such as Status.ok) or a CheckResponse"
    )


def _failed(
    named: NamedPayload,
    description: str,
    failure: Failure,
    verdict: _Verdict = _Verdict(Status.unknown, "{}"),  # noqa: B008 - a tuple never changes
) -> Outcome:
    return Outcome(
        named.identifier,
        verdict.status,
        description,
        verdict.data,
        error=failure.error,
        traceback=failure.traceback,
    )


def _describe(check: BaseCheck, named: NamedPayload) -> str:
    description = attempt(lambda: str(check.get_payload_description(named.payload)))
    if isinstance(description, Failure):
        return named.identifier[:MAX_DESCRIPTION_LENGTH]
    return printable(description)[:MAX_DESCRIPTION_LENGTH]


def _keys(people: Iterable[Any] | None) -> tuple[int | str, ...]:
    """Return the primary keys of users or groups, each once, in a stable order."""
    if people is None:
        return ()
    if isinstance(people, str):  # would be taken letter by letter
        raise TypeError(f"assigned are the users (or groups), not the text {people!r:.80}")
    keys = {getattr(person, "pk", person) for person in people}
    keys.discard(None)  # not saved, or anonymous
    plain = {key if type(key) is int else str(key) for key in keys}
    return tuple(sorted(plain, key=lambda key: (isinstance(key, str), key)))
