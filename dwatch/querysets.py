"""Questions that are asked of the results."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.db import models
from django.db.models import Count, Exists, F, OuterRef

from dwatch.core.status import Status

if TYPE_CHECKING:
    from datetime import datetime

    from dwatch.models import Result  # noqa: F401 - named in the base class below


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
        return self.visible().filter(unconfirmed__evaluated_at=F("evaluated_at"))

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

    def worst_first(self) -> ResultQuerySet:
        """Order by severity, then by how long it has been so."""
        ranks = [
            models.When(status=status, then=rank)
            for rank, status in enumerate(Status.by_severity())
        ]
        return self.order_by(models.Case(*ranks), "since", "pk")

    def counts_by_check(self) -> dict[int, dict[Status, int]]:
        """Return the number of visible results per status, by the check state's pk."""
        counts: dict[int, dict[Status, int]] = {}
        rows = self.visible().order_by().values_list("check_state", "status")
        for state, status, amount in rows.annotate(amount=Count("pk")):
            counts.setdefault(state, {})[Status(status)] = amount
        return counts

    def unconfirmed_by_check(self) -> dict[int, int]:
        """Return the number of :meth:`unconfirmed` results, by the check state's pk."""
        rows = self.unconfirmed().order_by().values_list("check_state")
        return dict(rows.annotate(amount=Count("pk")))


def _of_result(model_name: str) -> models.QuerySet[Any]:
    from django.apps import apps

    rows: models.QuerySet[Any] = apps.get_model("dwatch", model_name)._default_manager.all()
    return rows.filter(result=OuterRef("pk"))
