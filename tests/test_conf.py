from __future__ import annotations

from typing import Any

import pytest

from dwatch import conf
from dwatch.exceptions import ConfigurationError


@pytest.mark.parametrize(
    ("name", "default", "other"),
    [
        ("DWATCH_CHECKS_MODULE", "checks", "dwatch_checks"),
        ("DWATCH_BATCH_SIZE", 500, 5000),
        ("DWATCH_TRANSACTION_SIZE", 2000, 1),
        ("DWATCH_LEASE_SECONDS", 60, 1),
        ("DWATCH_WORKERS", 1, "auto"),
        ("DWATCH_BACKEND", "dwatch.backends.synchronous", "dwatch.backends.process"),
        ("DWATCH_BACKEND", "dwatch.backends.synchronous", "dwatch.backends.process.Backend"),
    ],
)
def test_setting__has_a_default_and_is_read_at_each_access(
    settings: Any, name: str, default: object, other: object
) -> None:
    read = conf.every_setting()[name]
    assert read() == default
    setattr(settings, name, other)
    assert read() == other


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("DWATCH_CHECKS_MODULE", ""),
        ("DWATCH_CHECKS_MODULE", "my checks"),
        ("DWATCH_CHECKS_MODULE", "checks."),
        ("DWATCH_CHECKS_MODULE", None),
        ("DWATCH_BATCH_SIZE", 0),
        ("DWATCH_BATCH_SIZE", 5001),
        ("DWATCH_BATCH_SIZE", "500"),
        ("DWATCH_BATCH_SIZE", True),
        ("DWATCH_BATCH_SIZE", 10.0),
        ("DWATCH_TRANSACTION_SIZE", 0),
        ("DWATCH_TRANSACTION_SIZE", 20001),
        ("DWATCH_LEASE_SECONDS", 0),
        ("DWATCH_WORKERS", 0),
        ("DWATCH_WORKERS", 257),
        ("DWATCH_WORKERS", "many"),
        ("DWATCH_WORKERS", "2"),
        ("DWATCH_WORKERS", True),
        ("DWATCH_BACKEND", "dwatch.backends.proces"),
        ("DWATCH_BACKEND", "dwatch.backends.process.Backends"),
        ("DWATCH_BACKEND", "dwatch.backends.tray"),
        ("DWATCH_BACKEND", "dwatch.backends.tray.Tray"),
        ("DWATCH_BACKEND", "nowhere"),
        ("DWATCH_BACKEND", ""),
        ("DWATCH_BACKEND", None),
        ("DWATCH_LEASE_SECONDS", None),
    ],
)
def test_setting__impossible_value_is_refused_by_name(
    settings: Any, name: str, value: object
) -> None:
    setattr(settings, name, value)
    with pytest.raises(ConfigurationError) as raised:
        conf.every_setting()[name]()
    assert raised.value.message == f"{name} is {value!r}"
    assert raised.value.hint.startswith("Set it to ")
