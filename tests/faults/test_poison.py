"""Payloads that do their worst, judged by a real process and stored in a real database."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from dwatch.core.status import Status
from dwatch.models import Result, Run
from tests.faults.history import assert_history_is_unbroken
from tests.project import CHECKS
from tests.running import make_items
from tests.testapp.models import Item

if TYPE_CHECKING:
    from tests.project import Project

POISON = r"""
import asyncio, os, sys, threading
from dwatch import BaseCheck, CheckResponse, SkipCheck, Status, register

class Unspeakable(Exception):
    def __str__(self): raise RuntimeError("not even this")
    __repr__ = __str__

class Unpicklable(Exception):
    def __init__(self, one, two): self.lock = threading.Lock()
    def __reduce__(self): raise TypeError("no pickle")

class Unprintable:
    def __str__(self): raise ValueError("no text")
    __repr__ = __str__

def throw(error): raise error
def endless(): return endless()

VERDICTS = {
    "fine": lambda: Status.ok,
    "exit": lambda: sys.exit(0),
    "ctrl-c": lambda: throw(KeyboardInterrupt()),
    "cancelled": lambda: throw(asyncio.CancelledError()),
    "generator exit": lambda: throw(GeneratorExit()),
    "memory": lambda: throw(MemoryError()),
    "endless": endless,
    "unspeakable": lambda: throw(Unspeakable()),
    "unpicklable": lambda: throw(Unpicklable(1, 2)),
    "nul": lambda: throw(ValueError("a\0b\ud800c")),
    "long": lambda: throw(ValueError("x" * 1_000_000)),
    "none": lambda: None,
    "42": lambda: 42,
    "lambda": lambda: CheckResponse(Status.warning, value=lambda: 1),
    "lock": lambda: CheckResponse(Status.warning, value=threading.Lock()),
    "unprintable": lambda: CheckResponse(Status.warning, value=Unprintable()),
    "nan": lambda: CheckResponse(Status.warning, value=float("nan"), other=float("-inf")),
    "number": lambda: CheckResponse(Status.warning, value=10**400),
    "larger": lambda: CheckResponse(Status.warning, value=10**5000),
    "text": lambda: CheckResponse(Status.warning, value="a\0b\ud800c", **{"\ud800": "\0"}),
    "huge": lambda: CheckResponse(Status.critical, value="x" * 1_000_000),
    "last": lambda: Status.ok,
}

class Poison(BaseCheck):
    def get_identifier(self, payload): return payload
    def get_payload(self, identifier): return identifier

@register
class Verdicts(Poison):
    slug = "a-verdicts"
    def generate(self): return list(VERDICTS)
    def check(self, payload): return VERDICTS[payload]()

@register
class Names(Poison):
    slug = "b-names"
    names = ["A", "a", "a ", " a", "\u00e9", "e\u0301", "\u00df", "ss", "SS", "a\0b", "\ud800",
             "", None, 7, b"8", object(), "x" * 300, "x" * 299 + "y", "x" * 5000, "\U0001f600",
             "last"]
    def generate(self): return self.names
    def check(self, payload): return Status.ok
    def get_payload_description(self, payload): return "described \0 \ud800"

@register
class Later(Poison):
    slug = "c-later"
    def generate(self): return ["x", "y", "x"]
    verdicts = iter([Status.ok, Status.ok, Status.critical])
    def check(self, payload): return next(self.verdicts)
"""
FAULTY = {
    "exit": "SystemExit: 0",
    "ctrl-c": "KeyboardInterrupt",
    "cancelled": "CancelledError",
    "generator exit": "GeneratorExit",
    "memory": "MemoryError",
    "endless": "RecursionError: maximum recursion depth exceeded",
    "unspeakable": "Unspeakable: (its message cannot be shown)",
    "unpicklable": "Unpicklable: (1, 2)",
    "nul": r"ValueError: a\x00b\ud800c",
    "long": "ValueError: " + "x" * 488,
    "none": "InvalidResponseError: check() returned None; return a Status",
    "42": "InvalidResponseError: check() returned 42; return a Status",
    "unprintable": "ValueError: no text",
}
DELETES_THE_SECOND = """
from dwatch import BaseCheck, Status, register
from tests.testapp.models import Item

@register
class Stock(BaseCheck):
    slug, model_class = "stock", Item
    def check(self, item):
        if item.name == "item 0":
            Item.objects.filter(name__in=["item 1", "item 2"]).delete()
        if item.name == "item 2":
            item.refresh_from_db()
        return Status.ok
"""


def stored(slug: str) -> dict[str, Result]:
    results = Result.objects.filter(check_state__slug=slug)
    return {result.full_identifier: result for result in results}


def test_poison__is_blamed_alone_alike_on_every_database(project: Project) -> None:
    project.write("stock/checks.py", POISON)
    for attempt in ("first", "unchanged"):
        done = project.dwatch("run", "--force", "--format", "json")
        assert done.returncode == 3, (attempt, done.stderr)
        by_slug = {check["slug"]: check for check in json.loads(done.stdout)["checks"]}
        assert {check["state"] for check in by_slug.values()} == {"complete"}
        assert by_slug["a-verdicts"]["errors"] == len(FAULTY)
    verdicts = stored("a-verdicts")
    assert len(verdicts) == 22
    for name, error in FAULTY.items():
        assert verdicts[name].error.startswith(error), name
        assert verdicts[name].status == Status.unknown
    assert verdicts["last"].status == verdicts["fine"].status == Status.ok
    assert verdicts["nan"].data == {"value": "nan", "other": "-inf"}
    assert verdicts["number"].data == {"value": 10**400}
    assert verdicts["larger"].data == {"value": "integer of 16,610 bits"}
    assert verdicts["text"].data == {"value": "a\0b\ud800c", "\ud800": "\0"}
    assert "truncated" in verdicts["huge"].data
    assert verdicts["huge"].status == Status.critical
    assert_history_is_unbroken()


def test_names__none_is_mistaken_for_another(project: Project) -> None:
    project.write("stock/checks.py", POISON)
    assert project.dwatch("run", "--force").returncode == 3
    usable = ["A", "a", "a ", " a", "é", "e\u0301", "ß", "ss", "SS", "7", "\U0001f600", "last"]
    long = ["x" * 300, "x" * 299 + "y", "x" * 5000]
    unusable = [r"a\x00b", r"\ud800", "<empty>", "<None>", "<object>"]
    names = stored("b-names")
    assert {name for name, result in names.items() if result.status == Status.ok} >= {
        *usable,
        *long,
    }
    assert {name for name, result in names.items() if result.error} == set(unusable)
    assert len(names) == 21
    assert {result.description for result in names.values() if not result.error} == {
        r"described \x00 \ud800"
    }
    later = stored("c-later")
    assert {name: result.status for name, result in later.items()} == {
        "x": Status.critical,
        "y": Status.ok,
    }
    for command in ["show", "b-names", "--all"], ["show", "a-verdicts"]:
        shown = project.dwatch(*command, "--format", "plain")
        assert (shown.returncode, shown.stderr) == (0, ""), command
        assert "\0" not in shown.stdout


def test_payload_deleted_between_generate_and_check__vanishes_with_the_next_run(
    project: Project,
) -> None:
    make_items(0, 1, 2, 3)
    project.write("stock/checks.py", DELETES_THE_SECOND)
    assert project.dwatch("run", "--force").returncode == 3
    assert Item.objects.count() == 2
    assert Result.objects.count() == 4
    raised = Result.objects.get(status=Status.unknown)
    assert raised.error.startswith("DoesNotExist")
    assert project.dwatch("run", "--force").returncode == 0
    assert Result.objects.visible().count() == 2
    assert Run.objects.order_by("pk").last().vanished == 2  # type: ignore[union-attr]


def test_check_class_removed__its_results_are_named_and_can_be_cleaned_up(
    project: Project,
) -> None:
    make_items(-1, 2)
    assert project.dwatch("run").returncode == 1
    project.write("stock/checks.py", CHECKS.replace('"stock"', '"another"'))
    listed = project.dwatch("list")
    assert listed.returncode == 0
    assert "stock" in listed.stdout
    gone = project.dwatch("show", "stock")
    assert gone.returncode == 2
    assert "Traceback" not in gone.stderr
    assert project.dwatch("cleanup").returncode == 0
    assert not Result.objects.exists()
