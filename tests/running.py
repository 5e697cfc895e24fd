"""Small checks made on the spot, and runs of them."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, TypeVar

from django.db import connection
from django.db.models import Q

from dwatch import QuerySetCheck
from dwatch.core.check import BaseCheck
from dwatch.core.registry import register, registry
from dwatch.core.status import Status
from dwatch.services.refresh import refresh_results
from dwatch.services.requests import RefreshRequest, RunRequest, Selection
from dwatch.services.run import run_checks
from tests.testapp.models import Item

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from django.db.models import QuerySet

    from dwatch.services.reports import CheckRun


C = TypeVar("C", bound=BaseCheck)


def make_check(slug: str = "items", **members: Any) -> type[BaseCheck]:
    """Register a check of Item that is fine unless an item's value is negative."""

    def check(_self: BaseCheck, item: Item) -> Status:
        return Status.critical if item.value < 0 else Status.ok

    members = {"model_class": Item, "check": check, "slug": slug, **members}
    return _register(type("Check_" + slug.replace("-", "_"), (BaseCheck,), members))


def make_queryset_check(slug: str = "items", **members: Any) -> type[QuerySetCheck]:
    """Register a check of all items, by which negative ones are critical unless told otherwise."""
    members = {"queryset": Item.objects.all(), "slug": slug, **members}
    if not members.keys() & {"critical", "warning", "unknown"}:
        members["critical"] = Q(value__lt=0)
    return make_kind(QuerySetCheck, **members)


def make_kind(kind: type[C], **members: Any) -> type[C]:
    """Register a check of this kind, under the slug "items" unless told otherwise."""
    return _register(type(f"My{kind.__name__}", (kind,), {"slug": "items", **members}))


def _register(cls: type[C]) -> type[C]:
    slug = cls.slug
    registry.restore({k: v for k, v in registry.snapshot().items() if k != slug})
    return register(cls)


def judging(verdict: Callable[[Item], Any]) -> Any:
    """Return a check() that gives this verdict."""
    return lambda _self, item: verdict(item)


def run(slug: str = "items", **options: Any) -> CheckRun:
    """Run one check, due or not, and return its report."""
    options = {"force": True, **options}
    report = run_checks(RunRequest(Selection(slugs=(slug,)), **options))
    return report.checks[0]


def refresh(slug: str = "items", **options: Any) -> CheckRun:
    """Refresh one check and return its report."""
    return refresh_results(RefreshRequest(Selection(slugs=(slug,)), **options)).checks[0]


@contextmanager
def deleting_before(number: int, rows: QuerySet[Any]) -> Iterator[None]:
    """Delete the rows right before the query with this number, as somebody else might."""
    seen = 0

    def watch(execute: Any, *query: Any) -> Any:
        nonlocal seen
        seen += 1
        if seen == number:
            rows.delete()
        return execute(*query)

    with connection.execute_wrapper(watch):
        yield


def make_items(*values: int) -> list[Item]:
    """Store items with these values."""
    return [Item.objects.create(name=f"item {n}", value=v) for n, v in enumerate(values)]
