"""Questions that are asked of the results."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.apps import apps
from django.db import connections, models
from django.db.models import Count, Exists, F, OuterRef

from dwatch.core.status import Status

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import datetime

    from dwatch.models import Result


class ResultQuerySet(models.QuerySet["Result"]):
    """Results by what people look for."""

    def visible(self) -> ResultQuerySet:
        """Leave out vanished results."""
        return self.filter(vanished_at__isnull=True)

    def problems(self) -> ResultQuerySet:
        """Keep what is not ok."""
        return self.visible().exclude(status=Status.ok)

    def unconfirmed(self) -> ResultQuerySet:
        """Keep those whose latest judgement was worse than what is shown."""
        # Named twice, so that SQLite begins with these few and not with all results.
        waiting = apps.get_model("dwatch", "Unconfirmed")._default_manager.values("result")
        judged_last = self.filter(unconfirmed__evaluated_at=F("evaluated_at"))
        return judged_last.visible().filter(pk__in=waiting)

    def for_user(self, user: Any) -> ResultQuerySet:
        """Keep what is the user's: assigned to them, to one of their groups, or to nobody.

        Groups count only where no user is assigned.
        """
        users = _of_result("AssignedUser")
        groups = _of_result("AssignedGroup")
        mine = Exists(users.filter(user=user))
        my_groups = ~Exists(users) & Exists(groups.filter(group__in=user.groups.all()))
        return self.filter(mine | my_groups | (~Exists(users) & ~Exists(groups)))

    def unacknowledged(self, now: datetime) -> ResultQuerySet:
        """Leave out results with an acknowledgement that holds."""
        open_ones = _of_result("Acknowledgement").filter(ended_at__isnull=True, until__gt=now)
        return self.filter(~Exists(open_ones))

    def worst(self, limit: int, statuses: Iterable[Status] | None = None) -> list[Result]:
        """Return the first ``limit`` visible ones by severity, then by how long it has been so.

        One query for each status: each reads an index in its order, while the database
        would sort a million rows by severity to show fifty.
        """
        found: list[Result] = []
        for status in Status.by_severity() if statuses is None else statuses:
            if len(found) < limit:
                rows = self.visible().filter(status=status).longest_first()
                found += rows[: limit - len(found)]
        return found

    def longest_first(self) -> ResultQuerySet:
        """Order visible results of one check and status by how long it has been so."""
        # PostgreSQL does not see that a column which IS NULL has one value only, and would
        # sort; MariaDB sees it, unless that column stands in ORDER BY.
        constant = ("vanished_at",) if connections[self.db].vendor == "postgresql" else ()
        return self.order_by(*constant, "since", "pk")

    def latest_vanished(self) -> ResultQuerySet:
        """Keep vanished results, the latest first."""
        vanished = self.filter(vanished_at__isnull=False)
        return vanished.order_by("-vanished_at", "-status", "-since", "-pk")

    def page(self, after: Result | None, size: int) -> list[Result]:
        """Return at most ``size`` results behind ``after``, from the first one on with None.

        For going through those of one check, in the order in which the database finds the
        next page at once: by primary key SQLite would sort them all for each page, and by
        identifier MariaDB would read them again from the first one.
        """
        key = "identifier" if connections[self.db].vendor == "sqlite" else "pk"
        rows = self.order_by(key)
        if after is not None:
            rows = rows.filter(**{f"{key}__gt": getattr(after, key)})
        return list(rows[:size])

    def counts_by_check(self, states: Iterable[int]) -> dict[int, dict[Status, int]]:
        """Return the number of visible results per status of these checks, by their states' pk."""
        counts: dict[int, dict[Status, int]] = {}
        # With the checks named, SQLite reads its index in order instead of sorting all of it.
        rows = self.visible().filter(check_state__in=list(states)).order_by()
        # Not the number of primary keys: PostgreSQL's index does not hold those.
        for state, status, amount in rows.values_list("check_state", "status").annotate(
            amount=Count("*")
        ):
            counts.setdefault(state, {})[Status(status)] = amount
        return counts

    def unconfirmed_by_check(self) -> dict[int, int]:
        """Return the number of :meth:`unconfirmed` results, by the check state's pk."""
        rows = self.unconfirmed().order_by().values_list("check_state")
        return dict(rows.annotate(amount=Count("pk")))


def _of_result(model_name: str) -> models.QuerySet[Any]:
    rows: models.QuerySet[Any] = apps.get_model("dwatch", model_name)._default_manager.all()
    return rows.filter(result=OuterRef("pk"))
