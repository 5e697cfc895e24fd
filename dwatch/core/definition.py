"""What makes a check class usable; refused when it is registered, not at midnight."""

from __future__ import annotations

import inspect
from typing import TYPE_CHECKING, Any

from dwatch.core.check import BaseCheck
from dwatch.core.schedule import Schedule
from dwatch.exceptions import DefinitionError

if TYPE_CHECKING:
    from collections.abc import Mapping

MAX_SLUG_LENGTH = 190
MAX_TIMEOUT = 86_400
"""Seconds; whoever needs longer wants no limit."""


def validate(check_class: Any) -> None:
    """Raise DefinitionError if the class cannot work as a check."""
    if not (isinstance(check_class, type) and issubclass(check_class, BaseCheck)):
        raise DefinitionError(
            f"{check_class!r} is not a check",
            "Decorate a class that extends dwatch.BaseCheck with @register.",
        )
    for rule in (_slug, _judges, _source, _resolver, _schedule, _triggers, _limits, _words):
        rule(check_class, name_of(check_class))
    check_class.refuse_mistakes()


def parse_schedule(check_class: type[BaseCheck]) -> Schedule | None:
    """Return the class's schedule, None without ``run_every``; raises ScheduleError."""
    if check_class.run_every is None:
        return None
    return Schedule.parse(
        check_class.run_every, slug=check_class.slug, timezone=check_class.timezone
    )


def overrides(check_class: type[BaseCheck], *names: str) -> bool:
    """Return whether the class has its own version of any of these methods."""
    return any(getattr(check_class, name) is not getattr(BaseCheck, name) for name in names)


def name_of(check_class: type) -> str:
    """Return what a message calls the class."""
    return f"{check_class.__module__}.{check_class.__qualname__}"


def _slug(check_class: type[BaseCheck], name: str) -> None:
    for slug in (check_class.slug, *_strings(check_class, "aliases", name)):
        text: object = slug  # an author may have set anything
        if not isinstance(text, str) or not 0 < len(text) <= MAX_SLUG_LENGTH:
            raise DefinitionError(
                f"{name}: a slug must be a string of 1 to {MAX_SLUG_LENGTH} characters",
                f"It is {slug!r:.100}.",
            )
        if not slug.isprintable() or any(c.isspace() or c in "*?[]" for c in slug):
            raise DefinitionError(
                f"{name}: slug {slug!r} holds spaces, control characters or one of * ? [ ]",
                "Use letters, digits, dots, dashes and underscores.",
            )


def _judges(check_class: type[BaseCheck], name: str) -> None:
    if not overrides(check_class, "check") or not callable(check_class.check):
        raise DefinitionError(
            f"{name} has no check() method",
            "Define check(self, payload) and return a Status or a CheckResponse.",
        )
    if inspect.iscoroutinefunction(check_class.check):
        raise DefinitionError(
            f"{name}.check() is a coroutine, which dwatch does not await",
            "Define it with `def`, not `async def`.",
        )


def _source(check_class: type[BaseCheck], name: str) -> None:
    if check_class.model_class is None:
        if not overrides(check_class, "generate"):
            raise DefinitionError(
                f"{name} has neither model_class nor generate()",
                "Set model_class, or define generate() to yield the payloads.",
            )
    elif not _has_rows(check_class.model_class):
        raise DefinitionError(
            f"{name}.model_class is {check_class.model_class!r}, not a Django model",
            "Set it to a concrete model class.",
        )


def _has_rows(model: Any) -> bool:
    return hasattr(model, "_default_manager") and not model._meta.abstract


def _resolver(check_class: type[BaseCheck], name: str) -> None:
    if check_class.model_class is not None:
        return
    if not overrides(check_class, "get_payload", "get_payloads"):
        raise DefinitionError(
            f"{name} cannot find a payload by its identifier",
            "Define get_payload(self, identifier), or set model_class.",
        )
    if not overrides(check_class, "get_identifier"):
        raise DefinitionError(
            f"{name} does not name its payloads",
            "Define get_identifier(self, payload), or set model_class.",
        )


def _schedule(check_class: type[BaseCheck], name: str) -> None:
    try:
        parse_schedule(check_class)
    except DefinitionError as error:
        raise type(error)(f"{name}: {error.message}", error.hint) from error


def _triggers(check_class: type[BaseCheck], name: str) -> None:
    triggers: Mapping[str, Any] = check_class.trigger_update or {}
    if not hasattr(triggers, "items"):
        raise DefinitionError(
            f"{name}.trigger_update must be a dict of name -> model",
            'For example {"customer": Customer}.',
        )
    for key, model in triggers.items():
        if not hasattr(model, "_meta"):
            raise DefinitionError(
                f"{name}.trigger_update[{key!r}] is {model!r}, not a Django model",
                "Name the model class whose changes re-check payloads.",
            )
        if not callable(getattr(check_class, f"get_{key}_payload", None)):
            raise DefinitionError(
                f"{name} has trigger {key!r} but no get_{key}_payload()",
                f"Define get_{key}_payload(self, instance) to return the payloads to re-check.",
            )


def _limits(check_class: type[BaseCheck], name: str) -> None:
    days = check_class.max_acknowledge
    if days is not None and (type(days) is not int or days < 1):
        raise DefinitionError(
            f"{name}.max_acknowledge is {days!r}",
            "Set it to a whole number of days, at least 1, or None for no limit.",
        )
    runs: object = check_class.confirm_after
    if type(runs) is not int or runs < 1:
        raise DefinitionError(
            f"{name}.confirm_after is {runs!r}",
            "Set it to a whole number of runs, at least 1 (a worse status is shown at once).",
        )
    seconds: object = check_class.timeout
    if seconds is not None and not _is_duration(seconds):
        raise DefinitionError(
            f"{name}.timeout is {seconds!r}",
            f"Set it to a number of seconds, above 0 and at most {MAX_TIMEOUT:,}, "
            "or None for no limit.",
        )


def _is_duration(seconds: object) -> bool:
    # A bool is a number to Python; not-a-number fails both comparisons.
    return type(seconds) in {int, float} and 0 < seconds <= MAX_TIMEOUT  # type: ignore[operator]


def _words(check_class: type[BaseCheck], name: str) -> None:
    _strings(check_class, "tags", name)
    for attribute in ("owner", "runbook"):
        if not isinstance(getattr(check_class, attribute), str):
            raise DefinitionError(f"{name}.{attribute} must be a string", 'For example "finance".')


def _strings(check_class: type[BaseCheck], attribute: str, name: str) -> tuple[str, ...]:
    value = getattr(check_class, attribute)
    # A lone string would be taken letter by letter, a generator only once.
    listed = isinstance(value, (tuple, list, set, frozenset))
    if not listed or not all(isinstance(item, str) for item in value):
        raise DefinitionError(
            f"{name}.{attribute} must be a tuple of strings", 'For example ("money",).'
        )
    return tuple(value)
