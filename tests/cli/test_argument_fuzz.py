"""Any arguments: a documented exit code, no traceback, and JSON alone where JSON is asked for."""

from __future__ import annotations

import json
import os
import sys
from contextlib import redirect_stderr, redirect_stdout
from io import BytesIO, StringIO, TextIOWrapper
from typing import TYPE_CHECKING, NamedTuple

import pytest
from django.core.management import CommandError, call_command, get_commands
from hypothesis import example, given, settings
from hypothesis import strategies as st
from typer.main import get_command

from dwatch.cli.app import app, main
from dwatch.services.gate import ExitCode
from tests.running import make_check, make_items, run

if TYPE_CHECKING:
    from collections.abc import Iterator

pytestmark = pytest.mark.django_db

COMMANDS = dict(sorted(get_command(app).commands.items()))  # type: ignore[attr-defined]
MANAGEMENT = sorted(name for name, owner in get_commands().items() if owner == "dwatch")
CODES = {ExitCode.fine, ExitCode.gate, ExitCode.usage, ExitCode.held}
NOT_FUZZED = {
    "--install-completion",  # writes into the home directory
    "--show-completion",
    "--workers",  # starts as many processes
}

# What a shell can hand over: no NUL, and bytes that are no UTF-8 as these surrogates.
SHELL_TEXTS = st.text(
    st.characters(exclude_categories=["Cs"], exclude_characters="\0")
    | st.sampled_from("\udc80\udcff"),
    max_size=20,
)
VALUES = st.one_of(
    st.sampled_from(["stock", "st*", "[", "[!", "*", "nightly", "1", "critical", "never", "json"]),
    st.sampled_from(["0", "-1", "3", "1.5", "9" * 25, "30d", "999999w", "9d ", "٣d"]),
    st.sampled_from(["", " ", "-", "--", "-1", "=", "--=", "-qqx", "x" * 5000, "%s", "{0}", "\r"]),
    SHELL_TEXTS,
)
GLOBALS = ["--traceback-", "--settings", "--settings=", "--settings=tests.settings", "--version"]


def options_of(command: str) -> list[str]:
    """Return all names of the command's options."""
    names = {name for one in COMMANDS[command].params for name in one.opts if name[0] == "-"}
    return sorted(names - NOT_FUZZED)


def arguments_of(command: str) -> st.SearchStrategy[list[str]]:
    option = st.sampled_from(options_of(command))
    some = st.one_of(
        option.map(lambda name: [name]),
        st.tuples(option, VALUES).map(list),
        st.tuples(option, VALUES).map(lambda pair: ["=".join(pair)]),
        VALUES.map(lambda value: [value]),
        st.sampled_from(GLOBALS).map(lambda name: [name]),
    )
    return st.lists(some, max_size=4).map(lambda parts: [command, *(t for p in parts for t in p)])


ARGUMENTS = st.one_of(*(arguments_of(command) for command in COMMANDS))
SOUND = st.one_of(
    st.sampled_from([["list"], ["doctor"], ["run", "--force"], ["cleanup"], ["refresh"]]),
    st.sampled_from([["show", "stock"], ["run", "--dry-run"], ["list", "-t", "nightly"]]),
    st.lists(st.sampled_from(["-q", "-x", "--force", "--durations=2"]), max_size=3).map(
        lambda flags: ["run", *flags]
    ),
    SHELL_TEXTS.map(lambda text: ["show", "--", "stock", text]),
    SHELL_TEXTS.map(lambda text: ["try", "--", "stock", text]),
    SHELL_TEXTS.map(lambda text: ["refresh", f"--identifier={text}"]),
    SHELL_TEXTS.map(lambda text: ["run", f"--slug={text}"]),
)


class Said(NamedTuple):
    code: int
    out: str
    err: str


def say(arguments: list[str]) -> Said:
    """Call the command line as a shell would, in this process."""
    out, err = (TextIOWrapper(BytesIO(), encoding="utf-8", newline="") for _ in range(2))
    with redirect_stdout(out), redirect_stderr(err):
        code = main(arguments)
    texts = []
    for stream in (out, err):
        stream.flush()
        texts.append(stream.buffer.getvalue().decode())
    return Said(code, *texts)


@pytest.fixture(autouse=True)
def _stock(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Register a check with results; undo what the command line does to its process."""
    monkeypatch.setattr(sys, "path", [*sys.path])
    monkeypatch.setenv("COLUMNS", "80")
    make_items(1, -1)
    make_check("stock", tags=("nightly",))
    run("stock")
    before = dict(os.environ)
    yield
    os.environ.clear()
    os.environ.update(before)


@given(ARGUMENTS)
@example(["show", "stock", "--limit", "9" * 25])
@example(["show", "stock", "--limit", str(2**63)])
@example(["run", "--durations", "9" * 25])
@example(["cleanup", "--vanished-for", "999999w"])
@example(["refresh", "--identifier="])
@example(["--settings", "..", "list"])
@example(["--settings", "", "list"])
@example(["run", "--slug", "["])
@example(["list", "--slug", "\udcff"])
@settings(max_examples=300)
def test_any_arguments__end_in_words_and_a_documented_code(arguments: list[str]) -> None:
    os.environ["DJANGO_SETTINGS_MODULE"] = "tests.settings"
    said = say(arguments)
    assert said.code in CODES, said
    assert "Traceback" not in said.err
    assert "not expected" not in said.err
    if said.code == ExitCode.usage and not said.out:
        first, *others = said.err.splitlines()
        assert first.startswith("error: ")
        assert len(others) == 1
        assert others[0].startswith("hint: ")
    else:
        assert said.err == ""


@given(SOUND)
@example(["try", "--", "stock", "\udcff"])
@settings(max_examples=100)
def test_json__is_alone_on_standard_output(arguments: list[str]) -> None:
    command, *others = arguments
    said = say([command, "--format=json", *others])
    assert said.code in CODES, said
    if said.out:
        document = json.loads(said.out)
        assert document["schema"].startswith("dwatch/")
        assert said.err == ""
    else:
        assert said.err.startswith("error: ") or "-q" in arguments


@given(st.sampled_from(MANAGEMENT), st.lists(VALUES, max_size=3), st.data())
@example("dwatch_show", ["stock", "--limit=-5"], None)
@example("dwatch_show", ["stock", f"--limit={'9' * 25}"], None)
@example("dwatch_run", ["--durations=-1"], None)
@settings(max_examples=200)
def test_management_commands__end_in_words_and_a_documented_code(
    name: str, arguments: list[str], data: st.DataObject | None
) -> None:
    if data is not None:
        options = st.sampled_from(options_of(name.removeprefix("dwatch_")))
        arguments = [*arguments, *data.draw(st.lists(options | VALUES, max_size=2))]
    code = 0
    try:
        call_command(name, *arguments, stdout=StringIO(), stderr=StringIO())
    except CommandError as error:
        code = error.returncode
    except SystemExit as stop:
        code = int(stop.code or 0)
    assert code in CODES | {1}
