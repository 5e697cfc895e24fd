from __future__ import annotations

import os
from typing import Any, Literal

import pytest

from dwatch.backends import process, synchronous
from dwatch.backends.loading import load_backend, usable_cores
from dwatch.exceptions import ConfigurationError

PROCESS = "dwatch.backends.process"


@pytest.mark.parametrize(
    ("settings_given", "asked", "expected"),
    [
        ({}, None, synchronous.Backend),
        ({}, 1, synchronous.Backend),
        ({}, 2, process.Backend),
        ({"DWATCH_WORKERS": 2}, None, process.Backend),
        ({"DWATCH_WORKERS": 2}, 1, synchronous.Backend),
        ({"DWATCH_BACKEND": PROCESS}, None, process.Backend),
        ({"DWATCH_BACKEND": f"{PROCESS}.Backend"}, 1, process.Backend),
    ],
)
def test_load_backend(
    settings: Any, settings_given: dict[str, Any], asked: int | None, expected: type
) -> None:
    for name, value in settings_given.items():
        setattr(settings, name, value)
    backend = load_backend(asked)
    assert type(backend) is expected
    backend.close()


@pytest.mark.parametrize("asked", ["auto", None])
def test_load_backend__auto_is_one_for_each_core(
    settings: Any, asked: Literal["auto"] | None
) -> None:
    settings.DWATCH_WORKERS = "auto"
    settings.DWATCH_BACKEND = PROCESS
    backend = load_backend(asked)
    assert isinstance(backend, process.Backend)
    assert backend.workers == usable_cores()


def test_load_backend__bad_settings_are_refused(settings: Any) -> None:
    settings.DWATCH_BACKEND = "nowhere"
    with pytest.raises(ConfigurationError, match="DWATCH_BACKEND is 'nowhere'"):
        load_backend(2)


def test_usable_cores__where_the_system_does_not_tell(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delattr(os, "sched_getaffinity", raising=False)
    monkeypatch.setattr(os, "cpu_count", lambda: None)
    assert usable_cores() == 1
