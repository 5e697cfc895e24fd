"""The state machine of tests/services, for as long as is asked."""

from __future__ import annotations

import os

import pytest

from tests.services.test_state_machine import explore

ROUNDS = int(os.environ.get("DWATCH_STRESS_ROUNDS", "1"))


@pytest.mark.django_db
def test_whatever_happens__what_is_stored_is_what_the_model_says() -> None:
    explore(examples=20 * ROUNDS, steps=50)
