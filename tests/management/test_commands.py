"""The management commands as a host calls them: within its own process."""

from __future__ import annotations

import json
from io import StringIO

import pytest
from django.core.management import CommandError, call_command

from dwatch import BaseCheck, Status, register
from dwatch.models import Result
from dwatch.services.gate import ExitCode
from tests.running import make_items
from tests.testapp.models import Item

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture(autouse=True)
def _stock() -> None:
    @register
    class Stock(BaseCheck):
        slug, model_class, run_every = "stock", Item, "*/5 * * * *"

        def check(self, payload: Item) -> Status:
            return Status.critical if payload.value < 0 else Status.ok


def test_run__all_fine_returns() -> None:
    make_items(1)
    out = StringIO()
    call_command("dwatch_run", slug=["stock"], stdout=out)
    assert "1 ok" in out.getvalue()
    assert Result.objects.get().status == Status.ok


def test_run__gate_exits_with_its_code() -> None:
    make_items(-1)
    with pytest.raises(SystemExit) as stop:
        call_command("dwatch_run", slug=["stock"], stdout=StringIO())
    assert stop.value.code == ExitCode.gate


def test_run__wrong_use_can_be_caught() -> None:
    with pytest.raises(CommandError, match="no check matches 'stok'") as refused:
        call_command("dwatch_run", slug=["stok"], stdout=StringIO())
    assert refused.value.returncode == ExitCode.usage
    assert "Did you mean stock" in str(refused.value)


def test_run__traceback_lets_the_error_through() -> None:
    with pytest.raises(Exception, match="no check matches") as raised:
        call_command("dwatch_run", slug=["stok"], traceback=True, stdout=StringIO())
    assert not isinstance(raised.value, CommandError)


def test_refresh__says_so_in_its_schema() -> None:
    make_items(1)
    call_command("dwatch_run", slug=["stock"], stdout=StringIO())
    out = StringIO()
    call_command("dwatch_refresh", slug=["stock"], format="json", stdout=out)
    said = json.loads(out.getvalue())
    assert (said["schema"], said["version"], said["exit_code"]) == ("dwatch/refresh", 1, 0)


def test_show__status_filter() -> None:
    make_items(1, -1)
    call_command("dwatch_run", slug=["stock"], fail_on="never", stdout=StringIO())
    out = StringIO()
    call_command("dwatch_show", "stock", status="critical", stdout=out)
    assert "1 of 1 results." in out.getvalue()


def test_show__unconfirmed_filter() -> None:
    make_items(1, -1)
    call_command("dwatch_run", slug=["stock"], fail_on="never", stdout=StringIO())
    out = StringIO()
    call_command("dwatch_show", "stock", unconfirmed=True, stdout=out)
    assert "No results match." in out.getvalue()


def test_run__a_single_text_is_not_taken_letter_by_letter() -> None:
    make_items(1)
    out = StringIO()
    call_command("dwatch_run", slug="stock", stdout=out)
    assert "1 ok" in out.getvalue()


@pytest.mark.parametrize("option", [{"fail_on": "bad"}, {"format": "xml"}])
def test_run__wrong_choice_can_be_caught(option: dict[str, str]) -> None:
    with pytest.raises(CommandError, match="is not a choice") as refused:
        call_command("dwatch_run", **option, stdout=StringIO())
    assert refused.value.returncode == ExitCode.usage
