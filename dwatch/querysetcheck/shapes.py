"""In which shape judged rows come into Python: as outcomes, or as instances for hooks."""

from __future__ import annotations

from operator import attrgetter, itemgetter
from typing import TYPE_CHECKING, Any, Protocol

from dwatch.core.evaluate import MAX_DESCRIPTION_LENGTH
from dwatch.core.guard import Failure, attempt
from dwatch.core.identifier import identify, printable
from dwatch.core.outcome import Outcome
from dwatch.core.rowencoding import RowEncoder
from dwatch.core.status import Status
from dwatch.querysetcheck.conditions import STATUS

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from django.db.models import QuerySet

    from dwatch.querysetcheck.question import Question

_STATUS_OF = {int(status): status for status in Status}


class Shape(Protocol):
    """How rows are fetched, and what a payload is made of."""

    key: Callable[[Any], Any]
    """Gives a row's primary key."""
    status: Callable[[Any], int]
    fetch: Callable[[QuerySet[Any]], list[Any]]
    """Asks the database for the rows."""

    def payload(self, row: Any) -> Any:
        """Return what the engine gets of the row."""

    def identifier(self, row: Any) -> str:
        """Return the string that names the row."""


class AsInstances:
    """Rows as instances of their model, for the author's hooks to look at."""

    def __init__(self, question: Question, identifier_of: Callable[[Any], Any]) -> None:
        self.fetch: Callable[[QuerySet[Any]], list[Any]] = question.as_instances
        self.key: Callable[[Any], Any] = attrgetter("pk")
        self.status: Callable[[Any], int] = attrgetter(STATUS)
        self._identifier_of = identifier_of

    def payload(self, row: Any) -> Any:
        """Return the instance."""
        return row

    def identifier(self, row: Any) -> str:
        """Return the string that names the row."""
        return identify(self._identifier_of(row)).identifier


class AsOutcomes:
    """Rows as outcomes, made from a few columns without any instance.

    The columns are: first the identifier, then the data, then what the
    description names.
    """

    def __init__(
        self, question: Question, data: Sequence[str], described: Sequence[str], template: str
    ) -> None:
        self.fetch: Callable[[QuerySet[Any]], list[Any]] = question.as_tuples
        self.key: Callable[[Any], Any] = itemgetter(0)
        self.status: Callable[[Any], int] = itemgetter(1)
        self._encoder = RowEncoder(data)
        self._data = slice(3, 3 + len(data))
        self._described = tuple(described)
        self._words = slice(3 + len(data), None)
        self._template = template

    def identifier(self, row: tuple[Any, ...]) -> str:
        """Return the string that names the row."""
        return identify(row[2]).identifier

    def payload(self, row: tuple[Any, ...]) -> Outcome:
        """Return the row's outcome; one with an error, if it cannot be named or described."""
        identifier, problem = identify(row[2])
        status = _STATUS_OF[row[1]]
        made = attempt(self._words_and_data, row)
        if isinstance(made, Failure):
            return _faulty(identifier, status, made.error, made.traceback)
        if problem:
            return _faulty(identifier, status, problem)
        return Outcome(identifier, status, *made)

    def _words_and_data(self, row: tuple[Any, ...]) -> tuple[str, str]:
        words = dict(zip(self._described, row[self._words], strict=True))
        description = printable(self._template.format_map(words))[:MAX_DESCRIPTION_LENGTH]
        return description, self._encoder.encode(row[self._data])


def _faulty(identifier: str, status: Status, error: str, traceback: str = "") -> Outcome:
    # The database gave its verdict: what fails afterwards must not make it look better.
    worse = max(status, Status.unknown, key=lambda one: one.severity)
    description = identifier[:MAX_DESCRIPTION_LENGTH]
    return Outcome(identifier, worse, description, error=error, traceback=traceback)
