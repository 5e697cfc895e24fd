"""Who is assigned to which result, kept in step in bulk."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.contrib.auth import get_user_model
from django.contrib.auth.models import Group

from dwatch.models import AssignedGroup, AssignedUser
from dwatch.store.transactions import database, read

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from django.db.models import Model

    from dwatch.core.outcome import Outcome


def there_are_any() -> bool:
    """Return whether anybody is assigned to any result."""
    tables = (AssignedUser, AssignedGroup)
    return read(lambda: any(table.objects.using(database()).exists() for table in tables))


def assign(results: Sequence[tuple[int, Outcome]]) -> None:
    """Make the assignments of these results (by primary key) what their outcomes say."""
    if not results:
        return
    keys = [pk for pk, _ in results]
    users = {(pk, str(user)) for pk, outcome in results for user in outcome.users}
    groups = {(pk, str(group)) for pk, outcome in results for group in outcome.groups}
    _align(AssignedUser, "user", get_user_model(), keys, users)
    _align(AssignedGroup, "group", Group, keys, groups)


def _align(
    through: type[Any],
    relation: str,
    people: type[Model],
    results: list[int],
    wanted: set[tuple[int, str]],
) -> None:
    rows = through._default_manager.using(database())
    present = {
        (result, str(person)): pk
        for pk, result, person in rows.filter(result__in=results).values_list(
            "pk", "result_id", f"{relation}_id"
        )
    }
    if obsolete := [pk for pair, pk in present.items() if pair not in wanted]:
        rows.filter(pk__in=obsolete).delete()
    if missing := sorted(wanted - present.keys()):
        existing = _existing(people, {person for _, person in missing})
        rows.bulk_create(
            through(**{"result_id": result, f"{relation}_id": existing[person]})
            for result, person in missing
            if person in existing
        )


def _existing(people: type[Model], keys: Iterable[str]) -> dict[str, Any]:
    """Return the primary keys that exist: a check may name somebody deleted meanwhile."""
    rows = people._default_manager.using(database()).filter(pk__in=list(keys))
    return {str(pk): pk for pk in rows.values_list("pk", flat=True)}
