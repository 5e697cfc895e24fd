from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.core.checks import run_checks

from dwatch import discovery
from tests.running import make_check

if TYPE_CHECKING:
    import pytest


def found() -> dict[str | None, str]:
    return {message.id: str(message.msg) for message in run_checks(tags=["dwatch"])}


def test_nothing_wrong__nothing_said() -> None:
    make_check()
    assert found() == {}


def test_no_check_registered() -> None:
    assert found() == {"dwatch.W002": "no check is registered"}


def test_module_that_cannot_be_imported(monkeypatch: pytest.MonkeyPatch) -> None:
    failed = discovery.FailedModule("shop.checks", "ImportError: no shop", "")
    monkeypatch.setattr(discovery, "_failed", [failed])
    assert found() == {"dwatch.E001": "shop.checks cannot be imported: ImportError: no shop"}


def test_settings__impossible_and_unknown_ones(settings: Any) -> None:
    make_check()
    settings.DWATCH_BATCH_SIZE = 0
    settings.DWATCH_BATHC_SIZE = 100
    assert found() == {
        "dwatch.E002": "DWATCH_BATCH_SIZE is 0",
        "dwatch.W001": "DWATCH_BATHC_SIZE is not a setting of dwatch",
    }


def test_naive_datetimes__are_refused(settings: Any) -> None:
    make_check()
    settings.USE_TZ = False
    assert found() == {"dwatch.E003": "dwatch needs aware datetimes, but USE_TZ is False"}
