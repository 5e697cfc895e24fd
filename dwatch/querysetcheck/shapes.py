"""In which shape judged rows come into Python: as outcomes, or as instances for hooks."""

from __future__ import annotations

from operator import attrgetter, itemgetter
from string import Formatter
from typing import TYPE_CHECKING, Any, NamedTuple, Protocol

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
    """How rows are fetched, and what payloads are made of them."""

    key: Callable[[Any], Any]
    """Gives a row's primary key."""
    status: Callable[[Any], int]
    fetch: Callable[[QuerySet[Any]], list[Any]]
    """Asks the database for the rows."""

    def payloads(self, rows: list[Any]) -> list[Any]:
        """Return what the engine gets of the rows."""

    def identifier(self, row: Any) -> str:
        """Return the string that names the row."""

    def next_size(self, rows: list[Any], characters: int) -> int:
        """Return how many rows like these have that many characters, as far as one can tell."""


class AsInstances:
    """Rows as instances of their model, for the author's hooks to look at."""

    def __init__(self, question: Question, identifier_of: Callable[[Any], Any]) -> None:
        self.fetch: Callable[[QuerySet[Any]], list[Any]] = question.as_instances
        self.key: Callable[[Any], Any] = attrgetter("pk")
        self.status: Callable[[Any], int] = attrgetter(STATUS)
        self._identifier_of = identifier_of

    def payloads(self, rows: list[Any]) -> list[Any]:
        """Return the instances."""
        return rows

    def identifier(self, row: Any) -> str:
        """Return the string that names the row."""
        return identify(self._identifier_of(row)).identifier

    def next_size(self, rows: list[Any], characters: int) -> int:  # noqa: ARG002 - nobody knows
        """Return as many again: what the instances hold, and what hooks load, is not known."""
        return len(rows)


class Layout(NamedTuple):
    """The columns of a row, after its primary key and its status."""

    is_named: bool
    """Whether a column with the identifier comes first; else the primary key is it."""
    data: Sequence[str]
    described: Sequence[str]
    """What the description names."""


class AsOutcomes:
    """Rows as outcomes, made from a few columns without any instance."""

    def __init__(self, question: Question, layout: Layout, template: str) -> None:
        self.fetch: Callable[[QuerySet[Any]], list[Any]] = question.as_tuples
        self.key: Callable[[Any], Any] = itemgetter(0)
        self.status: Callable[[Any], int] = itemgetter(1)
        self._encoder = RowEncoder(layout.data)
        self._name = 2 if layout.is_named else 0
        first = 3 if layout.is_named else 2
        self._data = slice(first, first + len(layout.data))
        self._words = slice(first + len(layout.data), None)
        self._describe = _filler(template, layout.described)

    def identifier(self, row: tuple[Any, ...]) -> str:
        """Return the string that names the row."""
        return identify(row[self._name]).identifier

    def payloads(self, rows: list[tuple[Any, ...]]) -> list[Outcome]:
        """Return the rows' outcomes; with an error where one cannot be named or described."""
        made = attempt(self._outcomes, rows)
        return [self._outcome(row) for row in rows] if isinstance(made, Failure) else made

    def next_size(self, rows: list[tuple[Any, ...]], characters: int) -> int:
        """Return the number by what the texts among the columns hold now."""
        held = sum(len(value) for row in rows for value in row if type(value) is str)
        return characters * len(rows) // max(1, held + 100 * len(rows))

    def _outcomes(self, rows: list[tuple[Any, ...]]) -> list[Outcome]:
        """Return the outcomes; raises what a single row raises."""
        describe, encode, words, data = (
            self._describe,
            self._encoder.encode,
            self._words,
            self._data,
        )
        outcomes, name = [], self._name
        for row in rows:
            status = _STATUS_OF[row[1]]
            key = row[name]
            if type(key) is int:
                identifier = str(key)
            else:
                identifier, problem = identify(key)
                if problem:
                    outcomes.append(_faulty(identifier, status, problem))
                    continue
            description = describe(row[words])
            if len(description) > MAX_DESCRIPTION_LENGTH or not description.isprintable():
                description = printable(description)[:MAX_DESCRIPTION_LENGTH]
            outcomes.append(Outcome(identifier, status, description, encode(row[data])))
        return outcomes

    def _outcome(self, row: tuple[Any, ...]) -> Outcome:
        made = attempt(self._outcomes, [row])
        if isinstance(made, Failure):
            identifier, status = self.identifier(row), _STATUS_OF[row[1]]
            return _faulty(identifier, status, made.error, made.traceback)
        return made[0]


def _filler(template: str, names: Sequence[str]) -> Callable[[tuple[Any, ...]], str]:
    """Return what fills the template with the names' values, quickly where it is simple."""
    pieces = list(Formatter().parse(template))
    if all(field is None or not (spec or conversion) for _, field, spec, conversion in pieces):
        asked = [field for _, field, _, _ in pieces if field is not None]
        if asked == list(names):
            return _percent_form(pieces).__mod__
    return lambda values: template.format_map(dict(zip(names, values, strict=True)))


def _percent_form(pieces: list[Any]) -> str:
    texts = (
        text.replace("%", "%%") + ("" if field is None else "%s") for text, field, _, _ in pieces
    )
    return "".join(texts)


def _faulty(identifier: str, status: Status, error: str, traceback: str = "") -> Outcome:
    # The database gave its verdict: what fails afterwards must not make it look better.
    worse = max(status, Status.unknown, key=lambda one: one.severity)
    description = identifier[:MAX_DESCRIPTION_LENGTH]
    return Outcome(identifier, worse, description, error=error, traceback=traceback)
