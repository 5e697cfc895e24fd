"""What must hold for a row to have a problem, as the database is asked."""

from __future__ import annotations

import inspect
from functools import reduce
from operator import or_
from typing import TYPE_CHECKING, Any

from django.core.exceptions import FieldError
from django.db.models import Case, Q, SmallIntegerField, Value, When

from dwatch.core.definition import name_of
from dwatch.core.status import Status
from dwatch.exceptions import DefinitionError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from django.db.models import QuerySet

STATUS = "dwatch_status"
"""The annotation that holds a row's status."""
PROBLEMS = (Status.critical, Status.warning, Status.unknown)
"""The statuses a condition can give, worst first."""


def conditions_of(check: Any) -> dict[Status, Any]:
    """Return the check's conditions as they are now, worst first.

    Methods and other callables are called. Raises DefinitionError for what is no
    condition.
    """
    conditions = {}
    for status in PROBLEMS:
        condition = getattr(check, status.name)
        if condition is None:
            continue
        if is_callable(condition):
            condition = _call(condition)
        refuse_no_condition(condition, f"{name_of(type(check))}.{status.name}")
        conditions[status] = condition
    return conditions


def worst_first(conditions: Mapping[Status, Any], name: str) -> dict[Status, Any]:
    """Return the conditions in the order in which they are asked: the worst that holds counts.

    Raises DefinitionError if there are none, or some for what is no problem.
    """
    if not conditions or not set(conditions) <= set(PROBLEMS):
        raise DefinitionError(
            f"{name}.get_conditions() gives conditions for {list(conditions)!r:.100}",
            "Give them by Status: critical, warning or unknown.",
        )
    return {status: conditions[status] for status in PROBLEMS if status in conditions}


def is_callable(condition: object) -> bool:
    """Return whether it has to be called to get the condition."""
    return callable(condition) and not hasattr(condition, "resolve_expression")


def refuse_no_condition(condition: object, name: str) -> None:
    """Raise DefinitionError unless it can be true or false of a row."""
    if isinstance(condition, Q):
        if condition:
            return
        raise DefinitionError(f"{name} is an empty Q(), which says nothing", "Name a field in it.")
    try:
        conditional = getattr(condition, "conditional", False)
    except FieldError:  # an expression that does not know its type yet
        conditional = False
    if not conditional:
        raise DefinitionError(
            f"{name} is {_in_words(condition)}, not a condition",
            "Set it to a Q object, to an expression that is true or false (Exists, a lookup), "
            "or to a method that returns one.",
        )


def judge(
    queryset: QuerySet[Any], conditions: Mapping[Status, Any]
) -> tuple[QuerySet[Any], QuerySet[Any]]:
    """Return all rows with their status, and those of them that have a problem.

    The worst condition that holds counts. A condition that is NULL does not hold.
    Raises FieldError for a field that does not exist.
    """
    queryset = queryset.order_by()
    asked = {status: _of_one_row(queryset, c) for status, c in conditions.items()}
    status = Case(
        *(When(condition, then=Value(int(status))) for status, condition in asked.items()),
        default=Value(int(Status.ok)),
        output_field=SmallIntegerField(),
    )
    failing = queryset.filter(reduce(or_, asked.values()))
    if len(asked) == 1:  # no need to ask the condition twice
        (only,) = asked
        constant = Value(int(only), output_field=SmallIntegerField())
        return queryset.annotate(**{STATUS: status}), failing.annotate(**{STATUS: constant})
    return queryset.annotate(**{STATUS: status}), failing.annotate(**{STATUS: status})


def multiplies(queryset: QuerySet[Any]) -> bool:
    """Return whether a join of the queryset can give a row several times."""
    return not queryset.query.group_by and bool(_many(queryset.query))


def _of_one_row(queryset: QuerySet[Any], condition: Any) -> Q:
    """Return the condition in a form that means the same in WHERE and in CASE.

    Across a relation to many rows it means what ``filter()`` makes of it, and
    must not multiply the rows.
    """
    asked: Q = condition if isinstance(condition, Q) else Q(condition)
    probe = queryset.query.clone()
    before = _many(probe)
    resolved = asked.resolve_expression(probe)
    if getattr(resolved, "contains_over_clause", False):
        raise FieldError("a condition cannot use a window function; wrap it in a subquery (pk__in)")
    if _many(probe) == before:
        return asked
    return Q(pk__in=queryset.filter(asked).values("pk"))


def _many(query: Any) -> dict[str, int]:
    """Return how often each join to possibly many rows is used."""
    return {
        alias: query.alias_refcount[alias]
        for alias, join in query.alias_map.items()
        if query.alias_refcount.get(alias)
        and getattr(getattr(join, "join_field", None), "multiple", False)
    }


def _in_words(value: object) -> str:
    # A queryset's repr() would ask the database.
    plain = value is None or isinstance(value, (str, int, float))
    return f"{value!r:.100}" if plain else f"a {type(value).__name__}"


def _call(condition: Any) -> Any:
    # A lambda without parameters in a class body becomes a method all the same.
    function = getattr(condition, "__func__", condition)
    takes_nothing = not inspect.signature(function).parameters
    return function() if takes_nothing else condition()
