from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from django.db import IntegrityError, InterfaceError, OperationalError

from dwatch.cli.explain import explain, one_line
from dwatch.exceptions import (
    ConfigurationError,
    LeaseLostError,
    ScheduleError,
    UnknownCheckError,
    UsageError,
)
from dwatch.services.gate import ExitCode

if TYPE_CHECKING:
    from dwatch.exceptions import (
        DwatchError,
    )


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (UsageError("no", "yes"), ExitCode.usage),
        (UnknownCheckError("no", "yes"), ExitCode.usage),
        (ConfigurationError("no", "yes"), ExitCode.usage),
        (ScheduleError("no", "yes"), ExitCode.usage),
        (LeaseLostError("no", "yes"), ExitCode.error),
    ],
)
def test_explain__ours(error: DwatchError, code: ExitCode) -> None:
    said = explain(error)
    assert (said.message, said.hint, said.code) == ("no", "yes", code)


@pytest.mark.parametrize("kind", [OperationalError, InterfaceError, IntegrityError])
def test_explain__database(kind: type[Exception]) -> None:
    said = explain(kind("connection refused\nIs the server running?"))
    assert said.message == f"The database refused: {kind.__name__}: connection refused"
    assert "dwatch doctor" in said.hint
    assert said.code is ExitCode.usage


def test_explain__unexpected() -> None:
    said = explain(KeyError("slug"))
    assert said.message == "KeyError: 'slug'"
    assert "--traceback" in said.hint
    assert said.code is ExitCode.error


def test_one_line__without_a_message() -> None:
    assert one_line(ValueError()) == "ValueError"
