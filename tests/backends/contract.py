"""Checks that every backend has to judge alike; workers have to be able to import them."""
# ruff: noqa: ARG002 - the signatures are BaseCheck's

from __future__ import annotations

import os
import signal
import threading
import time
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

from django import forms
from django.contrib.auth.models import User
from django.core.exceptions import ImproperlyConfigured
from django.db import connection
from django.db.models import Q

from dwatch.core.check import BaseCheck
from dwatch.core.response import CheckResponse
from dwatch.core.status import Status
from dwatch.exceptions import SkipCheck
from dwatch.querysetcheck.check import QuerySetCheck
from tests.testapp.models import Item

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator


class Limits(forms.Form):
    least = forms.IntegerField(initial=0)


class Verdicts(BaseCheck):
    """Does what the item's note says."""

    slug = "verdicts"
    model_class = Item

    def check(self, payload: Item) -> Any:
        match payload.note:
            case "raise":
                raise ValueError("no such item")
            case "exit":
                raise SystemExit(3)
            case "ctrl-c":
                raise KeyboardInterrupt
            case "skip":
                raise SkipCheck
            case "none":
                return None
            case "data":
                return CheckResponse(Status.warning, value=payload.value, lock=threading.Lock)
        return Status[payload.note or "ok"]


class Configured(BaseCheck):
    slug = "configured"
    model_class = Item
    config_form = Limits

    def check(self, payload: Item) -> Status:
        least = self.get_config(payload)["least"]
        return Status.ok if payload.value >= least else Status.critical

    def get_assigned_users(self, payload: Item, status: Status) -> Iterable[User]:
        return User.objects.filter(username=payload.name)


class Words(BaseCheck):
    """Payloads are texts."""

    words: ClassVar[tuple[str, ...]] = ()

    def generate(self) -> Iterable[Any]:
        return self.words

    def get_identifier(self, payload: Any) -> str:
        return str(payload)

    def get_payload(self, identifier: str) -> Any:
        return identifier

    def check(self, payload: Any) -> Any:
        return Status.ok


class Repeated(Words):
    """The worst of those with one name counts, wherever it comes."""

    slug = "repeated"
    words = ("1 ok", "2 critical", "3 ok", "1 warning", "4 ok", "2 ok", "5 ok", "1 ok")

    def get_identifier(self, payload: str) -> str:
        return payload[0]

    def check(self, payload: str) -> Status:
        return Status[payload[2:]]


class RepeatedRows(BaseCheck):
    """Pages of rows, each loaded later than the last, under names that come again."""

    slug = "repeated-rows"
    model_class = Item

    def get_identifier(self, payload: Item) -> str:
        return "all"

    def get_payload(self, identifier: str) -> Item | None:
        return Item.objects.first()

    def check(self, payload: Item) -> Status:
        # The first one is late, so that later pages are judged before it.
        time.sleep(0.3 if payload.value < 0 else 0)
        return Status.critical if payload.value < 0 else Status.ok


class Breaks(Words):
    """Raises on the way."""

    slug = "breaks"

    def generate(self) -> Iterator[str]:
        for number in range(12):
            yield str(number)
        raise LookupError("no more")


class Remembers(Words):
    """Needs in check() what generate() left in the instance."""

    slug = "remembers"

    def generate(self) -> Iterator[str]:
        self.known = {"a", "b", "c"}
        yield from "abcdefgh"

    def check(self, payload: str) -> Status:
        return Status.ok if payload in self.known else Status.warning


class RemembersLock(Remembers):
    """What it remembers cannot travel."""

    slug = "remembers-lock"

    def generate(self) -> Iterator[str]:
        self.lock = threading.Lock()
        yield from super().generate()

    def check(self, payload: str) -> Status:
        with self.lock:
            return super().check(payload)


class RemembersRows(Words):
    """What it remembers would load a table for each batch."""

    slug = "remembers-rows"

    def generate(self) -> Iterator[str]:
        self.rows = Item.objects.all()
        yield from "ab"


class JudgedByDatabase(QuerySetCheck):
    """Nothing is left to do for workers."""

    slug = "judged-by-database"
    queryset = Item.objects.order_by("pk")
    warning = Q(note="warning")


class Stuck:
    """Cannot be pickled; has an extra that get_payload() does not know of."""

    def __init__(self, name: str, extra: str | None = None) -> None:
        self.name, self.extra, self.lock = name, extra, threading.Lock()

    def __str__(self) -> str:
        return self.name


class UnreadableName:
    """Can be pickled, but not unpickled."""

    def __init__(self, name: str) -> None:
        self.name = name

    def __str__(self) -> str:
        return self.name

    def __reduce__(self) -> Any:
        return (int, (self.name,))


class Unpicklable(Words):
    """Those whose name begins with x cannot be found by it."""

    slug = "unpicklable"
    names = ("a", "b", "x1", "c", "x2")
    kind: ClassVar[type] = Stuck

    def generate(self) -> Iterator[Any]:
        yield "picklable"
        for name in self.names:
            yield self.kind(name)

    def get_payload(self, identifier: str) -> Any:
        return None if identifier.startswith("x") else self.kind(identifier)

    def check(self, payload: Any) -> Status:
        return Status.warning if str(payload) in {"b", "x2"} else Status.ok


class Unreadable(Unpicklable):
    slug = "unreadable"
    kind = UnreadableName


class LosesExtra(Words):
    """What is found by its name is not quite what was generated."""

    slug = "loses-extra"

    def generate(self) -> Iterator[Any]:
        yield Stuck("a", "extra")

    def get_payload(self, identifier: str) -> Stuck:
        return Stuck(identifier)

    def check(self, payload: Any) -> Status:
        return Status.ok if payload.extra.upper() else Status.unknown


class Nested:
    @staticmethod
    def _make() -> type[BaseCheck]:
        class Local(Words):
            slug = "local"
            words = tuple("abcdefghijkl")

        return Local

    Local = _make()


class Slow(Words):
    """Hangs where a word begins with "hang"."""

    slug = "slow"
    timeout = 0.7
    words = ("a", "hang", "b", "hang but catch", "c", "d", "e", "f", "g", "h")

    def check(self, payload: str) -> Status:
        if payload == "hang":
            time.sleep(600)
        if payload == "hang but catch":
            with suppress(BaseException):
                time.sleep(600)
        return Status.ok


class Asked(Words):
    """Sends its run a signal, as somebody at the keyboard would."""

    slug = "asked"
    run_every = "0 0 1 1 *"

    def generate(self) -> Iterator[tuple[int, int]]:
        for number in range(300):
            yield number, os.getpid()

    def get_identifier(self, payload: Any) -> str:
        return str(payload[0])

    def check(self, payload: tuple[int, int]) -> Status:
        number, run = payload
        if number == 20:
            os.kill(run, signal.SIGTERM)
        time.sleep(0.02)
        return Status.ok


class Deadly(Words):
    """Only for workers: does what the word says, to its process."""

    slug = "deadly"
    timeout = 0.7
    words = ("a", "segfault", "b", "c", "exit", "kill", "d", "deaf", "e", "f", "g", "h")

    def check(self, payload: str) -> Status:
        match payload:
            case "segfault":
                os.kill(os.getpid(), signal.SIGSEGV)
            case "exit":
                os._exit(7)
            case "kill":
                os.kill(os.getpid(), signal.SIGKILL)
            case "deaf":
                signal.signal(signal.SIGALRM, signal.SIG_IGN)
                time.sleep(600)
        return Status.ok


class Hit(Words):
    """Its worker is killed once, as from outside."""

    slug = "hit"
    marker = ""

    def generate(self) -> Iterator[str]:
        self.marker = os.environ["DWATCH_TEST_MARKER"]
        yield from "abcdef"

    def check(self, payload: str) -> Status:
        if payload == "c" and not Path(self.marker).exists():
            Path(self.marker).touch()
            os.kill(os.getpid(), signal.SIGKILL)
        return Status.ok


class Connected(Words):
    """Tells whether its process has a connection that it did not open, and which one it is."""

    slug = "connected"
    words = ("a",)

    def check(self, payload: str) -> CheckResponse:
        inherited = connection.connection is not None
        return CheckResponse(
            Status.ok, inherited=inherited, items=Item.objects.count(), pid=os.getpid()
        )


def prepare_not() -> Any:
    """Set a worker up as settings do that only the parent can import."""
    raise ImproperlyConfigured("no such setting")
