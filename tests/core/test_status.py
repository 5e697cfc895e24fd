from __future__ import annotations

import json
import pickle
from typing import Any

import pytest

from dwatch.core.status import Status


def test_numbers__are_those_of_django_datawatch() -> None:
    numbers = {status.name: int(status) for status in Status}

    assert numbers == {"unknown": 0, "ok": 1, "warning": 2, "critical": 3}


def test_severity__ranks_unknown_above_ok() -> None:
    ranked = sorted(Status, key=lambda status: status.severity)

    assert ranked == [Status.ok, Status.unknown, Status.warning, Status.critical]


@pytest.mark.parametrize(
    ("status", "expected"),
    [
        (Status.ok, False),
        (Status.unknown, True),
        (Status.warning, True),
        (Status.critical, True),
    ],
)
def test_is_problem__everything_but_ok(status: Status, expected: bool) -> None:  # noqa: FBT001
    assert status.is_problem is expected


@pytest.mark.parametrize(
    ("statuses", "expected"),
    [
        ([], None),
        ([Status.ok, Status.ok], Status.ok),
        ([Status.unknown, Status.ok], Status.unknown),
        ([Status.unknown, Status.warning], Status.warning),
        ([Status.warning, Status.critical, Status.unknown], Status.critical),
    ],
)
def test_worst__goes_by_severity_not_by_number(
    statuses: list[Status], expected: Status | None
) -> None:
    assert Status.worst(iter(statuses)) is expected


def test_by_severity__most_severe_first() -> None:
    assert Status.by_severity() == [Status.critical, Status.warning, Status.unknown, Status.ok]


@pytest.mark.parametrize("number", [42, -1, None, "ok"])
def test_status__refuses_other_values(number: Any) -> None:
    with pytest.raises(ValueError, match="is not a valid Status"):
        Status(number)


@pytest.mark.parametrize("status", Status)
def test_status__survives_pickle_and_json(status: Status) -> None:
    assert pickle.loads(pickle.dumps(status)) is status  # noqa: S301 - our own bytes
    assert Status(json.loads(json.dumps(status))) is status
