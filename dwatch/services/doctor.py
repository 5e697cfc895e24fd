"""Examines an installation, line by line."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.conf import settings
from django.db import connections
from django.db.migrations.executor import MigrationExecutor
from django.utils import timezone

from dwatch import __version__, conf, discovery, system_checks
from dwatch.core.plan import DueState
from dwatch.core.registry import registry
from dwatch.exceptions import ConfigurationError
from dwatch.services.boundary import database_errors_in_words
from dwatch.services.listing import list_checks
from dwatch.services.reports import DoctorReport, Finding
from dwatch.store.transactions import database

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator


def examine() -> DoctorReport:
    """Return one finding per subject, each ok or with what mends it; never raises for them."""
    examinations: tuple[Callable[[], Iterator[Finding]], ...] = (
        _settings,
        _time_zone,
        _database,
        _migrations,
        _modules,
        _checks,
    )
    return DoctorReport(tuple(finding for one in examinations for finding in _guarded(one)))


def _guarded(examination: Callable[[], Iterator[Finding]]) -> Iterator[Finding]:
    subject = examination.__name__.strip("_").replace("_", " ")
    try:
        with database_errors_in_words():
            yield from examination()
    except ConfigurationError as error:
        yield Finding(subject, "error", error.message, error.hint)


def _settings() -> Iterator[Finding]:
    messages = [*system_checks.check_settings(), *system_checks.check_time_zones()]
    for message in messages:
        level = "error" if message.is_serious() else "warning"
        yield Finding("settings", level, str(message.msg), message.hint or "")
    if not messages:
        values = ", ".join(f"{name} {read()}" for name, read in conf.every_setting().items())
        text = f"dwatch {__version__}, {settings.SETTINGS_MODULE}; {values}"
        yield Finding("settings", "ok", text)


def _time_zone() -> Iterator[Finding]:
    yield Finding("time zone", "ok", f"schedules follow {timezone.get_default_timezone()}")


def _database() -> Iterator[Finding]:
    connection = connections[database()]
    with connection.cursor() as cursor:
        cursor.execute("SELECT 1")
    version = ".".join(str(part) for part in connection.get_database_version())
    yield Finding("database", "ok", f"{connection.display_name} {version} ({database()!r}) answers")


def _migrations() -> Iterator[Finding]:
    executor = MigrationExecutor(connections[database()])
    targets = [key for key in executor.loader.graph.leaf_nodes() if key[0] == "dwatch"]
    if plan := executor.migration_plan(targets):
        names = ", ".join(migration.name for migration, _ in plan)
        yield Finding(
            "migrations", "error", f"not applied: {names}", "Run `python manage.py migrate dwatch`."
        )
    else:
        yield Finding("migrations", "ok", "all applied")


def _modules() -> Iterator[Finding]:
    for failed in discovery.failed_modules():
        yield Finding("checks modules", "error", f"{failed.module}: {failed.error}", "Mend it.")
    if not discovery.failed_modules():
        for message in system_checks.check_any_registered():
            yield Finding("checks modules", "warning", str(message.msg), message.hint or "")
        if len(registry):
            yield Finding("checks modules", "ok", f"{len(registry)} checks registered")


def _checks() -> Iterator[Finding]:
    report = list_checks()
    late = [check.slug for check in report.checks if check.state is DueState.overdue]
    never = [check.slug for check in report.checks if check.state is DueState.never]
    if late:
        yield Finding("schedules", "warning", f"overdue: {', '.join(late)}", _CRON)
    if never:
        yield Finding("schedules", "warning", f"never ran: {', '.join(never)}", _CRON)
    for check in report.checks:
        if check.clock_stepped_back:
            text = f"{check.slug} ran in the future: a clock was wrong"
            yield Finding("schedules", "warning", text, "Check the hosts' clocks (NTP).")
    if not late and not never:
        yield Finding("schedules", "ok", "nothing is overdue")
    for slug, results in report.removed:
        text = f"{slug} is gone but has {results} results"
        yield Finding("removed checks", "warning", text, "Run `dwatch cleanup`.")


_CRON = "Let cron call `dwatch run` every minute."
