"""Runs, refreshes and people's doings in any order, beside a simple model of what they leave."""

from __future__ import annotations

import json
import signal
from contextlib import ExitStack
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from typing import TYPE_CHECKING, Any, NamedTuple

import pytest
import time_machine
from django import forms
from django.db import transaction
from django.test import override_settings
from hypothesis import HealthCheck, note, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)

from dwatch.core.check import BaseCheck
from dwatch.core.encoding import encode
from dwatch.core.evaluate import MAX_DESCRIPTION_LENGTH
from dwatch.core.identifier import identify, printable
from dwatch.core.registry import register, registry
from dwatch.core.response import CheckResponse
from dwatch.core.status import Status
from dwatch.exceptions import (
    AcknowledgeError,
    AlreadyAcknowledgedError,
    SkipCheck,
    UnknownResultError,
    UsageError,
)
from dwatch.models import CheckState, Result, Run, StatusChange, Tag
from dwatch.services.acknowledge import acknowledge, withdraw
from dwatch.services.cleanup import clean_up
from dwatch.services.configure import configure
from dwatch.services.listing import list_checks
from dwatch.services.reports import RunState, StatusCounts
from dwatch.services.requests import CleanupRequest
from dwatch.services.show import show_result, show_results
from tests.running import refresh, run
from tests.services.expectation import Expectation, Given, Verdict

if TYPE_CHECKING:
    from collections import Counter
    from collections.abc import Iterator

    from dwatch.services.reports import CheckRun
    from tests.services.expectation import Expected

START = datetime(2026, 11, 24, 6, 30, tzinfo=UTC)
BATCH = 3
STATUSES = (Status.ok, Status.unknown, Status.warning, Status.critical)

LOOK_ALIKES = ["a", "A", "a ", "ä", "a\u0308", "\u0430", "1", "01", "\\x00", "\x00", "\ud800"]
LONG = ["x" * 199, "x" * 200, "x" * 201, "y" + "x" * 400, "é" * 200]
NAMES = st.one_of(
    st.sampled_from(LOOK_ALIKES),
    st.sampled_from(LOOK_ALIKES[:3]),
    st.sampled_from(LONG),
    st.text(st.characters(categories=None), min_size=1, max_size=30),
)
TEXTS = st.text(st.characters(categories=None), max_size=20)
SCALARS = st.none() | st.booleans() | st.floats() | st.integers() | TEXTS | st.just(10**400)
DATA = st.recursive(
    SCALARS, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXTS, inner, max_size=3)
)


class Thing(NamedTuple):
    """A payload: how bad it is, or what its judgement does instead."""

    name: str
    level: int
    text: str = ""
    data: Any = None
    manner: str = "judged"


THINGS = st.builds(
    Thing,
    st.just(""),
    st.integers(0, 3),
    st.sampled_from(["", "text"]) | TEXTS,
    st.just(1) | DATA,
    st.sampled_from(["judged"] * 8 + ["raises", "skipped"]),
)


class World:
    """The payloads there are, and what goes wrong while they are drawn."""

    def __init__(self) -> None:
        self.things: dict[str, list[Thing]] = {}
        self.only_problems = False
        self.trouble_at: int | None = None
        self.signals = False

    def all(self) -> list[Thing]:
        """Return all payloads in the order in which they are drawn."""
        return [thing for things in self.things.values() for thing in things]

    def draw(self, check: BaseCheck) -> Iterator[Thing]:
        """Yield all payloads (only those to worry about, if so told), unless something happens."""
        number = 0
        for thing in self.all():
            if self.only_problems and is_fine(thing, check.get_config(thing)["most"]):
                continue
            self._meet_trouble(number)
            number += 1
            yield thing
        self._meet_trouble(number)

    def _meet_trouble(self, number: int) -> None:
        if number == self.trouble_at:
            if not self.signals:
                raise LookupError("the source went away")
            signal.raise_signal(signal.SIGINT)


def is_fine(thing: Thing, most: int) -> bool:
    """Return whether it is judged to be ok if it may be that bad at most."""
    return thing.manner == "judged" and not min(thing.level, most)


class Ceiling(forms.Form):
    """How bad a result may get at most."""

    most = forms.IntegerField(initial=3)


def make_check(world: World, slug: str, earlier: list[str], confirm_after: int) -> None:
    """Register the check of this world under a new name."""

    class Worldly(BaseCheck):
        run_every = "0 * * * *"
        timezone = "UTC"
        config_form = Ceiling
        aliases = tuple(earlier)
        only_problems = world.only_problems

        def generate(self) -> Iterator[Thing]:
            return world.draw(self)

        def count_left_out(self, judged: Any, skipped: int) -> dict[Status, int]:
            assert skipped >= 0
            fine = (is_fine(one, self.get_config(one)["most"]) for one in world.all())
            return {Status.ok: sum(fine) - judged[Status.ok]}

        def get_identifier(self, payload: Thing) -> str:
            return payload.name

        def get_payload(self, identifier: str) -> Thing | None:
            return next(iter(world.things.get(identifier, [])), None)

        def get_payload_description(self, payload: Thing) -> str:
            return payload.text

        def check(self, payload: Thing) -> CheckResponse:
            if payload.manner == "raises":
                raise ValueError(payload.text)
            if payload.manner == "skipped":
                raise SkipCheck
            level = min(payload.level, self.get_config(payload)["most"])
            return CheckResponse(STATUSES[level], value=payload.data)

    Worldly.slug = slug
    Worldly.confirm_after = confirm_after
    registry.restore({})
    register(Worldly)


class Machine(RuleBasedStateMachine):
    """One check and its world, on the database, in time that only passes when told to."""

    def __init__(self) -> None:
        super().__init__()
        self.world = World()
        self.expected = Expectation()
        self.slugs = ["world"]
        self.handled: datetime | None = None
        self.completed: list[datetime] = []
        self.unstored = 0
        self.together = BATCH
        self.undo = ExitStack()
        self.clock = self.undo.enter_context(time_machine.travel(START, tick=False))
        self.undo.enter_context(transaction.atomic())
        self.undo.callback(transaction.set_rollback, True)  # noqa: FBT003 - Django's signature

    def teardown(self) -> None:
        self.undo.close()

    @property
    def slug(self) -> str:
        return self.slugs[-1]

    def now(self) -> datetime:
        """Let a second pass; return the time."""
        self.clock.shift(1)
        return datetime.now(UTC)

    # -- the world ------------------------------------------------------------

    @initialize(
        confirm_after=st.integers(1, 3),
        only_problems=st.booleans(),
        things=st.dictionaries(NAMES, THINGS, max_size=6),
        together=st.sampled_from([1, BATCH, 2 * BATCH + 1, 2000]),
    )
    def begin(
        self,
        confirm_after: int,
        together: int,
        only_problems: bool,  # noqa: FBT001
        things: dict[str, Thing],
    ) -> None:
        self.together = together
        self.undo.enter_context(
            override_settings(DWATCH_BATCH_SIZE=BATCH, DWATCH_TRANSACTION_SIZE=together)
        )
        self.expected.confirm_after = confirm_after
        self.world.only_problems = only_problems
        self.world.things = {name: [one._replace(name=name)] for name, one in things.items()}
        self._register()

    @rule(name=NAMES, thing=THINGS)
    def appear(self, name: str, thing: Thing) -> None:
        self.world.things[name] = [thing._replace(name=name)]

    @rule(data=st.data(), thing=THINGS)
    @precondition(lambda self: self.world.things)
    def change(self, data: st.DataObject, thing: Thing) -> None:
        name = data.draw(st.sampled_from(sorted(self.world.things)))
        self.world.things[name] = [thing._replace(name=name)]

    @rule(level=st.integers(0, 3))
    def all_become(self, level: int) -> None:
        self.world.things = {
            name: [one._replace(level=level, manner="judged") for one in things]
            for name, things in self.world.things.items()
        }

    @rule(data=st.data(), thing=THINGS)
    @precondition(lambda self: self.world.things)
    def come_twice(self, data: st.DataObject, thing: Thing) -> None:
        name = data.draw(st.sampled_from(sorted(self.world.things)))
        self.world.things[name] = [*self.world.things[name][:1], thing._replace(name=name)]

    @rule(data=st.data())
    @precondition(lambda self: self.world.things)
    def go(self, data: st.DataObject) -> None:
        del self.world.things[data.draw(st.sampled_from(sorted(self.world.things)))]

    @rule(delta=st.sampled_from([timedelta(minutes=31), timedelta(hours=5), timedelta(days=2)]))
    def wait(self, delta: timedelta) -> None:
        self.clock.shift(delta)

    # -- judging --------------------------------------------------------------

    @rule()
    def run_forced(self) -> None:
        self._run(force=True)

    @rule()
    def run_scheduled(self) -> None:
        self._run(force=False)

    @rule()
    def run_twice(self) -> None:
        self._run(force=True)
        self._run(force=True)

    @rule(data=st.data(), signals=st.booleans())
    def run_with_trouble(self, data: st.DataObject, signals: bool) -> None:  # noqa: FBT001
        self.world.trouble_at = data.draw(st.integers(0, len(self._drawn())))
        self.world.signals = signals
        try:
            self._run(force=True)
        finally:
            self.world.trouble_at = None

    @rule()
    def rehearse(self) -> None:
        self.now()
        if self.handled is not None:
            assert run(self.slug, dry_run=True).state is RunState.complete

    @rule(status=st.none() | st.sampled_from(Status))
    @precondition(lambda self: self.expected.results)
    def refresh(self, status: Status | None) -> None:
        now = self.now()
        self._refreshed(
            refresh(self.slug, status=status),
            [name for name, one in self._visible() if status is None or one.status is status],
            now,
        )

    @rule(data=st.data())
    @precondition(lambda self: self.expected.results)
    def refresh_one(self, data: st.DataObject) -> None:
        name, now = self._pick(data), self.now()
        if self.expected.results[name].vanished_at is not None:
            with pytest.raises(UnknownResultError):
                refresh(self.slug, identifiers=(name,))
            return
        self._refreshed(refresh(self.slug, identifiers=(name,)), [name], now)

    # -- people ---------------------------------------------------------------

    @rule(data=st.data(), days=st.integers(1, 3))
    @precondition(lambda self: self.expected.results)
    def acknowledge(self, data: st.DataObject, days: int) -> None:
        problems = [name for name, one in self._visible() if one.status.is_problem]
        name = data.draw(st.sampled_from(sorted(problems))) if problems else self._pick(data)
        now = self.now()
        one = self.expected.results[name]
        until = now + timedelta(days=days)
        current = [g for g in one.acknowledgements if not g.ended and g.until > now]
        if one.vanished_at is not None or one.status is Status.ok:
            with pytest.raises(AcknowledgeError):
                acknowledge(self.slug, name, user=None, days=days)
        elif any(given.until > until for given in current):
            with pytest.raises(AlreadyAcknowledgedError):
                acknowledge(self.slug, name, user=None, days=days)
        else:
            acknowledge(self.slug, name, user=None, days=days)
            for given in one.acknowledgements:
                given.ended = given.ended or "replaced"
            one.acknowledgements.append(Given(one.status, until))

    @rule(data=st.data())
    @precondition(lambda self: self.expected.results)
    def withdraw(self, data: st.DataObject) -> None:
        name, now = self._pick(data), self.now()
        given = self.expected.results[name].acknowledgements
        current = [one for one in given if not one.ended and one.until > now]
        assert withdraw(self.slug, name) == bool(current)
        for one in current:
            one.ended = "withdrawn"

    @rule(data=st.data(), most=st.integers(0, 3))
    @precondition(lambda self: self.expected.results)
    def configure(self, data: st.DataObject, most: int) -> None:
        name, now = self._pick(data), self.now()
        one = self.expected.results[name]
        if one.vanished_at is not None:
            with pytest.raises(UsageError):
                configure(self.slug, name, {"most": most}, user=None)
            return
        report = configure(self.slug, name, {"most": most}, user=None)
        one.config = {"most": most}
        self._refreshed(report.checks[0], [name], now)

    @rule(data=st.data(), word=st.sampled_from(["later", "Ädler"]))
    @precondition(lambda self: self.expected.results)
    def tag(self, data: st.DataObject, word: str) -> None:
        name = self._pick(data)
        result = next(r for r in Result.objects.all() if r.full_identifier == name)
        Tag.objects.get_or_create(result=result, tag=word)
        self.expected.results[name].tags.add(word)

    @rule(vanished=st.integers(1, 3), changed=st.integers(1, 3))
    def clean_up(self, vanished: int, changed: int) -> None:
        now = self.now()
        gone, old = timedelta(days=vanished), timedelta(days=changed)
        clean_up(CleanupRequest(vanished_for=gone, history_older_than=old, runs_older_than=old))
        self.expected.forget(now - gone, now - old)
        self.completed = [started for started in self.completed if started >= now - old]

    # -- authors --------------------------------------------------------------

    @rule()
    def rename(self) -> None:
        self.slugs.append(f"world-{len(self.slugs)}")
        self._register()
        self._run(force=False)

    @rule(confirm_after=st.integers(1, 3))
    def confirm_after(self, confirm_after: int) -> None:
        self.expected.confirm_after = confirm_after
        self._register()
        self._run(force=True)

    # -- what must always hold ------------------------------------------------

    @invariant()
    def stored_is_what_was_expected(self) -> None:
        rows = Result.objects.select_related("check_state", "stored_config")
        stored = {row.full_identifier: row for row in rows}
        assert stored.keys() == self.expected.results.keys()
        histories = _grouped(StatusChange.objects.order_by("pk"))
        for name, one in self.expected.results.items():
            row = stored[name]
            assert _content(row) == _expected_content(one), name
            history = [
                (
                    None if one_change.from_status is None else Status(one_change.from_status),
                    one_change.to_status,
                    one_change.changed_at,
                )
                for one_change in histories.get(row.pk, [])
            ]
            assert history == one.history, name
            for (_, before, _), (after, _, _) in pairwise(history):
                assert before == after, "broken history"
            assert not history or history[-1][1] == row.status

    @invariant()
    def people_find_what_they_left(self) -> None:
        for row in Result.objects.prefetch_related("acknowledgements", "tags"):
            one = self.expected.results[row.full_identifier]
            given = sorted(row.acknowledgements.all(), key=lambda given: given.pk)
            assert [Given(Status(g.status), g.until, g.ended) for g in given] == (
                one.acknowledgements
            )
            assert all((g.ended_at is None) == (not g.ended) for g in given)
            assert {tag.tag for tag in row.tags.all()} == one.tags
            config = getattr(row, "stored_config", None)
            assert (config.config if config else None) == one.config

    @invariant()
    def what_is_shown_agrees(self) -> None:
        if not CheckState.objects.exists():
            return
        visible = dict(self._visible())
        waiting = {name: one.waiting for name, one in visible.items() if one.waiting}
        (listed,) = list_checks().checks
        stored = _counted([one.status for one in visible.values()])
        assert listed.counts == stored + StatusCounts(ok=self.unstored)
        assert listed.unconfirmed == len(waiting)
        shown = show_results(self.slug, unconfirmed=True, limit=1000).results
        assert {row.identifier for row in shown} == waiting.keys()
        for row in shown:
            assert row.unconfirmed is not None
            expected = waiting[row.identifier]
            assert (row.unconfirmed.status, row.unconfirmed.runs, row.unconfirmed.since) == (
                expected.status,
                expected.runs,
                expected.since,
            )
            assert row.unconfirmed.data == expected.data
            assert row.unconfirmed.runs < max(self.expected.confirm_after, 3)
            assert show_result(self.slug, row.identifier).result == row

    @invariant()
    def nobody_holds_the_check(self) -> None:
        assert not CheckState.objects.exclude(lease_token="").exists()
        assert not Run.objects.filter(state=Run.State.RUNNING).exists()

    # -- how it is done -------------------------------------------------------

    def _register(self) -> None:
        make_check(self.world, self.slug, self.slugs[:-1], self.expected.confirm_after)

    def _visible(self) -> list[tuple[str, Expected]]:
        return [(n, one) for n, one in self.expected.results.items() if one.vanished_at is None]

    def _pick(self, data: st.DataObject) -> str:
        return data.draw(st.sampled_from(sorted(self.expected.results)))

    def _run(self, *, force: bool) -> None:
        now = self.now()
        slot = now.replace(minute=0, second=0, microsecond=0)
        is_due = self.handled is None or self.handled < slot
        report = run(self.slug, force=force)
        if not force and not is_due:
            assert report.state is RunState.not_due
            return
        changes = self._changes()
        self.expected.absent_is_ok = self.world.only_problems and bool(self.completed)
        counts = self.expected.judge(self._batches(), now)
        self.expected.absent_is_ok = False
        state = RunState.complete
        if self.world.trouble_at is not None:
            state = RunState.interrupted if self.world.signals else RunState.failed
        if is_due and state is not RunState.interrupted:
            self.handled = slot
        hidden = 0
        if state is RunState.complete:
            self.completed.append(now)
            hidden = self._settle_the_unseen(counts, now)
        note(f"{report}")
        assert report.state is state
        assert report.vanished == hidden
        self._assert_reported(report, counts, changes)

    def _settle_the_unseen(self, counts: Counter[Status], now: datetime) -> int:
        """Judge or hide what the run did not see; return how many vanished."""
        if not self.world.only_problems:
            nameless = any(identify(thing.name).problem for thing in self.world.all())
            return 0 if nameless else self.expected.hide_unseen(now)
        unseen = [name for name, one in self._visible() if one.run != self.expected.runs]
        again = [self._verdict_again(name) for name in unseen]
        counts += self.expected.judge_more([again], now)
        fine = [thing for thing in self.world.all() if is_fine(thing, self._most(thing.name))]
        self.unstored = len(fine) - [one.status for one in again].count(Status.ok)
        counts[Status.ok] += self.unstored
        return sum(name not in self.world.things for name in unseen)

    def _refreshed(self, report: CheckRun, names: list[str], now: datetime) -> None:
        changes = self._changes()
        verdicts = [self._verdict_again(name) for name in names]
        counts = self.expected.judge([verdicts], now)
        note(f"{report}")
        assert report.state is RunState.complete
        self._assert_reported(report, counts, changes)

    def _assert_reported(self, report: CheckRun, counts: Any, changes: int) -> None:
        assert report.counts == StatusCounts.of(counts)
        assert report.status_changes == self._changes() - changes
        waiting = [o for o in self.expected.results.values() if o.run == self.expected.runs]
        assert report.unconfirmed == sum(one.waiting is not None for one in waiting)

    def _changes(self) -> int:
        return sum(len(one.history) for one in self.expected.results.values())

    def _batches(self) -> list[list[Verdict]]:
        """Return the verdicts as they are stored together, up to the trouble there may be."""
        things, trouble = self._drawn(), self.world.trouble_at
        if trouble is not None and self.world.signals:
            # Batches before the signal are whole; of the one in hand, a payload is finished.
            things = things[: trouble // BATCH * BATCH + 1]
        elif trouble is not None:
            things = things[:trouble]
        verdicts = [self._verdict(thing) for thing in things]
        stored: list[list[Verdict]] = []
        for start in range(0, len(verdicts), BATCH):
            batch = verdicts[start : start + BATCH]
            if stored and len(stored[-1]) + len(batch) <= self.together:
                stored[-1] += batch
            else:
                stored.append(batch)
        return stored

    def _drawn(self) -> list[Thing]:
        things = self.world.all()
        if not self.world.only_problems:
            return things
        return [thing for thing in things if not is_fine(thing, self._most(thing.name))]

    def _most(self, name: str) -> int:
        """Return how bad the payload may get, as somebody configured it."""
        known = self.expected.results.get(identify(name).identifier)
        return known.config["most"] if known and known.config else 3

    def _verdict(self, thing: Thing) -> Verdict:
        identity = identify(thing.name)
        if identity.problem:
            said = identity.identifier
            return Verdict(said, Status.unknown, said, {}, is_error=True)
        return self._judged(thing, identity.identifier)

    def _verdict_again(self, name: str) -> Verdict:
        """Return what a refresh makes of the payload it finds under that name."""
        things = self.world.things.get(name)
        return self._judged(things[0], name) if things else Verdict(name, None)

    def _judged(self, thing: Thing, identifier: str) -> Verdict:
        text = printable(thing.text)[:MAX_DESCRIPTION_LENGTH]
        if thing.manner == "skipped":
            return Verdict(identifier, None)
        if thing.manner == "raises":
            return Verdict(identifier, Status.unknown, text, {}, is_error=True)
        status = STATUSES[min(thing.level, self._most(identifier))]
        return Verdict(identifier, status, text, json.loads(encode({"value": thing.data})))


def _content(row: Result) -> tuple[Any, ...]:
    return (
        Status(row.status),
        row.description,
        row.data,
        bool(row.error),
        row.since,
        row.first_seen,
        row.evaluated_at,
        row.vanished_at,
    )


def _expected_content(one: Expected) -> tuple[Any, ...]:
    verdict = one.verdict
    return (
        one.status,
        verdict.description,
        verdict.data,
        verdict.is_error,
        one.since,
        one.first_seen,
        one.evaluated_at,
        one.vanished_at,
    )


def _counted(statuses: list[Status]) -> StatusCounts:
    return StatusCounts.of({status: statuses.count(status) for status in Status})


def _grouped(changes: Any) -> dict[int, list[StatusChange]]:
    groups: dict[int, list[StatusChange]] = {}
    for change in changes:
        groups.setdefault(change.result_id, []).append(change)
    return groups


def explore(examples: int, steps: int) -> None:
    """Let hypothesis try so many sequences of so many steps."""
    run_state_machine_as_test(
        Machine,
        settings=settings(
            max_examples=examples,
            stateful_step_count=steps,
            deadline=None,
            suppress_health_check=list(HealthCheck),
        ),
    )


@pytest.mark.django_db
def test_whatever_happens__what_is_stored_is_what_the_model_says() -> None:
    explore(examples=12, steps=20)
