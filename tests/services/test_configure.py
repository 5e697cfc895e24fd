from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from django import forms
from django.contrib.auth.models import User

from dwatch.core.response import CheckResponse
from dwatch.core.status import Status
from dwatch.exceptions import DefinitionError, UnknownCheckError, UnknownResultError, UsageError
from dwatch.models import Result, ResultConfig, StatusChange
from dwatch.services.configure import configure
from dwatch.services.reports import StatusCounts
from tests.running import make_check, make_items, run
from tests.testapp.models import Item

if TYPE_CHECKING:
    from collections.abc import Iterator

    from dwatch.core.check import BaseCheck

pytestmark = pytest.mark.django_db


class Limits(forms.Form):
    least = forms.DecimalField(initial=0)
    until = forms.DateField(required=False)


def by_limit(check: BaseCheck, item: Item) -> CheckResponse:
    config = check.get_config(item)
    status = Status.ok if item.value >= config["least"] else Status.critical
    return CheckResponse(status, **config)


def configured() -> list[Item]:
    items = make_items(1, 1, 1)
    make_check(config_form=Limits, check=by_limit)
    run()
    return items


def test_configure__rechecks_exactly_that_payload() -> None:
    first, second, third = configured()
    Item.objects.filter(pk__in=[second.pk, third.pk]).update(value=-1)
    ada = User.objects.create(username="ada")
    values = {"least": "1.50", "until": "2026-02-03"}
    report = configure("items", str(first.pk), values, user=ada)
    assert report.checks[0].counts == StatusCounts(critical=1)
    # Money stays exact, and both come back as the form's fields have them.
    assert Result.objects.get(identifier=str(first.pk)).data == {
        "least": "1.50",
        "until": "2026-02-03",
    }
    assert Result.objects.filter(status=Status.ok).count() == 2
    assert StatusChange.objects.filter(reason="refresh").count() == 1
    ada.delete()
    assert ResultConfig.objects.get().user is None
    assert run().counts == StatusCounts(critical=3)


def test_configure__field_added_later_has_its_default() -> None:
    first, *_others = configured()
    configure("items", str(first.pk), {"least": 0}, user=None)

    class MoreLimits(Limits):
        most = forms.IntegerField(initial=7)

    def check(check: BaseCheck, item: Item) -> CheckResponse:
        return CheckResponse(Status.ok, most=check.get_config(item)["most"])

    make_check(config_form=MoreLimits, check=check)
    assert run().errors == 0
    assert [data["most"] for data in Result.objects.values_list("data", flat=True)] == [7, 7, 7]


def test_configure__again_replaces_what_was_stored() -> None:
    first, *_others = configured()
    configure("items", str(first.pk), {"least": 5}, user=None)
    configure("items", str(first.pk), {"least": 1}, user=None)
    assert ResultConfig.objects.get().config == {"least": "1", "until": None}
    assert Result.objects.get(identifier=str(first.pk)).status == Status.ok


def test_configure__unknown_check_or_result() -> None:
    configured()
    with pytest.raises(UnknownCheckError):
        configure("nothing", "1", {"least": 1}, user=None)
    with pytest.raises(UnknownResultError):
        configure("items", "nobody", {"least": 1}, user=None)
    assert ResultConfig.objects.count() == 0


def test_configure__vanished_result_is_refused_before_anything_is_stored() -> None:
    first, *_others = configured()
    first.delete()
    run()
    vanished = Result.objects.exclude(vanished_at=None).get()
    with pytest.raises(UsageError, match="vanished"):
        configure("items", vanished.identifier, {"least": 1}, user=None)
    assert ResultConfig.objects.count() == 0


@pytest.mark.parametrize("broken", ["__init__", "get_form_class"])
def test_configure__check_that_raises_is_said_in_words(broken: str) -> None:
    first, *_others = configured()
    members: dict[str, Any] = {broken: lambda _self: 1 / 0}
    make_check(config_form=Limits, check=by_limit, **members)
    with pytest.raises(DefinitionError, match="ZeroDivisionError"):
        configure("items", str(first.pk), {"least": 1}, user=None)
    assert ResultConfig.objects.count() == 0


def test_get_config__in_generate_is_what_is_stored_between_batches_too(settings: Any) -> None:
    settings.DWATCH_BATCH_SIZE = 1
    _first, _second, third = configured()
    configure("items", str(third.pk), {"least": "5"}, user=None)
    seen = []

    def generate(self: BaseCheck) -> Iterator[Item]:
        for item in Item.objects.order_by("pk"):
            seen.append(self.get_config(item)["least"])
            yield item

    make_check(config_form=Limits, check=by_limit, generate=generate)
    run()
    assert seen == [0, 0, 5]
