from __future__ import annotations

import json
import os
import pickle
import subprocess
import sys

import pytest

from dwatch.core.outcome import Disposition, Outcome
from dwatch.core.status import Status

OUTCOMES = [
    Outcome("1"),
    Outcome("2", Status.critical, "Wallet ü \U0001f600", '{"balance": "-1"}'),
    Outcome("3", error="ValueError: no", traceback="Traceback ...\nValueError: no"),
    Outcome("4", Status.warning, users=(1, 2, "a1b2"), groups=(3,)),
    Outcome("5", disposition=Disposition.skipped),
    Outcome("6", disposition=Disposition.gone),
]


@pytest.mark.parametrize("outcome", OUTCOMES, ids=lambda outcome: outcome.identifier)
def test_outcome__survives_pickle_and_json(outcome: Outcome) -> None:
    loaded = pickle.loads(pickle.dumps(outcome))  # noqa: S301 - our own bytes
    decoded = json.loads(json.dumps(outcome))

    assert loaded == outcome
    assert type(loaded) is Outcome
    assert decoded[:4] == [*outcome[:4]]
    assert Disposition(decoded[8]) is outcome.disposition


def test_outcome__cannot_be_changed() -> None:
    with pytest.raises(AttributeError):
        Outcome("1").status = Status.ok  # type: ignore[misc]


BASE = Outcome("1", Status.warning, "Wallet", '{"a": 1}')


@pytest.mark.parametrize(
    "other",
    [
        BASE._replace(status=Status.critical),
        BASE._replace(description="wallet"),
        BASE._replace(data='{"a": 2}'),
        BASE._replace(error="ValueError"),
        BASE._replace(error="ValueError", traceback="Traceback"),
        BASE._replace(users=(1,)),
        BASE._replace(users=("1",)),
        BASE._replace(groups=(1,)),
    ],
)
def test_digest__changes_with_whatever_is_stored(other: Outcome) -> None:
    assert other.digest() != BASE.digest()


def test_digest__tells_users_from_groups_and_fields_from_each_other() -> None:
    variants = [
        BASE._replace(users=(1,)),
        BASE._replace(groups=(1,)),
        BASE._replace(users=("1",)),
        BASE._replace(users=(1, 2)),
        BASE._replace(error="a", traceback="b"),
        BASE._replace(error="b", traceback="a"),
    ]

    assert len({outcome.digest() for outcome in variants}) == len(variants)


def test_digest__is_not_moved_by_the_identifier() -> None:
    assert BASE._replace(identifier="2").digest() == BASE.digest()


@pytest.mark.parametrize("outcome", OUTCOMES, ids=lambda outcome: outcome.identifier)
def test_digest__fits_a_signed_64_bit_column(outcome: Outcome) -> None:
    assert -(2**63) <= outcome.digest() < 2**63


def test_digest__is_the_same_in_another_process() -> None:
    script = (
        "from dwatch.core.outcome import Outcome\n"
        "from dwatch.core.status import Status\n"
        "print(Outcome('1', Status.warning, 'W', '{}', users=(1, 'b')).digest())"
    )
    digests = {
        subprocess.run(
            [sys.executable, "-c", script],
            env={**os.environ, "PYTHONHASHSEED": seed},
            capture_output=True,
            text=True,
            check=True,
        ).stdout
        for seed in ("1", "2")
    }

    assert digests == {f"{Outcome('', Status.warning, 'W', '{}', users=(1, 'b')).digest()}\n"}
