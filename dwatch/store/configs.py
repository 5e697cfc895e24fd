"""Configuration that people stored for single results."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from dwatch.core.identifier import storage_key
from dwatch.models import ResultConfig
from dwatch.store.transactions import database, read, write

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from datetime import datetime

    from dwatch.core.check import BaseCheck
    from dwatch.models import Result


def load_configs(state_id: int, identifiers: Iterable[str]) -> dict[str, Mapping[str, Any]]:
    """Return the stored configurations by identifier, in one query."""
    by_key = {storage_key(identifier): identifier for identifier in identifiers}
    rows = ResultConfig.objects.using(database()).filter(
        result__check_state=state_id, result__identifier__in=list(by_key)
    )
    found = rows.values_list("result__identifier", "config")
    return read(lambda: {by_key[key]: config for key, config in found.all()})


def stored_config(check: BaseCheck, identifier: str) -> Mapping[str, Any]:
    """Return what is stored for one result, {} if nothing is."""
    rows = ResultConfig.objects.using(database()).filter(
        result__check_state__slug=check.slug, result__identifier=storage_key(identifier)
    )
    return rows.values_list("config", flat=True).first() or {}


def save_config(result: Result, config: dict[str, Any], user: Any, now: datetime) -> None:
    """Store a result's configuration."""
    write(
        lambda: ResultConfig.objects.using(database()).update_or_create(
            result=result, defaults={"config": config, "user": user, "changed_at": now}
        )
    )
