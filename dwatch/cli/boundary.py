"""The command line's one place where exceptions end."""

from __future__ import annotations

import sys
import traceback
from typing import TYPE_CHECKING

from dwatch.cli.explain import Explanation, explain
from dwatch.cli.streams import discard_if_closed
from dwatch.services.gate import ExitCode

if TYPE_CHECKING:
    from collections.abc import Callable


def guarded(action: Callable[[], int], *, show_traceback: bool) -> int:
    """Run the action and return its exit code; whatever it raises becomes words."""
    try:
        return action()
    except KeyboardInterrupt:
        return ExitCode.interrupted
    except SystemExit as stop:
        return _code_of(stop)
    except Exception as error:  # noqa: BLE001 - the last word on any error
        if show_traceback:
            traceback.print_exception(error)
        return _tell(_explain_any(error))
    finally:
        discard_if_closed(sys.stdout)


def _explain_any(error: Exception) -> Explanation:
    """Add bad usage to what :func:`explain` knows; Typer's errors share no public name."""
    format_message = getattr(error, "format_message", None)
    if format_message is None:
        return explain(error)
    command = getattr(getattr(error, "ctx", None), "command_path", "dwatch")
    message = " ".join(format_message().split()).replace("Value error, ", "")
    return Explanation(message, f"`{command} --help` shows what is possible.", ExitCode.usage)


def _tell(explanation: Explanation) -> int:
    print(f"error: {explanation.message}", file=sys.stderr)  # noqa: T201
    if explanation.hint:
        print(f"hint: {explanation.hint}", file=sys.stderr)  # noqa: T201
    return explanation.code


def _code_of(stop: SystemExit) -> int:
    """Return what a ``sys.exit`` below us asked for.

    Typer turns a reader that went away (``dwatch --help | true``) into 1, which
    would be the gate's code.
    """
    if isinstance(stop.__context__, BrokenPipeError):
        return ExitCode.fine
    return stop.code if isinstance(stop.code, int) else ExitCode.fine
