"""What every writer of results must do alike: Django's ORM, and each database's own."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import pytest
from django.contrib.auth.models import User
from django.db import connection

from dwatch.core.outcome import Disposition, Outcome, OutcomeBatch
from dwatch.core.status import Status
from dwatch.models import AssignedUser, Result, StatusChange
from dwatch.store import runs, states, writers
from dwatch.store.batches import Ticket, write_batch
from dwatch.store.writers.orm import OrmWriter
from tests.running import make_check

if TYPE_CHECKING:
    from collections.abc import Iterable

    from dwatch.store.batches import BatchWritten

pytestmark = pytest.mark.django_db

EARLIER = datetime(2026, 1, 2, 3, 4, 5, 678901, tzinfo=UTC)
NAMES = [
    *(
        "A",
        "a",
        "a ",
        " a",
        "á",
        "a\u0301",
        "🐎",
        "'",
        '"',
        "\\",
        "\\n",
        "\n",
        "\t",
        "\x01",
        "\x7f",
    ),
    *("%s", "%", "?", "{}", "[1]", "null", "0", "00", "-0", "1e3", "9" * 40, "\\u0061", "\u2028"),
    *("x" * 199, "x" * 200, "x" * 300, "x" * 299 + "y", "é" * 199, "é" * 300),
]


@pytest.fixture(params=["plain", "own"])
def _kind(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch, db: None) -> None:  # noqa: ARG001
    """Let batches be written by plain Django, or in the database's own way."""
    if request.param == "plain":
        monkeypatch.delitem(writers._WRITERS, connection.vendor)
    assert (writers.kind_for(connection) is OrmWriter) == (request.param == "plain")


@pytest.fixture
def site(_kind: None) -> Site:
    return Site()


class Site:
    """A check that is leased, and runs of it that store what they are given."""

    def __init__(self, slug: str = "items", *, assigns: bool = False) -> None:
        state = states.ensure_states([make_check(slug)])[slug]
        lease = states.acquire_lease(state, datetime.now(UTC), scheduled=False)
        assert lease is not None
        self.lease = lease
        self.assigns = assigns
        self.run_id = 0
        self.begin()

    def begin(self) -> None:
        """Begin another run."""
        now = datetime.now(UTC)
        self.run_id = runs.start_run(self.lease, reason="forced", slot=None, now=now).pk

    def store(self, outcomes: Iterable[Outcome], loaded_at: datetime | None = None) -> BatchWritten:
        """Store outcomes in the present run."""
        ticket = Ticket(self.lease, self.run_id, "forced", self.assigns)
        return write_batch(ticket, OutcomeBatch(list(outcomes), loaded_at or datetime.now(UTC)))

    def rerun(self, outcomes: Iterable[Outcome], loaded_at: datetime | None = None) -> BatchWritten:
        """Store outcomes in a run of their own."""
        self.begin()
        return self.store(outcomes, loaded_at)


def ok(*names: str) -> list[Outcome]:
    return [Outcome(name, Status.ok, f"description of {name}") for name in names]


def row(name: str) -> Result:
    return next(result for result in Result.objects.all() if result.full_identifier == name)


def test_database_that_is_not_known__is_written_by_the_orm() -> None:
    other: Any = SimpleNamespace(vendor="oracle")
    assert writers.kind_for(other) is OrmWriter


def test_own_writer_is_left_out_where_the_driver_or_server_cannot() -> None:
    bare: Any = SimpleNamespace(
        vendor=connection.vendor,
        Database=SimpleNamespace(),  # such as psycopg2
        features=SimpleNamespace(supports_json_field=False),
    )
    assert (writers.kind_for(bare) is OrmWriter) == (connection.vendor != "mysql")


def test_new__is_stored_whole_with_its_first_change(site: Site) -> None:
    loaded_at = datetime.now(UTC) - timedelta(seconds=5)
    raised = Outcome("b", Status.unknown, "B", '{"é": "\\u0000"}', "KeyError", "Traceback ...")
    written = site.store([Outcome("a", Status.critical, "A", '{"x": [1]}'), raised], loaded_at)
    assert (written.status_changes, written.errors) == (2, 1)
    first = row("a")
    assert (first.status, first.description, first.data) == (Status.critical, "A", {"x": [1]})
    assert (first.evaluated_at, first.last_run, first.vanished_at) == (loaded_at, site.run_id, None)
    assert loaded_at < first.since == first.first_seen <= datetime.now(UTC)
    second = row("b")
    assert (second.data, second.error, second.traceback) == (
        {"é": "\0"},
        "KeyError",
        "Traceback ...",
    )
    assert second.digest == raised.digest()
    changes = StatusChange.objects.order_by("result__identifier")
    assert list(changes.values_list("result__identifier", "from_status", "to_status")) == [
        ("a", None, Status.critical),
        ("b", None, Status.unknown),
    ]
    change = changes[0]
    assert (change.reason, change.run, change.changed_at) == ("forced", site.run_id, first.since)


def test_new__after_rows_that_were_loaded_with_their_keys_has_its_first_change_too(
    site: Site,
) -> None:
    site.store(ok("a"))
    loaded = row("a")
    loaded.pk, loaded.identifier = loaded.pk + 3, "loaded"
    loaded.save(force_insert=True)
    # PostgreSQL goes on counting where it was.
    written = site.rerun(ok("b", "c"))
    assert written.status_changes == 2
    changes = StatusChange.objects.filter(run=site.run_id).order_by("result__identifier")
    assert list(changes.values_list("result__identifier", "from_status")) == [
        ("b", None),
        ("c", None),
    ]


def test_unchanged__is_touched_and_nothing_else(site: Site) -> None:
    site.store(ok("a", "b"), EARLIER)
    before = Result.objects.values().get(identifier="a")
    loaded_at = datetime.now(UTC)
    written = site.rerun(ok("a", "b"), loaded_at)
    assert (written.counts[Status.ok], written.status_changes) == (2, 0)
    after = Result.objects.values().get(identifier="a")
    assert after == {**before, "evaluated_at": loaded_at, "last_run": site.run_id}
    assert StatusChange.objects.count() == 2


def test_unchanged__that_no_run_saw_yet_is_touched(site: Site) -> None:
    site.store(ok("a"), EARLIER)
    Result.objects.update(last_run=None)
    site.rerun(ok("a"))
    assert row("a").last_run == site.run_id


@pytest.mark.parametrize(
    ("changed", "moves"),
    [
        (Outcome("a", Status.warning, "description of a"), True),
        (Outcome("a", Status.ok, "other words"), False),
        (Outcome("a", Status.ok, "description of a", '{"x": 1}'), False),
    ],
)
def test_changed__is_rewritten_and_since_only_with_its_status(
    site: Site,
    changed: Outcome,
    moves: bool,  # noqa: FBT001 - a parameter
) -> None:
    site.store(ok("a", "b"), EARLIER)
    Result.objects.update(since=EARLIER)
    written = site.rerun([changed, *ok("b")])
    assert written.status_changes == moves
    result = row("a")
    assert (result.status, result.description) == (changed.status, changed.description)
    assert (result.since != EARLIER, result.first_seen < EARLIER) == (moves, False)
    assert StatusChange.objects.filter(from_status=Status.ok).count() == moves
    assert row("b").since == EARLIER


def test_everything_at_once__each_is_dealt_with_by_itself(site: Site) -> None:
    names = ("gone", "hidden", "moved", "newer", "same", "skipped", "twice", "future")
    site.store(ok(*names), EARLIER)
    now = datetime.now(UTC)
    site.rerun(ok("twice"), now)
    Result.objects.filter(identifier="hidden").update(vanished_at=EARLIER)
    Result.objects.filter(identifier="newer").update(evaluated_at=now + timedelta(minutes=1))
    Result.objects.filter(identifier="future").update(evaluated_at=now + timedelta(days=400))
    written = site.store(
        [
            Outcome("gone", disposition=Disposition.gone),
            Outcome("never", disposition=Disposition.skipped),
            Outcome("moved", Status.critical),
            Outcome("skipped", disposition=Disposition.skipped),
            *ok("hidden", "new", "newer", "same", "twice", "future"),
        ],
        now,
    )
    assert (written.gone, written.skipped, written.duplicates) == (1, 2, 1)
    assert +written.counts == {Status.ok: 5, Status.critical: 1}
    results = {one.identifier: one for one in Result.objects.all()}
    assert {name for name, one in results.items() if one.vanished_at} == {"gone", "skipped"}
    assert {name for name, one in results.items() if one.last_run == site.run_id} == {
        *("hidden", "moved", "new", "newer", "same", "twice", "future")
    }
    assert {name for name, one in results.items() if one.evaluated_at == now} == {
        *("hidden", "moved", "new", "same", "twice", "future")
    }
    assert StatusChange.objects.exclude(from_status=None).get().result == results["moved"]
    assert StatusChange.objects.count() == len(names) + 2


def test_identifiers__are_kept_byte_by_byte(site: Site) -> None:
    site.store(ok(*NAMES), EARLIER)
    assert sorted(one.full_identifier for one in Result.objects.all()) == sorted(NAMES)
    again = site.rerun([*ok(*NAMES[1:]), Outcome(NAMES[0], Status.critical)])
    assert again.status_changes == 1
    assert Result.objects.count() == len(NAMES)
    assert set(Result.objects.values_list("last_run", flat=True)) == {site.run_id}
    assert row(NAMES[0]).status == Status.critical


def test_rows_of_another_check__are_left_alone(site: Site) -> None:
    site.store(ok("a", "b"), EARLIER)
    other = Site("other")
    other.store(ok("b", "c"))
    other.rerun(ok("b", "c"))
    assert Result.objects.filter(check_state=site.lease.state_id, evaluated_at=EARLIER).count() == 2
    assert StatusChange.objects.filter(run__gt=site.run_id).count() == 2


def test_duplicates__the_worst_is_stored(site: Site) -> None:
    written = site.store([*ok("a"), Outcome("a", Status.warning), *ok("a", "b")])
    assert written.duplicates == 2
    assert row("a").status == Status.warning
    assert Result.objects.count() == 2


class Unstorable(Outcome):
    """Has a digest that no database takes."""

    def digest(self) -> int:
        return 2**70


@pytest.mark.parametrize("stored_before", [False, True])
def test_row_that_is_refused__costs_itself_only(
    site: Site,
    stored_before: bool,  # noqa: FBT001 - a parameter
) -> None:
    good = ok(*map(str, range(20)))
    if stored_before:
        site.store([*good, *ok("bad")])
    written = site.rerun([*good[:13], Unstorable("bad", Status.critical), *good[13:]])
    assert +written.counts == {Status.ok: 20, Status.critical: 1}
    assert "the database refuses" in row("bad").error
    assert Result.objects.filter(status=Status.ok, last_run=site.run_id).count() == 20


@pytest.mark.parametrize("text", ["a\0b", "a\ud800b"])
def test_text_that_some_databases_refuse__costs_its_own_row_only(site: Site, text: str) -> None:
    written = site.store([*ok("a", "b"), Outcome("c", Status.critical, text), *ok("d")])
    assert written.counts[Status.ok] == 3
    assert row("c").status == Status.critical
    assert Result.objects.count() == StatusChange.objects.count() == 4


@pytest.mark.parametrize("digest", [-(2**63), 2**63 - 1, 0])
def test_digest__of_any_64_bits_is_known_again(site: Site, digest: int) -> None:
    kind = type("Extreme", (Outcome,), {"digest": lambda _self: digest})
    site.store([kind("a", Status.ok)], EARLIER)
    assert row("a").digest == digest
    Result.objects.update(description="not rewritten")
    site.rerun([kind("a", Status.ok)])
    assert (row("a").description, row("a").last_run) == ("not rewritten", site.run_id)


def test_many__pass_every_limit_of_values_in_a_statement(site: Site) -> None:
    names = [f"{number:05}" for number in range(5300)]
    assert site.store(ok(*names)).status_changes == len(names)
    assert site.rerun(ok(*names)).status_changes == 0
    worse = [Outcome(name, Status.critical) for name in names]
    assert site.rerun(worse).status_changes == len(names)
    assert Result.objects.filter(status=Status.critical, last_run=site.run_id).count() == 5300
    site.rerun(Outcome(name, disposition=Disposition.gone) for name in names)
    assert not Result.objects.visible().exists()


def test_large__pass_every_limit_of_a_statements_size(site: Site) -> None:
    def large(letter: str) -> list[Outcome]:
        data = f'{{"text": "{letter * 60_000}"}}'
        return [Outcome(str(number), Status.ok, data=data) for number in range(300)]

    site.store(large("x"))
    site.rerun(large("x"))
    site.rerun(large("'"))
    assert {one["text"] for one in Result.objects.values_list("data", flat=True)} == {"'" * 60_000}


@pytest.mark.usefixtures("_kind")
def test_assignees__are_those_of_new_and_changed_results() -> None:
    users = [User.objects.create(username=name).pk for name in "abc"]
    site = Site(assigns=True)
    long = "é" * 300
    site.store([Outcome("1", Status.ok, users=(users[0],)), Outcome(long, users=tuple(users))])
    site.rerun([Outcome("1", Status.ok, users=(users[1],)), Outcome(long, users=tuple(users))])
    assigned = AssignedUser.objects.order_by("result", "user").values_list("result", "user")
    assert list(assigned) == [
        (row("1").pk, users[1]),
        *((row(long).pk, user) for user in users),
    ]
