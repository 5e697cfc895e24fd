"""The commands as people type them: Typer declarations and nothing else.

This module is all that ``dwatch --help`` loads. Django, Celery, croniter and
the renderers are imported inside functions, once a command really runs.
"""

from __future__ import annotations

import sys
from contextlib import nullcontext, redirect_stdout
from typing import TYPE_CHECKING, Annotated

import typer

from dwatch.cli import collector, completion
from dwatch.cli.boundary import guarded
from dwatch.cli.options import FailOn, OutputFormat, StatusName, parse_age, parse_workers
from dwatch.cli.parameters import LightGroup
from dwatch.cli.streams import accept_any_text, open_missing
from dwatch.services.gate import ExitCode
from dwatch.services.requests import CleanupRequest, RefreshRequest, RunRequest, Selection

if TYPE_CHECKING:
    from collections.abc import Sequence

    from dwatch.cli.output import Output

_EPILOG = """\b
Examples:
  dwatch doctor                is everything set up?
  dwatch list                  which checks are there, and when do they run?
  dwatch run                   run what is due; one line in cron is enough
  dwatch show wallet_balance   what did a check find?

\b
Exit codes:
  0    fine, or nothing was due
  1    a result at or above --fail-on
  2    wrong use or configuration; database unreachable or not migrated
  3    a check or payload raised, or a checks module cannot be imported
  4    a check asked for by name is being run by somebody else
  130  Ctrl-C; 143: SIGTERM
"""

app = typer.Typer(
    name="dwatch",
    cls=LightGroup,
    help="Check the data of a Django project, remember what changed, tell who should know.",
    epilog=_EPILOG,
    pretty_exceptions_enable=False,
    # Plain help: it loads in half the time, and mails and pipes show it as it is.
    rich_markup_mode=None,
    context_settings={"help_option_names": ["-h", "--help"]},
)

Slugs = Annotated[
    list[str] | None,
    typer.Option(
        "--slug",
        "-s",
        metavar="GLOB",
        help="Only checks whose slug matches; may be repeated.",
        autocompletion=completion.slugs,
    ),
]
Excludes = Annotated[
    list[str] | None,
    typer.Option(
        "--exclude",
        metavar="GLOB",
        help="Not the checks whose slug matches; may be repeated.",
        autocompletion=completion.slugs,
    ),
]
Tags = Annotated[
    list[str] | None,
    typer.Option("--tag", "-t", metavar="TAG", help="Only checks with this tag; may be repeated."),
]
Format = Annotated[
    OutputFormat | None,
    typer.Option("--format", "-f", help="Default: table on a terminal, else plain."),
]
Gate = Annotated[
    FailOn,
    typer.Option("--fail-on", help="Exit with 1 if a payload judged now is this bad or worse."),
]
Quiet = Annotated[
    bool, typer.Option("--quiet", "-q", help="Print problems only, nothing if all is fine.")
]
Durations = Annotated[
    int,
    typer.Option(
        "--durations",
        metavar="N",
        min=0,
        show_default=False,
        help="Show the N slowest checks as well.",
    ),
]
Workers = Annotated[
    str | None,
    typer.Option(
        "--workers",
        "-w",
        metavar="N|auto",
        help="Judge in so many processes; auto: one per core. Default: as the settings say.",
    ),
]
Only = Annotated[StatusName | None, typer.Option("--status", help="Only results with this status.")]
Slug = Annotated[str, typer.Argument(metavar="SLUG", autocompletion=completion.slugs)]


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command line and return its exit code."""
    open_missing()
    accept_any_text()
    given = list(sys.argv[1:] if argv is None else argv)
    arguments = _globals_first(given)
    with collector.postponed() if argv is None else nullcontext():
        code = guarded(
            lambda: app(arguments or ["--help"], prog_name="dwatch", standalone_mode=False) or 0,
            show_traceback="--traceback" in arguments,
        )
    # `dwatch` alone in a cron line is a mistake and must not look like success.
    return code if given else ExitCode.usage


def _globals_first(arguments: list[str]) -> list[str]:
    """Let ``dwatch run --traceback`` mean ``dwatch --traceback run``."""
    first: list[str] = []
    rest: list[str] = []
    remaining = iter(arguments)
    for argument in remaining:
        if argument == "--":
            return [*first, *rest, argument, *remaining]
        if argument == "--settings":
            first += [argument, *(value for value in [next(remaining, None)] if value is not None)]
        elif argument == "--traceback" or argument.startswith("--settings="):
            first.append(argument)
        else:
            rest.append(argument)
    return [*first, *rest]


def _print_version(wanted: bool) -> None:
    if not wanted:
        return
    from importlib.metadata import version

    from dwatch import __version__

    python = ".".join(map(str, sys.version_info[:3]))
    typer.echo(f"dwatch {__version__} (Django {version('django')}, Python {python})")
    raise typer.Exit


@app.callback()
def settings_and_manners(
    settings: Annotated[
        str | None,
        typer.Option(
            metavar="MODULE",
            help="Django settings. Default: DJANGO_SETTINGS_MODULE, then [tool.dwatch] settings "
            "in the nearest pyproject.toml, then the nearest manage.py.",
        ),
    ] = None,
    traceback: Annotated[
        bool, typer.Option("--traceback", help="Show the traceback of an error.")
    ] = False,
    version: Annotated[
        bool,
        typer.Option(
            "--version", is_eager=True, callback=_print_version, help="Show the version and exit."
        ),
    ] = False,
) -> None:
    """Check the data of a Django project, remember what changed, tell who should know."""


@app.command(
    epilog="""\b
Examples:
  dwatch run                        what is due; made for cron
  dwatch run --quiet                the same, silent unless there is a problem
  dwatch run --force --tag nightly  all checks with a tag, due or not
  dwatch run -s 'invoice_*' -x      some checks, ending at the first failure
  dwatch run --workers auto         with a process for each core
  dwatch run --force --fail-on warning --format json > run.json
"""
)
def run(
    context: typer.Context,
    *,
    slug: Slugs = None,
    exclude: Excludes = None,
    tag: Tags = None,
    force: Annotated[
        bool, typer.Option("--force", help="Run checks that are not due, too.")
    ] = False,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Judge the payloads and store nothing.")
    ] = False,
    stop_early: Annotated[
        bool,
        typer.Option(
            "--stop-early", "-x", help="End after the first check that raises or fails the gate."
        ),
    ] = False,
    fail_on: Gate = FailOn.critical,
    durations: Durations = 0,
    workers: Workers = None,
    quiet: Quiet = False,
    form: Format = None,
) -> int:
    """Run the checks that are due, and show what they found."""
    request = RunRequest(
        _selection(slug, exclude, tag),
        force,
        dry_run,
        stop_early,
        fail_on.status,
        None if workers is None else parse_workers(workers),
    )
    output = _start(context, form, quiet=quiet)
    from dwatch.cli import commands

    return commands.run(request, output, durations=durations)


@app.command(
    "list",
    epilog="""\b
Examples:
  dwatch list
  dwatch list --tag nightly
  dwatch list --format json | jq -r '.checks[] | select(.state == "overdue").slug'
""",
)
def list_(
    context: typer.Context,
    *,
    slug: Slugs = None,
    exclude: Excludes = None,
    tag: Tags = None,
    form: Format = None,
) -> int:
    """List the checks: schedule, last run, next run, results."""
    output = _start(context, form)
    from dwatch.cli import commands

    return commands.list_checks(_selection(slug, exclude, tag), output)


@app.command(
    epilog="""\b
Examples:
  dwatch show wallet_balance
  dwatch show wallet_balance --status critical --limit 500
  dwatch show wallet_balance 17     one result with its history
"""
)
def show(
    context: typer.Context,
    slug: Slug,
    *,
    identifier: Annotated[
        str | None,
        typer.Argument(metavar="IDENTIFIER", help="Show all that is known of this result."),
    ] = None,
    status: Only = None,
    everything: Annotated[
        bool, typer.Option("--all", help="Show results whose payload vanished, too.")
    ] = False,
    unconfirmed: Annotated[
        bool, typer.Option("--unconfirmed", help="Only results that may be worse than shown.")
    ] = False,
    limit: Annotated[int, typer.Option(metavar="N", min=1, help="Most results to show.")] = 50,
    form: Format = None,
) -> int:
    """Show the stored results of a check, worst first."""
    output = _start(context, form)
    from dwatch.cli import commands

    if identifier is not None:
        return commands.show_result(slug, identifier, output)
    wanted = status.status if status else None
    return commands.show_results(
        slug,
        output,
        status=wanted,
        include_vanished=everything,
        unconfirmed=unconfirmed,
        limit=limit,
    )


@app.command(
    epilog="""\b
Examples:
  dwatch refresh --status critical             are they still critical?
  dwatch refresh -s wallet_balance -i 17 -i 31
"""
)
def refresh(
    context: typer.Context,
    *,
    slug: Slugs = None,
    exclude: Excludes = None,
    tag: Tags = None,
    identifier: Annotated[
        list[str] | None,
        typer.Option(
            "--identifier", "-i", metavar="ID", help="Only this payload; may be repeated."
        ),
    ] = None,
    status: Only = None,
    fail_on: Gate = FailOn.critical,
    durations: Durations = 0,
    workers: Workers = None,
    quiet: Quiet = False,
    form: Format = None,
) -> int:
    """Judge the payloads of existing results anew."""
    request = RefreshRequest(
        _selection(slug, exclude, tag),
        tuple(identifier or ()),
        status.status if status else None,
        None if workers is None else parse_workers(workers),
    )
    output = _start(context, form, quiet=quiet)
    from dwatch.cli import commands

    return commands.refresh(request, output, fail_on=fail_on.status, durations=durations)


@app.command(
    epilog="""\b
Examples:
  dwatch cleanup --dry-run
  dwatch cleanup --vanished-for 2w --history-older-than never
"""
)
def cleanup(
    context: typer.Context,
    *,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Say what would be deleted, delete nothing.")
    ] = False,
    vanished_for: Annotated[
        str,
        typer.Option(metavar="AGE", help="Delete results whose payload is gone for this long."),
    ] = "30d",
    history_older_than: Annotated[
        str, typer.Option(metavar="AGE", help="Delete status changes older than this.")
    ] = "365d",
    runs_older_than: Annotated[
        str, typer.Option(metavar="AGE", help="Delete runs older than this.")
    ] = "90d",
    form: Format = None,
) -> int:
    """Delete what removed checks left behind, and what is old.

    An AGE is a number with m, h, d or w (12h, 30d, 2w), or `never` to leave
    that kind alone.
    """
    request = CleanupRequest(
        dry_run,
        parse_age(vanished_for),
        parse_age(history_older_than),
        parse_age(runs_older_than),
    )
    output = _start(context, form)
    from dwatch.cli import commands

    return commands.clean_up(request, output)


@app.command(
    "try",
    epilog="""\b
Examples:
  dwatch try wallet_balance 17
""",
)
def try_(
    context: typer.Context,
    slug: Slug,
    identifier: Annotated[str, typer.Argument(metavar="IDENTIFIER")],
    form: Format = None,
) -> int:
    """Judge one payload and show how; store nothing."""
    output = _start(context, form)
    from dwatch.cli import commands

    return commands.try_payload(slug, identifier, output)


@app.command(
    epilog="""\b
Examples:
  dwatch doctor
  dwatch --settings shop.settings doctor
"""
)
def doctor(context: typer.Context, form: Format = None) -> int:
    """Examine the installation, and say how to mend it."""
    output = _start(context, form)
    from dwatch.cli import commands

    return commands.doctor(output)


def _selection(
    slugs: list[str] | None, excludes: list[str] | None, tags: list[str] | None
) -> Selection:
    return Selection(tuple(slugs or ()), tuple(excludes or ()), tuple(tags or ()))


def _start(context: typer.Context, form: OutputFormat | None, *, quiet: bool = False) -> Output:
    """Set Django up and return where to write; the commands can be imported then."""
    from dwatch.cli.bootstrap import set_up
    from dwatch.cli.output import Output

    output = Output.to(sys.stdout, sys.stderr, form, quiet=quiet)
    if output.format is OutputFormat.json:
        # What settings, modules and checks print must not get among the JSON.
        context.with_resource(redirect_stdout(sys.stderr))
    set_up(context.find_root().params["settings"])
    collector.resume()
    return output
