from __future__ import annotations

from typing import Any

import pytest

from dwatch.exceptions import ConfigurationError
from dwatch.models import CheckState, Run
from dwatch.services.reports import RunState
from tests.running import make_check, make_items, refresh, run

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize(
    "name", ["DWATCH_BATCH_SIZE", "DWATCH_TRANSACTION_SIZE", "DWATCH_LEASE_SECONDS"]
)
def test_impossible_setting__is_refused_before_anything_begins(settings: Any, name: str) -> None:
    make_items(1)
    make_check()
    run()
    setattr(settings, name, 0)
    for ask in (run, refresh):
        with pytest.raises(ConfigurationError, match=f"{name} is 0"):
            ask()
    assert Run.objects.count() == 1
    assert CheckState.objects.get().lease_token == ""
    delattr(settings, name)
    assert run().state is RunState.complete
