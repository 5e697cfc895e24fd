"""The checks of the project, by slug."""

from __future__ import annotations

import difflib
import sys
from fnmatch import fnmatchcase
from typing import TYPE_CHECKING, TypeVar

from dwatch.core.definition import validate
from dwatch.exceptions import DefinitionError, UnknownCheckError

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from types import ModuleType

    from dwatch.core.check import BaseCheck

C = TypeVar("C", bound="type[BaseCheck]")


class Registry:
    """Check classes by slug, in the order in which they were registered."""

    def __init__(self) -> None:
        self._classes: dict[str, type[BaseCheck]] = {}
        self._imports: dict[str, ModuleType | None] = {}

    def register(self, check_class: C) -> C:
        """Add a check class; usable as a decorator.

        Raises DefinitionError if it cannot work or its slug (or an alias) is
        taken. The same class imported again replaces itself.
        """
        validate(check_class)
        for slug in (check_class.slug, *check_class.aliases):
            self._refuse_if_taken(slug, check_class)
        self._forget_earlier(check_class)
        self._classes[check_class.slug] = check_class
        self._imports[_name(check_class)] = _running_import(check_class)
        return check_class

    def get(self, slug: str) -> type[BaseCheck]:
        """Return the class with this slug; raises UnknownCheckError."""
        try:
            return self._classes[slug]
        except KeyError:
            raise self._unknown(slug) from None

    def select(
        self, patterns: Iterable[str] = (), excludes: Iterable[str] = (), tags: Iterable[str] = ()
    ) -> list[type[BaseCheck]]:
        """Return the classes that match, in slug order.

        Patterns and excludes are shell patterns; no pattern means all. Raises
        UnknownCheckError for a pattern, an exclude or a tag that matches nothing:
        a typo must not look like "all fine".
        """
        wanted = set(tags)
        chosen = self._matching(patterns) if (patterns := list(patterns)) else set(self._classes)
        chosen -= self._matching(excludes := list(excludes))
        known = {tag for cls in self for tag in cls.tags}
        if unknown := wanted - known:
            raise UnknownCheckError(
                f"no check has the tag {min(unknown)!r}",
                f"Tags in use: {', '.join(sorted(known)) or 'none'}.",
            )
        selected = [
            self._classes[slug]
            for slug in sorted(chosen)
            if not wanted or wanted & set(self._classes[slug].tags)
        ]
        if not selected and (patterns or excludes or wanted):
            raise UnknownCheckError(
                "no check is left by these slugs, excludes and tags together",
                "`dwatch list` shows all of them.",
            )
        return selected

    def __iter__(self) -> Iterator[type[BaseCheck]]:
        return iter(self._classes.values())

    def __contains__(self, slug: object) -> bool:
        return slug in self._classes

    def __len__(self) -> int:
        return len(self._classes)

    def snapshot(self) -> dict[str, type[BaseCheck]]:
        """Return the registrations, for :meth:`restore`."""
        return dict(self._classes)

    def restore(self, classes: dict[str, type[BaseCheck]]) -> None:
        """Put back what :meth:`snapshot` returned."""
        self._classes = dict(classes)

    def _forget_earlier(self, check_class: type[BaseCheck]) -> None:
        """Drop the same class under another slug, which an earlier import gave it."""
        for slug, other in list(self._classes.items()):
            if slug != check_class.slug and _same(other, check_class):
                del self._classes[slug]

    def _refuse_if_taken(self, slug: str, check_class: type[BaseCheck]) -> None:
        for other in self:
            if _same(other, check_class) and not self._is_written_twice(check_class):
                continue
            if slug == other.slug or slug in other.aliases:
                raise DefinitionError(
                    f"slug {slug!r} of {_name(check_class)} is taken by {_name(other)}",
                    "Give one of them another `slug` (or remove the alias).",
                )

    def _is_written_twice(self, check_class: type[BaseCheck]) -> bool:
        """Tell a copied class in the same file from the same class imported again."""
        running = _running_import(check_class)
        return running is not None and self._imports.get(_name(check_class)) is running

    def _matching(self, patterns: Iterable[str]) -> set[str]:
        found: set[str] = set()
        for pattern in patterns:
            slugs = {slug for slug in self._classes if fnmatchcase(slug, pattern)}
            if not slugs:
                raise self._unknown(pattern)
            found |= slugs
        return found

    def _unknown(self, asked: str) -> UnknownCheckError:
        if not self._classes:
            return UnknownCheckError(
                f"no check matches {asked!r}: no check is registered at all",
                "Write one in <app>/checks.py and decorate it with @register.",
            )
        # People type the class name as often as the whole slug.
        lowered = {slug.rpartition(".")[2].lower(): slug for slug in self._classes}
        lowered |= {slug.lower(): slug for slug in self._classes}
        close = difflib.get_close_matches(asked.lower(), lowered, n=1, cutoff=0.5)
        close = close or difflib.get_close_matches(asked.rpartition(".")[2].lower(), lowered, n=1)
        hint = f"Did you mean {lowered[close[0]]}?" if close else "`dwatch list` shows all of them."
        return UnknownCheckError(f"no check matches {asked!r}", hint)


def _same(one: type[BaseCheck], other: type[BaseCheck]) -> bool:
    return _name(one) == _name(other)


def _name(check_class: type[BaseCheck]) -> str:
    return f"{check_class.__module__}.{check_class.__qualname__}"


def _running_import(check_class: type[BaseCheck]) -> ModuleType | None:
    """Return the class's module while it is being imported for the first time.

    A repeated import after a failure has another module object, and a reload is
    not marked as an import.
    """
    module = sys.modules.get(check_class.__module__)
    spec = getattr(module, "__spec__", None)
    return module if getattr(spec, "_initializing", False) else None


registry = Registry()
register = registry.register
