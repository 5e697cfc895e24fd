from __future__ import annotations

from datetime import UTC, datetime

import pytest
from django.contrib.auth.models import Group, User

from dwatch.core.status import Status
from dwatch.models import (
    STATUS_LABELS,
    Acknowledgement,
    AssignedGroup,
    AssignedUser,
    CheckState,
    Result,
    ResultConfig,
    Run,
    StatusChange,
    Tag,
    Unconfirmed,
)

NOW = datetime(2026, 2, 3, 4, 5, tzinfo=UTC)
STATE = CheckState(slug="shop.checks.WalletBalance")
RESULT = Result(check_state=STATE, identifier="7")


@pytest.mark.parametrize(
    ("instance", "text"),
    [
        (STATE, "shop.checks.WalletBalance"),
        (Run(check_state=STATE, started_at=NOW), "shop.checks.WalletBalance 2026-02-03 04:05"),
        (RESULT, "shop.checks.WalletBalance 7"),
        (StatusChange(from_status=None, to_status=1), "- -> ok"),
        (StatusChange(from_status=0, to_status=3), "unknown -> critical"),
        (Acknowledgement(user_name="ada", until=NOW), "ada until 2026-02-03"),
        (ResultConfig(result=RESULT), "configuration of shop.checks.WalletBalance 7"),
        (Tag(tag="later"), "later"),
        (Unconfirmed(status=3, runs=2), "critical in 2 runs"),
        (AssignedUser(user=User(username="ada")), "ada"),
        (AssignedGroup(group=Group(name="finance")), "finance"),
    ],
)
def test_str__says_what_it_is(instance: object, text: str) -> None:
    assert str(instance) == text


def test_statuses__are_the_predecessors_with_a_word_for_each() -> None:
    assert {status.name: status.value for status in STATUS_LABELS} == {
        "unknown": 0,
        "ok": 1,
        "warning": 2,
        "critical": 3,
    }
    assert Result.STATUS is Status


def test_full_identifier__is_the_whole_of_a_long_one() -> None:
    assert Result(identifier="a").full_identifier == "a"
    assert Result(identifier="a~b", long_identifier="a" * 300).full_identifier == "a" * 300


@pytest.mark.django_db
def test_deleting_a_user__deletes_nothing_but_the_assignment() -> None:
    ada = User.objects.create(username="ada")
    state = CheckState.objects.create(slug="items")
    moments = {"since": NOW, "first_seen": NOW, "evaluated_at": NOW}
    result = Result.objects.create(check_state=state, identifier="1", status=3, digest=0, **moments)
    Run.objects.create(check_state=state, reason="web", started_at=NOW, user=ada)
    Tag.objects.create(result=result, tag="later", user=ada)
    ResultConfig.objects.create(result=result, changed_at=NOW, user=ada)
    Acknowledgement.objects.create(
        result=result, user=ada, user_name="ada", status=3, created_at=NOW, until=NOW
    )
    AssignedUser.objects.create(result=result, user=ada)
    ada.delete()
    for model in (Result, Run, Tag, ResultConfig, Acknowledgement):
        assert model._default_manager.count() == 1
    assert AssignedUser.objects.count() == 0
    assert Acknowledgement.objects.get().user_name == "ada"
