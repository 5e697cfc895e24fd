"""Refuses a QuerySetCheck that cannot work, when it is registered."""

from __future__ import annotations

from string import Formatter
from typing import TYPE_CHECKING, Any

from django.core.exceptions import FieldError
from django.db.models import CompositePrimaryKey, Manager, QuerySet
from django.db.models.query import ModelIterable

from dwatch.core.definition import name_of
from dwatch.exceptions import DefinitionError
from dwatch.querysetcheck.conditions import PROBLEMS, is_callable, judge, refuse_no_condition

if TYPE_CHECKING:
    from dwatch.core.status import Status
    from dwatch.querysetcheck.check import QuerySetCheck

_WHAT_IT_DOES_ITSELF = {
    "generate": "Override get_queryset() to choose the rows.",
    "get_payload": "Set identifier_field to name rows by another field than the primary key.",
    "get_payloads": "Set identifier_field to name rows by another field than the primary key.",
    "get_identifier": "Set identifier_field to the field that names a row.",
    "count_left_out": "Extend BaseCheck for a check that counts by itself.",
}


def refuse_mistakes(kind: type[QuerySetCheck], base: type[QuerySetCheck]) -> None:
    """Raise DefinitionError for whatever can be told without asking the database."""
    name = name_of(kind)
    for method, hint in _WHAT_IT_DOES_ITSELF.items():
        if getattr(kind, method) is not getattr(base, method):
            raise DefinitionError(f"{name} defines {method}(), which is the base class's", hint)
    own = kind.get_conditions is not base.get_conditions
    conditions = {} if own else _static_conditions(kind, name)
    _refuse_bad_cap(kind, base, name)
    for field in (*names_of(kind, "data_fields"), kind.identifier_field):
        if not isinstance(field, str) or not field:
            raise DefinitionError(f"{name} names a field by {field!r}", "Use its name, a string.")
    template_fields(kind)
    if kind.get_queryset is base.get_queryset:
        queryset = _static_queryset(kind, name)
        refuse_queryset(queryset, name)
        refuse_fields(kind, queryset)
        if conditions:
            _try_conditions(kind, queryset, conditions)


def refuse_queryset(queryset: Any, name: str) -> None:
    """Raise DefinitionError for a queryset whose failing rows cannot be paged through."""
    if isinstance(queryset, Manager):
        raise DefinitionError(f"{name}.queryset is a manager", "Add .all() to it.")
    if not isinstance(queryset, QuerySet):
        raise DefinitionError(
            f"{name}.queryset is {queryset!r:.100}, not a queryset",
            "For example Invoice.objects.all().",
        )
    query = queryset.query
    reasons = {
        "is sliced": query.is_sliced,
        "is combined (union, intersection or difference)": bool(query.combinator),
        "has distinct() on some fields": bool(query.distinct_fields),
        "gives values() instead of rows": not issubclass(
            queryset._iterable_class,  # noqa: SLF001 - no public way to know
            ModelIterable,
        ),
        "is reversed": not query.standard_ordering,
        "uses a window function": query.where.contains_over_clause
        or any(getattr(a, "contains_over_clause", False) for a in query.annotations.values()),
        "is of a model with a composite primary key": isinstance(
            query.get_meta().pk, CompositePrimaryKey
        ),
    }
    for reason, holds in reasons.items():
        if holds:
            raise DefinitionError(
                f"{name}: the queryset {reason}, so its failing rows cannot be read page by page",
                "Filter a plain queryset, for example by pk__in; or extend BaseCheck.",
            )


def refuse_fields(kind: type[QuerySetCheck], queryset: QuerySet[Any]) -> None:
    """Raise DefinitionError for a field that is not there or has several values a row."""
    name = name_of(kind)
    for attribute, fields in (
        ("data_fields", names_of(kind, "data_fields")),
        ("description", template_fields(kind)),
    ):
        for field in fields:
            _refuse_field(queryset, field, f"{name}.{attribute}")
    _refuse_identifier(kind, queryset, name)


def names_of(kind: type[QuerySetCheck], attribute: str) -> tuple[Any, ...]:
    """Return a tuple of field names; raises DefinitionError for anything else."""
    value = getattr(kind, attribute)
    if not isinstance(value, (tuple, list)):
        raise DefinitionError(
            f"{name_of(kind)}.{attribute} must be a tuple of field names",
            'For example ("due", "total").',
        )
    return tuple(value)


def template_fields(kind: type[QuerySetCheck]) -> tuple[str, ...]:
    """Return the fields that the description names, each once; raises DefinitionError."""
    name, template = name_of(kind), kind.description
    if not isinstance(template, str):
        raise DefinitionError(f"{name}.description is {template!r:.80}", _DESCRIPTION_HINT)
    try:
        found = [field for _, field, _, _ in Formatter().parse(template) if field is not None]
    except ValueError as error:
        raise DefinitionError(f"{name}.description: {error}", _DESCRIPTION_HINT) from error
    for field in found:
        if not field.isidentifier():
            raise DefinitionError(
                f"{name}.description names {field!r}, which is no field", _DESCRIPTION_HINT
            )
    if template and not found:
        raise DefinitionError(f"{name}.description names no field", _DESCRIPTION_HINT)
    return tuple(dict.fromkeys(found))


_DESCRIPTION_HINT = 'Write fields in braces, as in "{number} of {customer__name}".'


def _static_conditions(kind: type[QuerySetCheck], name: str) -> dict[Status, Any]:
    """Return the conditions that are there before any run; refuse it if there is none at all."""
    given = {s: c for s in PROBLEMS if (c := getattr(kind, s.name)) is not None}
    if not given:
        raise DefinitionError(
            f"{name} has no condition", "Set critical, warning or unknown to a Q object."
        )
    static = {status: c for status, c in given.items() if not is_callable(c)}
    for status, condition in static.items():
        refuse_no_condition(condition, f"{name}.{status.name}")
    return static


def _refuse_bad_cap(kind: type[QuerySetCheck], base: type[QuerySetCheck], name: str) -> None:
    cap = kind.max_failing
    if cap is None:
        return
    if type(cap) is not int or cap < 1:
        raise DefinitionError(
            f"{name}.max_failing is {cap!r}", "Set it to a number of rows, at least 1, or to None."
        )
    if kind.check is not base.check:
        raise DefinitionError(
            f"{name} has both max_failing and its own check()",
            "The rows beyond the cap never reach check(), so nobody could count them: drop one.",
        )


def _static_queryset(kind: type[QuerySetCheck], name: str) -> Any:
    if kind.queryset is None and kind.model_class is None:
        raise DefinitionError(
            f"{name} has no queryset", "Set queryset, or model_class, or override get_queryset()."
        )
    if kind.queryset is None:
        return kind.model_class._default_manager.all()
    return kind.queryset


def _try_conditions(
    kind: type[QuerySetCheck], queryset: QuerySet[Any], conditions: dict[Status, Any]
) -> None:
    for status, condition in conditions.items():
        try:
            judge(queryset, {status: condition})
        except (FieldError, TypeError, ValueError) as error:
            raise DefinitionError(
                f"{name_of(kind)}.{status.name}: {error}", "Does it fit the queryset's model?"
            ) from error


def _refuse_field(queryset: QuerySet[Any], field: str, name: str) -> None:
    query = queryset.query
    first, *_ = names = field.split("__")
    try:
        if first not in query.annotations:
            path = query.names_to_path(names, query.get_meta())[0]
            if any(step.m2m for step in path):
                raise DefinitionError(
                    f"{name}: {field!r} leads to several rows",
                    "Annotate the queryset with the one value you want, such as Max().",
                )
        queryset.values_list(field)
    except FieldError as error:
        raise DefinitionError(f"{name}: {error}", "Name fields of the queryset's model.") from error


def _refuse_identifier(kind: type[QuerySetCheck], queryset: QuerySet[Any], name: str) -> None:
    field = kind.identifier_field
    if field == "pk":
        return
    unique = [f.name for f in queryset.model._meta.concrete_fields if f.unique]
    if field not in unique:
        raise DefinitionError(
            f"{name}.identifier_field is {field!r}, which is no unique field of the model",
            f"Unique are: {', '.join(unique)}. Rows that share a name would hide each other.",
        )
