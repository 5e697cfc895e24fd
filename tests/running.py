"""Small checks made on the spot, and runs of them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from dwatch.core.check import BaseCheck
from dwatch.core.registry import register, registry
from dwatch.core.status import Status
from dwatch.services.refresh import refresh_results
from dwatch.services.requests import RefreshRequest, RunRequest, Selection
from dwatch.services.run import run_checks
from tests.testapp.models import Item

if TYPE_CHECKING:
    from collections.abc import Callable

    from dwatch.services.reports import CheckRun


def make_check(slug: str = "items", **members: Any) -> type[BaseCheck]:
    """Register a check of Item that is fine unless an item's value is negative."""

    def check(_self: BaseCheck, item: Item) -> Status:
        return Status.critical if item.value < 0 else Status.ok

    members = {"model_class": Item, "check": check, "slug": slug, **members}
    cls = type("Check_" + slug.replace("-", "_"), (BaseCheck,), members)
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


def make_items(*values: int) -> list[Item]:
    """Store items with these values."""
    return [Item.objects.create(name=f"item {n}", value=v) for n, v in enumerate(values)]
