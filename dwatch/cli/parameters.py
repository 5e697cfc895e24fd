"""Read simple parameters without the validation library that Typer loads for them.

It takes as long to load as half of Django's database layer, only to find that a
text is a text. Whatever is not plainly right is left to Typer, which says why.
"""

from __future__ import annotations

from enum import Enum
from typing import TYPE_CHECKING, Any

from typer.core import TyperGroup

if TYPE_CHECKING:
    from collections.abc import Callable


class LightGroup(TyperGroup):
    """A group whose parameters, and those of its commands, are read lightly."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        """Read the command line."""
        # Only now are all parameters there: Typer adds those for help and completion late.
        for command in (self, *self.commands.values()):
            for parameter in command.get_params(ctx):
                _read_lightly(parameter)
        return super().parse_args(ctx, args)


class _NotPlainError(Exception):
    """The value needs Typer's own reading."""


def _read_lightly(parameter: Any) -> None:
    # Where Typer keeps the annotation elsewhere, it reads as it always did.
    annotation = getattr(getattr(parameter, "type_descriptor", None), "annotation", None)
    parameter.process_value = _reader(parameter, annotation, parameter.process_value)


def _reader(
    parameter: Any, annotation: Any, thorough: Callable[[Any, Any], Any]
) -> Callable[[Any, Any], Any]:
    def process_value(context: Any, value: Any) -> Any:
        if parameter.required and not value:
            return thorough(context, value)
        try:
            plain = _plain(annotation, value)
        except (_NotPlainError, ValueError):
            return thorough(context, value)
        return parameter.callback(context, parameter, plain) if parameter.callback else plain

    return process_value


def _plain(annotation: Any, value: Any) -> Any:
    if value is None:
        return None
    if annotation in {str, int, bool} and type(value) is annotation:
        return value
    if annotation == list[str] and all(type(one) is str for one in value):
        return list(value)
    if isinstance(annotation, type) and issubclass(annotation, Enum):
        return annotation(value)
    raise _NotPlainError
