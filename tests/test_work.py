from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import pytest
from django import forms
from django.db import connection
from django.test.utils import CaptureQueriesContext

from dwatch import work
from dwatch.core.evaluate import name_payloads
from dwatch.core.interrupt import Interrupted, StopRequest
from dwatch.core.outcome import Disposition
from dwatch.core.status import Status
from dwatch.exceptions import SkipCheck
from dwatch.models import CheckState
from dwatch.services.configure import configure
from tests.running import judging, make_check, make_items, run

if TYPE_CHECKING:
    from dwatch.core.check import BaseCheck
    from dwatch.core.outcome import Outcome
    from tests.testapp.models import Item

pytestmark = pytest.mark.django_db


def evaluated(
    check: BaseCheck,
    items: list[Item],
    *,
    stop: StopRequest | None = None,
    state: int | None = None,
) -> list[list[Outcome]]:
    batches = work.evaluate_batch(
        check,
        name_payloads(check, items),
        loaded_at=datetime.now(UTC),
        state_id=state,
        stop=StopRequest() if stop is None else stop,
    )
    return [batch.outcomes for batch in batches]


def test_evaluate_batch__one_outcome_for_each_payload() -> None:
    def verdict(item: Item) -> Any:
        if item.value == 2:
            raise SkipCheck
        return Status.warning if item.value else 1 / 0

    items = make_items(1, 2, 0)
    (outcomes,) = evaluated(make_check(check=judging(verdict))(), items)
    assert [outcome.disposition for outcome in outcomes] == [
        Disposition.judged,
        Disposition.skipped,
        Disposition.judged,
    ]
    assert [outcome.status for outcome in outcomes][::2] == [Status.warning, Status.unknown]


def test_evaluate_batch__nothing_gives_nothing() -> None:
    assert evaluated(make_check()(), []) == []


def test_evaluate_batch__slow_checks_hand_over_early(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(work, "_FLUSH_SECONDS", -1.0)
    batches = evaluated(make_check()(), make_items(1, 2, 3))
    assert [len(outcomes) for outcomes in batches] == [1, 1, 1]


def test_evaluate_batch__asked_to_stop_hands_over_what_it_has() -> None:
    stop = StopRequest()

    def verdict(item: Item) -> Status:
        if item.value == 2:
            stop.signal_number = 15
        return Status.ok

    (outcomes,) = evaluated(make_check(check=judging(verdict))(), make_items(1, 2, 3), stop=stop)
    assert len(outcomes) == 2


def test_evaluate_batch__interrupted_hands_over_what_it_has_first() -> None:
    def verdict(item: Item) -> Status:
        if item.value == 3:
            raise Interrupted
        return Status.ok

    check = make_check(check=judging(verdict))()
    payloads = name_payloads(check, make_items(1, 2, 3))
    batches = work.evaluate_batch(
        check, payloads, loaded_at=datetime.now(UTC), state_id=None, stop=StopRequest()
    )
    assert len(next(batches).outcomes) == 2
    with pytest.raises(Interrupted):
        next(batches)


class Limits(forms.Form):
    least = forms.IntegerField(initial=0)


def by_limit(check: BaseCheck, item: Item) -> Status:
    return Status.ok if item.value >= check.get_config(item)["least"] else Status.critical


def test_evaluate_batch__configurations_come_in_one_query() -> None:
    items = make_items(*[1] * 30)
    make_check(config_form=Limits, check=by_limit)
    run()
    for item in items[:20]:
        configure("items", str(item.pk), {"least": 5}, user=None)
    check = make_check(config_form=Limits, check=by_limit)()
    state = CheckState.objects.get()
    with CaptureQueriesContext(connection) as captured:
        (outcomes,) = evaluated(check, items, state=state.pk)
    assert len(captured) == 1
    assert [outcome.status for outcome in outcomes].count(Status.critical) == 20


def test_evaluate_batch__without_a_form_nothing_is_looked_up() -> None:
    items = make_items(1, 2)
    with CaptureQueriesContext(connection) as captured:
        evaluated(make_check()(), items, state=1)
    assert len(captured) == 0
