"""The state machine of tests/services, for as long as is asked."""

from __future__ import annotations

import pytest

from tests.services.test_state_machine import explore
from tests.stress.rounds import ROUNDS


@pytest.mark.django_db
def test_whatever_happens__what_is_stored_is_what_the_model_says() -> None:
    explore(examples=max(5, ROUNDS // 5), steps=50)
