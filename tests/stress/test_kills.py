"""Processes killed, frozen and asked to stop at random moments, by the hundred."""

from __future__ import annotations

import os
import random
import signal
import time
from collections import Counter
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import pytest
from django.db import connection
from django.db.models import Count

from dwatch.exceptions import DatabaseBusyError
from dwatch.models import CheckState, Result, Run, StatusChange
from dwatch.store.transactions import write
from tests.faults.history import assert_history_is_unbroken
from tests.stress.nursery import nursery
from tests.stress.rounds import ROUNDS
from tests.testapp.models import Item

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.project import Project
    from tests.stress.nursery import Nursery

FEWER_ROUNDS = max(1, ROUNDS // 4)
SETTINGS = """
from tests.settings import *
INSTALLED_APPS = [*INSTALLED_APPS, "stock"]
DWATCH_BATCH_SIZE = DWATCH_TRANSACTION_SIZE = 10
"""
CHECKS = """
from dwatch import BaseCheck, CheckResponse, Status, register
from tests.testapp.models import Item

class Items(BaseCheck):
    run_every = "* * * * *"

    def generate(self):
        return Item.objects.exclude(note="hidden")

    model_class = Item

    def check(self, item):
        if item.note == "raise":
            raise ValueError(item.value)
        return CheckResponse(Status(item.value % 4), value=item.value)

@register
class Disturbed(Items):
    slug = "disturbed"

@register
class Undisturbed(Items):
    slug = "undisturbed"
"""
DISTURBED = ("run", "--force", "--slug", "disturbed", "--fail-on", "never")
UNDISTURBED = ("run", "--force", "--slug", "undisturbed", "--fail-on", "never")
ERROR = 3  # some payloads raise on purpose


@pytest.fixture
def dice() -> random.Random:
    seed = random.randrange(10**6)  # noqa: S311 - no secret
    print(f"seed {seed}")  # noqa: T201 - to repeat what failed
    return random.Random(seed)  # noqa: S311


@pytest.fixture
def runs(project: Project) -> Iterator[Nursery]:
    project.write("settings.py", SETTINGS)
    project.write("stock/checks.py", CHECKS)
    Item.objects.bulk_create(Item(name=f"item {n}", value=n) for n in range(300))
    with nursery(project) as made:
        made.run(*DISTURBED)
        yield made


def change_some_items(dice: random.Random) -> None:
    items = dice.sample(list(Item.objects.all()), 60)
    for item in items:
        item.value = dice.randrange(8)
        item.note = dice.choice(["", "", "", "hidden", "raise"])
    Item.objects.bulk_update(items, ["value", "note"])


def let_leases_expire() -> None:
    """Make it a minute later."""
    past = datetime.now(UTC) - timedelta(seconds=1)
    CheckState.objects.exclude(lease_token="").update(lease_expires=past)


def expire_unless_locked() -> None:
    """Make it a minute later, unless the frozen one has the row locked: then it never is."""
    with connection.cursor() as cursor, suppress(DatabaseBusyError):
        if connection.vendor == "sqlite":
            cursor.execute("PRAGMA busy_timeout = 200")
        write(let_leases_expire, patience=0)
    connection.close()


def stored(slug: str) -> list[Any]:
    results = Result.objects.visible().filter(check_state__slug=slug).order_by("identifier")
    columns = ("identifier", "status", "description", "data", "error", "digest")
    return list(results.values_list(*columns))


def assert_made_whole(runs: Nursery) -> None:
    """After one clean run all is as if nothing had ever been disturbed."""
    let_leases_expire()
    # 0 if chance left no payload that raises.
    assert runs.run(*DISTURBED)[0] in {0, ERROR}
    assert runs.run(*UNDISTURBED)[0] in {0, ERROR}
    assert stored("disturbed") == stored("undisturbed")
    assert len(stored("disturbed")) == Item.objects.exclude(note="hidden").count()
    assert_history_is_unbroken()
    assert set(CheckState.objects.values_list("lease_token", flat=True)) == {""}
    assert not Run.objects.filter(state=Run.State.RUNNING).exists()


def test_kill_9__a_clean_run_makes_it_whole(runs: Nursery, dice: random.Random) -> None:
    usual = runs.usual_seconds(*DISTURBED)
    ends: Counter[int] = Counter()
    for _ in range(ROUNDS):
        change_some_items(dice)
        let_leases_expire()
        code, _took = runs.stopped(signal.SIGKILL, dice.uniform(usual / 4, usual), *DISTURBED)
        ends[code] += 1
    assert set(ends) <= {-signal.SIGKILL, 0, ERROR}
    abandoned = Run.objects.filter(state__in=[Run.State.ABANDONED, Run.State.RUNNING]).count()
    assert_made_whole(runs)
    print(  # noqa: T201 - figures for the README
        f"{ROUNDS} kills: {ends[-signal.SIGKILL]} hit, {abandoned} of them in mid-run;"
        f" {StatusChange.objects.count():,} status changes, none missing, none twice"
    )


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_asked_to_stop__the_batch_in_hand_is_stored_and_the_lease_given_back(
    runs: Nursery, dice: random.Random, number: signal.Signals
) -> None:
    usual = runs.usual_seconds(*DISTURBED)
    code_of = {signal.SIGTERM: 143, signal.SIGINT: 130}[number]
    ends: Counter[int] = Counter()
    longest = 0.0
    for _ in range(FEWER_ROUNDS):
        change_some_items(dice)
        code, took = runs.stopped(number, dice.uniform(usual / 4, usual), *DISTURBED)
        ends[code] += 1
        longest = max(longest, took)
        assert CheckState.objects.get().lease_token == ""
        assert not Run.objects.filter(state=Run.State.RUNNING).exists()
        # What was written before the lease was given back is as if nothing had happened.
        assert_history_is_unbroken()
    # A signal that comes before anything has begun ends the process as any other.
    assert set(ends) <= {code_of, -number, 0, ERROR}
    assert_made_whole(runs)
    interrupted = Run.objects.filter(state=Run.State.INTERRUPTED).count()
    print(  # noqa: T201 - figures for the README
        f"{FEWER_ROUNDS} times {number.name}: {interrupted} in mid-run;"
        f" the slowest was out after {longest:.2f} s"
    )


def test_two_writers__one_frozen_one_killed__a_clean_run_makes_it_whole(
    runs: Nursery, project: Project, dice: random.Random
) -> None:
    usual = runs.usual_seconds(*DISTURBED)
    ends: Counter[int] = Counter()
    with nursery(project) as others:
        for _ in range(FEWER_ROUNDS):
            change_some_items(dice)
            let_leases_expire()
            (frozen,) = runs.start(*DISTURBED)
            time.sleep(dice.uniform(usual / 4, usual))
            # The first may have come to its end; then the other is alone.
            with suppress(ProcessLookupError):
                os.kill(frozen, signal.SIGSTOP)
            expire_unless_locked()
            (killed,) = others.start(*DISTURBED)
            time.sleep(dice.uniform(usual / 4, usual))
            victim = dice.choice([frozen, killed, None])
            with suppress(ProcessLookupError):
                os.kill(victim or killed, signal.SIGKILL if victim else 0)
            with suppress(ProcessLookupError):
                os.kill(frozen, signal.SIGCONT)
            ends.update(others.wait() + runs.wait())
    # 4: the other still had the lease when this one asked for it.
    assert set(ends) <= {-signal.SIGKILL, 0, ERROR, 4}
    assert_made_whole(runs)
    print(f"{FEWER_ROUNDS} overlaps: {dict(ends)}")  # noqa: T201 - figures for the README


def test_eight_at_once__each_due_check_runs_once(runs: Nursery) -> None:
    for _ in range(FEWER_ROUNDS):
        Run.objects.all().delete()
        CheckState.objects.update(handled_slot=None)
        codes = runs.run("run", "--fail-on", "never", times=8)
        # It may become due again when a minute begins meanwhile.
        by_slot = Run.objects.values("check_state__slug", "slot").annotate(times=Count("pk"))
        assert {row["times"] for row in by_slot} == {1}
        assert {row["check_state__slug"] for row in by_slot} == {"disturbed", "undisturbed"}
        assert set(codes) <= {0, ERROR}
        assert set(Run.objects.values_list("state", flat=True)) == {Run.State.COMPLETE}
    assert_history_is_unbroken()
    print(f"{FEWER_ROUNDS} times eight at once: each check once")  # noqa: T201 - for the README
