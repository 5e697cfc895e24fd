"""Refuses wrong attributes of the ready-made checks, in words that all of them share."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any

from django.core.exceptions import FieldDoesNotExist
from django.db.models import Manager, QuerySet

from dwatch.core.definition import name_of
from dwatch.core.status import Status
from dwatch.exceptions import DefinitionError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from django.db.models import Model


def refuse_status(kind: type, attribute: str = "status", *, ok_too: bool = False) -> None:
    """Raise DefinitionError unless the attribute is a status (of a problem)."""
    status = getattr(kind, attribute)
    if not isinstance(status, Status) or not (ok_too or status.is_problem):
        allowed = "critical, warning, unknown" + (", ok" if ok_too else "")
        raise DefinitionError(
            f"{name_of(kind)}.{attribute} is {status!r:.80}", f"Set it to a Status: {allowed}."
        )


def refuse_source(kind: Any) -> type[Model]:
    """Return the model whose rows are judged; raises DefinitionError if there is none."""
    queryset = kind.queryset
    if isinstance(queryset, Manager):
        raise DefinitionError(f"{name_of(kind)}.queryset is a manager", "Add .all() to it.")
    if queryset is None and kind.model_class is not None:
        model: type[Model] = kind.model_class
        return model
    if not isinstance(queryset, QuerySet):
        raise DefinitionError(
            f"{name_of(kind)} has no queryset", "Set model_class, or queryset to some of its rows."
        )
    own = kind.model_class
    if own is not None and not issubclass(queryset.model, own):
        raise DefinitionError(
            f"{name_of(kind)}.queryset gives {queryset.model.__name__}, model_class is {own!r:.80}",
            "Leave model_class out: it follows from the queryset.",
        )
    return queryset.model


def rows_of(check: Any) -> QuerySet[Any]:
    """Return the rows that the check judges."""
    if check.queryset is not None:
        return check.queryset.all()  # type: ignore[no-any-return]
    return check.model_class._default_manager.all()  # type: ignore[no-any-return]


def chosen_fields(
    kind: Any, model: type[Model], fits: Callable[[Any], bool], what: str, known: Iterable[Any] = ()
) -> list[Any]:
    """Return the model's fields that ``fields`` names; all that fit if it names none.

    Raises DefinitionError for one that does not exist or fit, or if none is left.
    """
    names = kind.fields
    if not isinstance(names, (tuple, list)) or not all(isinstance(n, str) for n in names):
        raise DefinitionError(
            f"{name_of(kind)}.fields must be a tuple of field names", 'For example ("state",).'
        )
    fitting = [field for field in (known or model._meta.concrete_fields) if fits(field)]
    if not names:
        if not fitting:
            raise DefinitionError(
                f"{name_of(kind)}: {model.__name__} has no {what}", "Name another model."
            )
        return fitting
    by_name = {field.name: field for field in fitting}
    for name in names:
        if name not in by_name:
            _refuse_field(kind, model, name, what, sorted(by_name))
    return [by_name[name] for name in names]


def refuse_age(kind: Any, attribute: str) -> timedelta | None:
    """Return the attribute; raises DefinitionError unless it is None or a positive timedelta."""
    age = getattr(kind, attribute)
    if age is not None and (not isinstance(age, timedelta) or age <= timedelta(0)):
        raise DefinitionError(
            f"{name_of(kind)}.{attribute} is {age!r:.80}", "Set it to a timedelta above zero."
        )
    return age


def _refuse_field(kind: Any, model: type[Model], name: str, what: str, known: list[str]) -> None:
    try:
        model._meta.get_field(name)
        problem = f"is no {what}"
    except FieldDoesNotExist:
        problem = "does not exist"
    raise DefinitionError(
        f"{name_of(kind)}.fields: {model.__name__}.{name} {problem}",
        f"These would do: {', '.join(known) or 'none'}.",
    )
