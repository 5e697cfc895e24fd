"""Parameters read lightly come out as Typer would have read them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

import pytest
import typer

from dwatch.cli.options import FailOn, StatusName  # noqa: TC001 - Typer reads annotations
from dwatch.cli.parameters import LightGroup

if TYPE_CHECKING:
    from collections.abc import Callable


def read(arguments: list[str], **settings: Any) -> dict[str, Any]:
    """Return what a command with all kinds of parameters gets."""
    app = typer.Typer(rich_markup_mode=None, **settings)
    got: dict[str, Any] = {}

    @app.callback()
    def common(project: Annotated[str | None, typer.Option()] = None) -> None:
        got["project"] = project

    @app.command()
    def show(  # noqa: PLR0913 - one of each kind
        slug: str,
        *,
        tag: Annotated[list[str] | None, typer.Option()] = None,
        status: Annotated[StatusName | None, typer.Option()] = None,
        fail_on: Annotated[FailOn, typer.Option()] = FailOn.critical,
        limit: Annotated[int, typer.Option(min=1)] = 50,
        ratio: Annotated[float, typer.Option()] = 0.5,
        quiet: Annotated[bool, typer.Option("--quiet")] = False,
        loud: Annotated[str, typer.Option(callback=_upper)] = "loud",
    ) -> None:
        got["show"] = (slug, tag, status, fail_on, limit, ratio, quiet, loud)

    app(arguments, standalone_mode=False)
    return got


def _upper(value: str) -> str:
    return value.upper()


def message_of(call: Callable[[], object]) -> str:
    with pytest.raises(Exception) as refused:  # noqa: PT011 - Typer's errors share no public name
        call()
    return str(vars(refused.value).get("message")) + type(refused.value).__name__


@pytest.mark.parametrize(
    "arguments",
    [
        ["show", "stock"],
        ["--project", "shop", "show", "stock", "--quiet"],
        ["show", "stock", "--tag", "a", "--tag", "b", "--status", "ok", "--fail-on", "never"],
        ["show", "", "--limit", "7", "--ratio", "1.5", "--loud", "x"],
    ],
)
def test_read__as_typer_does(arguments: list[str]) -> None:
    assert read(arguments, cls=LightGroup) == read(arguments)


@pytest.mark.parametrize(
    "arguments",
    [
        ["show"],
        ["show", "stock", "--limit", "0"],
        ["show", "stock", "--limit", "many"],
        ["show", "stock", "--status", "bad"],
        ["show", "stock", "--status", "OK"],
        ["show", "stock", "--nonsense"],
    ],
)
def test_read__refuses_in_the_words_of_typer(arguments: list[str]) -> None:
    light = message_of(lambda: read(arguments, cls=LightGroup))

    assert light == message_of(lambda: read(arguments))
