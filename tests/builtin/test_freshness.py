from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.utils import timezone

from dwatch.builtin import Freshness
from dwatch.core.status import Status
from dwatch.exceptions import DefinitionError
from dwatch.models import Result
from dwatch.services.reports import StatusCounts
from dwatch.services.trial import try_payload
from tests.running import make_kind, refresh, run
from tests.testapp.models import Document

HOURS: dict[str, Any] = {
    "model_class": Document,
    "field": "created",
    "warning_after": timedelta(hours=1),
    "critical_after": timedelta(hours=3),
}


def hours_ago(*hours: float) -> None:
    for number in hours:
        Document.objects.create(created=datetime.now(UTC) - timedelta(hours=number))


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("hours", "expected"),
    [
        ([9, 0.5], StatusCounts(ok=1)),
        ([9, 2], StatusCounts(warning=1)),
        ([9, 4], StatusCounts(critical=1)),
        ([], StatusCounts(critical=1)),
        ([4, -5], StatusCounts(critical=1)),  # the future is not new
        ([-5], StatusCounts(critical=1)),
    ],
)
def test_newest__is_compared_with_the_limits(hours: list[float], expected: StatusCounts) -> None:
    hours_ago(*hours)
    Document.objects.create(created=None)
    make_kind(Freshness, **HOURS)
    assert run().counts == expected
    assert refresh().counts == expected
    assert Result.objects.get().identifier == "all"


@pytest.mark.django_db
def test_description__names_the_newest_moment() -> None:
    make_kind(Freshness, **HOURS)
    run()
    assert Result.objects.get().description == "no document at all"
    Document.objects.create(created=datetime(2026, 3, 1, 12, 30, tzinfo=UTC))
    done = run()
    assert done.vanished == 0
    result = Result.objects.get()
    assert result.description == "newest document: 2026-03-01 13:30 CET"
    assert result.data == {"newest": "2026-03-01T12:30:00+00:00"}


@pytest.mark.django_db
def test_days__are_counted_from_today() -> None:
    limits = {"warning_after": timedelta(days=1), "critical_after": timedelta(days=3)}
    make_kind(Freshness, model_class=Document, field="day", **limits)
    for days, status in ((5, Status.critical), (2, Status.warning), (1, Status.ok)):
        Document.objects.create(day=timezone.localdate() - timedelta(days=days))
        run()
        assert Result.objects.get().status == status
    assert Result.objects.get().description.endswith(str(timezone.localdate() - timedelta(days=1)))


@pytest.mark.django_db
def test_empty__can_be_fine() -> None:
    make_kind(
        Freshness,
        queryset=Document.objects.filter(title="none"),
        field="created",
        critical_after=timedelta(days=1),
        empty=Status.ok,
    )
    hours_ago(50)
    assert run().counts == StatusCounts(ok=1)


@pytest.mark.django_db
def test_other_identifiers__are_gone() -> None:
    check = make_kind(Freshness, **HOURS)()
    assert try_payload("items", "all").status is Status.critical
    assert try_payload("items", "some").outcome == "gone"
    assert check.get_payload("some") is None
    assert check.get_payload("all").age is None


@pytest.mark.parametrize(
    ("members", "words"),
    [
        ({"model_class": None}, "has no queryset"),
        ({"field": "title"}, "field is 'title', no date field"),
        ({"field": ""}, "field is '', no date field"),
        ({"warning_after": 3}, "warning_after is 3"),
        ({"critical_after": timedelta(0)}, "critical_after is datetime.timedelta(0)"),
        ({"warning_after": None, "critical_after": None}, "has no limit"),
        ({"warning_after": timedelta(days=9)}, "warning_after is not below"),
        ({"empty": None}, "empty is None"),
    ],
)
def test_register__refuses_mistakes(members: dict[str, Any], words: str) -> None:
    with pytest.raises(DefinitionError) as raised:
        make_kind(Freshness, **{**HOURS, **members})
    assert words in raised.value.message
    assert raised.value.hint
