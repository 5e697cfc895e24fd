"""The class that authors extend for checks that the database judges."""

from __future__ import annotations

import json
from functools import cached_property
from typing import TYPE_CHECKING, Any, ClassVar

from django.db.models import QuerySet

from dwatch.core.check import BaseCheck, field_keys
from dwatch.core.definition import name_of
from dwatch.core.outcome import Outcome
from dwatch.core.response import CheckResponse
from dwatch.core.status import Status
from dwatch.exceptions import SkipCheck
from dwatch.querysetcheck import definition
from dwatch.querysetcheck.conditions import STATUS, conditions_of, worst_first
from dwatch.querysetcheck.failing import FailingRows
from dwatch.querysetcheck.question import VALUE, Question
from dwatch.querysetcheck.shapes import AsInstances, AsOutcomes, Layout

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from dwatch.querysetcheck.shapes import Shape

_HOOKS = (
    "check",
    "get_payload_description",
    "get_assigned_users",
    "get_assigned_groups",
    "user_forced_refresh_hook",
)
"""What is given an instance of the model, if the author overrides it."""


class QuerySetCheck(BaseCheck):
    """Judges the rows of a queryset in the database.

    ``critical``, ``warning`` and ``unknown`` say what must hold for a row to have
    that status: Q objects, expressions that are true or false, or methods that
    return one of them (for whatever depends on today). The worst that holds
    counts; one that is NULL does not hold. Rows with a problem become results;
    the others are counted, and not stored.
    """

    only_problems = True

    queryset: ClassVar[Any] = None
    """The rows to judge; by default all rows of ``model_class``."""
    critical: ClassVar[Any] = None
    warning: ClassVar[Any] = None
    unknown: ClassVar[Any] = None
    data_fields: ClassVar[Iterable[str]] = ()
    """Fields (also of related rows, by ``__``) and annotations whose values become the data."""
    description: ClassVar[str] = ""
    """Fields in words, such as "{number} of {customer__name}"; by default ``str(instance)``.

    With it, and without hooks that need an instance, no instance is made at all.
    """
    identifier_field: ClassVar[str] = "pk"
    """A unique field that names a row."""
    max_failing: ClassVar[int | None] = None
    """Most rows to read with a problem, the worst first; the others are only counted."""

    def __init_subclass__(cls, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        given = cls.__dict__.get("queryset")
        if isinstance(given, QuerySet) and "model_class" not in cls.__dict__:
            cls.model_class = given.model

    # -- what authors may override ------------------------------------------

    def get_queryset(self) -> QuerySet[Any]:
        """Return the rows to judge; asked anew at each run."""
        if self.queryset is None:
            return self.model_class._default_manager.all()  # type: ignore[no-any-return]
        return self.queryset.all()  # type: ignore[no-any-return]

    def get_conditions(self) -> Mapping[Status, Any]:
        """Return what must hold for each status; asked anew at each run."""
        return conditions_of(self)

    def check(self, payload: Any) -> CheckResponse | Status:
        """Return what the database says of a row; SkipCheck if it is none of the queryset's."""
        if isinstance(payload, Outcome):
            return CheckResponse(payload.status, **json.loads(payload.data))
        row = self._judged(payload)
        values = {
            name: getattr(row, VALUE.format(n))
            for n, name in enumerate(self._data_names, start=len(self._naming))
        }
        return CheckResponse(Status(getattr(row, STATUS)), **values)

    def get_payload_description(self, payload: Any) -> str:
        """Return ``description`` with the row's values, or the instance's own words."""
        if isinstance(payload, Outcome):
            return payload.description
        if not self.description:
            return str(payload)
        row = self._judged(payload)
        numbered = enumerate(self._described, start=len(self._naming) + len(self._data_names))
        return self.description.format_map(
            {name: getattr(row, VALUE.format(n)) for n, name in numbered}
        )

    # -- what the engine calls ----------------------------------------------

    @classmethod
    def refuse_mistakes(cls) -> None:
        """Raise DefinitionError for whatever can be told without asking the database."""
        super().refuse_mistakes()
        definition.refuse_mistakes(cls, QuerySetCheck)

    def generate(self) -> FailingRows:
        """Return the rows with a problem; raises DefinitionError for an unusable queryset."""
        self._asked = None  # Today's conditions, not those of an earlier run.
        question = self._question()
        return FailingRows(question, self._shape(question), self.max_failing)

    def get_identifier(self, payload: Any) -> Any:
        """Return the value of ``identifier_field``."""
        if isinstance(payload, Outcome):
            return payload.identifier
        return getattr(payload, self._identifier().attname)

    def get_payload(self, identifier: str) -> Any:
        """Return the row as the database judges it; raises the model's ``DoesNotExist``."""
        found = self.get_payloads([identifier])
        if identifier not in found:
            raise self._model().DoesNotExist(f"{identifier!r} is not among the check's rows")
        return found[identifier]

    def get_payloads(self, identifiers: Iterable[str]) -> Mapping[str, Any]:
        """Return the rows as the database judges them, those that are fine included."""
        question = self._question()
        shape = self._shape(question)
        keys = field_keys(self._identifier(), identifiers)
        found: dict[str, Any] = {}
        for row in shape.fetch(question.among(self.identifier_field, keys)):
            name = shape.identifier(row)
            other = found.setdefault(name, row)
            if Status(shape.status(row)).severity > Status(shape.status(other)).severity:
                found[name] = row
        return dict(zip(found, shape.payloads(list(found.values())), strict=True))

    def count_left_out(self, judged: Mapping[Status, int], skipped: int) -> Mapping[Status, int]:
        """Return how many rows are fine, and how many the cap left out of each status."""
        question = self._question()
        seen = sum(judged.values()) + skipped
        if self.max_failing is None or seen < self.max_failing:
            return {Status.ok: max(0, question.total() - seen)}
        failing = {status: question.count(status) for status in question.conditions}
        fine = question.total() - sum(failing.values())
        return {
            status: max(0, amount - judged.get(status, 0))
            for status, amount in {Status.ok: fine, **failing}.items()
        }

    # -- inside -------------------------------------------------------------

    _asked: Question | None = None

    def _question(self) -> Question:
        """Return what this check asks; made once, so that a whole run has one "now"."""
        if self._asked is None:
            queryset = self.get_queryset()
            definition.refuse_queryset(queryset, name_of(type(self)))
            definition.refuse_fields(type(self), queryset)
            columns = (*self._naming, *self._data_names, *self._described)
            conditions = worst_first(self.get_conditions(), name_of(type(self)))
            self._asked = Question(queryset, conditions, columns)
        return self._asked

    @property
    def _naming(self) -> tuple[str, ...]:
        """The column that names a row, unless that is the primary key, which comes anyway."""
        return () if self.identifier_field == "pk" else (self.identifier_field,)

    @cached_property
    def _data_names(self) -> tuple[str, ...]:
        return definition.names_of(type(self), "data_fields")

    @cached_property
    def _described(self) -> tuple[str, ...]:
        return definition.template_fields(type(self))

    def _shape(self, question: Question) -> Shape:
        kind = type(self)
        hooked = any(getattr(kind, hook) is not getattr(QuerySetCheck, hook) for hook in _HOOKS)
        if hooked or not self.description:
            return AsInstances(question, self.get_identifier)
        layout = Layout(bool(self._naming), self._data_names, self._described)
        return AsOutcomes(question, layout, self.description)

    def _model(self) -> Any:
        return self._question().queryset.model

    def _identifier(self) -> Any:
        meta = self._model()._meta
        return meta.pk if self.identifier_field == "pk" else meta.get_field(self.identifier_field)

    def _judged(self, row: Any) -> Any:
        """Return the row with its status and columns, which one from elsewhere lacks."""
        if hasattr(row, STATUS):
            return row
        # Nothing is noted on that instance: it may be saved and come again.
        question = self._question()
        found = question.as_instances(question.among("pk", [row.pk]))
        if not found:
            raise SkipCheck
        return max(found, key=lambda one: Status(getattr(one, STATUS)).severity)
