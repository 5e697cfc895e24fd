"""The command line as people, cron and CI use it: real processes."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from dwatch.models import CheckState, Result, Run
from tests.project import CHECKOUT, CHECKS, wait_until_written
from tests.running import make_items
from tests.testapp.models import Item

if TYPE_CHECKING:
    from pathlib import Path

    from tests.project import Project


def test_run__judges_stores_and_gates(project: Project) -> None:
    make_items(1, -1)
    done = project.dwatch("run")
    assert done.returncode == 1
    assert "item 1" in done.stdout
    assert "\x1b" not in done.stdout
    assert done.stderr == ""
    assert Result.objects.count() == 2
    again = project.dwatch("run")
    assert again.returncode == 0
    assert "Nothing is due" in again.stdout
    asked = project.dwatch("run", "--slug", "stock")
    assert "not due" in asked.stdout + asked.stderr
    assert project.dwatch("run", "--force", "--fail-on", "never").returncode == 0


def test_run__raising_payload_is_3_and_escaped(project: Project) -> None:
    make_items(1)
    Item.objects.update(note="raise")
    done = project.dwatch("run", "--force")
    assert done.returncode == 3
    assert "[bold]such[/]" in done.stdout
    assert "\x1b" not in done.stdout


def test_run__quiet_speaks_of_problems_only(project: Project) -> None:
    make_items(1)
    assert project.dwatch("run", "--quiet").stdout == ""
    Item.objects.update(value=-1)
    assert "item 0" in project.dwatch("run", "--quiet", "--force").stdout


def test_run__json_is_alone_on_stdout(project: Project) -> None:
    make_items(-1)
    project.write("stock/__init__.py", "print('loaded')")
    chatty = "def check(self, item):\n        print('judging')"
    project.write("stock/checks.py", CHECKS.replace("def check(self, item):", chatty))
    done = project.dwatch("run", "--format", "json", "--force", "--durations", "1")
    assert done.returncode == 1
    said = json.loads(done.stdout)
    assert done.stderr.split() == ["loaded", "judging"]
    assert said["schema"] == "dwatch/run"
    assert said["version"] == 1
    assert said["checks"][0]["counts"]["critical"] == 1


def test_run__dry_run_stores_nothing(project: Project) -> None:
    make_items(-1)
    done = project.dwatch("run", "--dry-run", "--format", "table", "--durations", "2")
    assert done.returncode == 1
    assert Result.objects.count() == Run.objects.count() == CheckState.objects.count() == 0


def assert_answers(project: Project, form: str, failing: str) -> None:
    listed = project.dwatch("list", "--format", form)
    assert listed.returncode == 0, listed.stderr
    assert "every 5 minutes" in listed.stdout
    shown = project.dwatch("show", "stock", "--format", form)
    assert shown.returncode == 0, shown.stderr
    assert "item 1" in shown.stdout
    everything = project.dwatch("show", "stock", failing, "--format", form)
    assert everything.returncode == 0, everything.stderr
    assert "critical" in everything.stdout
    tried = project.dwatch("try", "stock", failing, "--format", form)
    assert tried.returncode == 0, tried.stderr
    assert "SELECT" in tried.stdout


@pytest.mark.once
def test_list_show_try__in_other_forms(project: Project) -> None:
    make_items(1, -1)
    project.dwatch("run")
    for form in ("table", "json"):
        assert_answers(project, form, str(Item.objects.get(value=-1).pk))


@pytest.mark.once
def test_try__needs_no_database_but_those_of_the_check(project: Project) -> None:
    (item,) = make_items(1)
    with (project.folder / "settings.py").open("a") as settings:
        engine = "django.db.backends.sqlite3"
        settings.write(f"DATABASES['away'] = {{'ENGINE': {engine!r}, 'NAME': '/no/such/folder'}}")
    tried = project.dwatch("try", "stock", str(item.pk))
    assert (tried.returncode, tried.stderr) == (0, "")
    assert "SELECT" in tried.stdout


def test_list_show_refresh_try_doctor_cleanup(project: Project) -> None:
    make_items(1, -1)
    project.dwatch("run")
    failing = str(Item.objects.get(value=-1).pk)
    assert_answers(project, "plain", failing)
    assert project.dwatch("doctor").returncode == 0
    assert project.dwatch("cleanup", "--dry-run").returncode == 0
    refreshed = project.dwatch("refresh", "--identifier", failing)
    assert refreshed.returncode == 1
    assert Run.objects.filter(reason="refresh").count() == 1


@pytest.mark.parametrize(
    ("arguments", "message", "hint"),
    [
        (("run", "--slug", "stok"), "no check matches 'stok'", "Did you mean stock"),
        (("run", "--tag", "nightli"), "no check has the tag", "nightly"),
        (("show", "stock", "nobody"), "no result for 'nobody'", "dwatch show stock"),
        (("run", "--fail-on", "bad"), "bad", "--help"),
        (("run", "--nonsense"), "nonsense", "--help"),
        (("nonsense",), "nonsense", "--help"),
        (("cleanup", "--vanished-for", "soon"), "soon", ""),
        (("refresh", "--identifier", "nobody"), "nobody", "dwatch show"),
        (("show", "stock", "\udcff" * 300), "no result", "dwatch show"),
    ],
)
def test_wrong_use_is_2_with_one_line_and_a_hint(
    project: Project, arguments: tuple[str, ...], message: str, hint: str
) -> None:
    done = project.dwatch(*arguments)
    assert done.returncode == 2, done.stdout + done.stderr
    first, *others = done.stderr.strip().splitlines()
    assert message in first
    assert hint in "".join(others)
    assert "Traceback" not in done.stderr
    assert done.stdout == ""


def test_checks_module_that_raises__others_run_and_it_is_named(project: Project) -> None:
    make_items(1)
    project.write("bad/__init__.py", "")
    project.write("bad/checks.py", "raise RuntimeError('not today')")
    settings = 'from tests.settings import *\nINSTALLED_APPS = [*INSTALLED_APPS, "bad", "stock"]'
    project.write("settings.py", settings)
    done = project.dwatch("run")
    assert done.returncode == 3
    assert "bad.checks" in done.stdout + done.stderr
    assert "not today" in done.stdout + done.stderr
    assert Result.objects.count() == 1
    refused = project.dwatch("cleanup")
    assert refused.returncode == 2
    assert "bad.checks" in refused.stderr
    assert project.dwatch("list").returncode == 3
    assert project.dwatch("doctor").returncode == 2
    assert project.run("-m", "django", "check").returncode == 1


@pytest.mark.once
@pytest.mark.parametrize(
    "definition",
    [
        "@register\nclass A(BaseCheck):\n run_every = '0 0 31 2 *'\n def generate(self): return []",
        "class A(BaseCheck):\n slug = 'stock'\nregister(A)",
        "@register\nclass A(BaseCheck):\n pass",
        (
            "for _ in range(2):\n class A(BaseCheck):\n  def check(self, item): return Status.ok\n"
            "  def generate(self): return []\n  def get_identifier(self, item): return item\n"
            "  def get_payload(self, identifier): return identifier\n register(A)"
        ),
    ],
)
def test_wrong_definition_is_3_and_named(project: Project, definition: str) -> None:
    make_items(1)
    project.write("bad/__init__.py", "")
    project.write("bad/checks.py", f"from dwatch import *\n{definition}\n")
    settings = 'from tests.settings import *\nINSTALLED_APPS = [*INSTALLED_APPS, "stock", "bad"]'
    project.write("settings.py", settings)
    done = project.dwatch("run")
    assert done.returncode == 3
    assert "bad.checks" in done.stdout + done.stderr
    assert Result.objects.count() == 1


@pytest.mark.once
def test_settings__none_at_all(tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "dwatch", "list"],
        cwd=tmp_path,
        env={"PATH": "/usr/bin:/bin", "PYTHONPATH": str(CHECKOUT)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 2
    assert "No Django settings found" in done.stderr
    assert "--settings" in done.stderr


@pytest.mark.once
@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ("1 / 0", "ZeroDivisionError"),
        ("import nothing_like_this", "nothing_like_this"),
        ("INSTALLED_APPS = []\nSECRET_KEY = 'x'", "INSTALLED_APPS"),
        ("INSTALLED_APPS = ['nowhere']\nSECRET_KEY = 'x'", "nowhere"),
        ("from tests.settings import *\nDWATCH_CHECKS_MODULE = 5", "DWATCH_CHECKS_MODULE"),
    ],
)
def test_settings__that_do_not_work(project: Project, settings: str, message: str) -> None:
    project.write("settings.py", settings)
    done = project.dwatch("list")
    assert done.returncode == 2
    assert message in done.stderr
    assert "Traceback" not in done.stderr
    assert "Traceback" in project.dwatch("--traceback", "list").stderr


@pytest.mark.once
@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("pyproject.toml", '[tool.dwatch]\nsettings = "settings"\n'),
        ("manage.py", 'import os\nos.environ.setdefault("DJANGO_SETTINGS_MODULE", "settings")\n'),
        ("manage.py", 'import os\nos.environ["DJANGO_SETTINGS_MODULE"] = "settings"\n'),
    ],
)
def test_settings__named_by_a_file(project: Project, name: str, content: str) -> None:
    project.environment["DJANGO_SETTINGS_MODULE"] = ""
    project.write(name, content)
    done = project.dwatch("list")
    assert done.returncode == 0, done.stderr
    assert "stock" in done.stdout


@pytest.mark.once
@pytest.mark.parametrize("content", ["[tool.dwatch]\nsettings = 5\n", "[tool"])
def test_settings__pyproject_that_is_wrong(project: Project, content: str) -> None:
    project.environment["DJANGO_SETTINGS_MODULE"] = ""
    project.write("pyproject.toml", content)
    done = project.dwatch("list")
    assert done.returncode == 2
    assert "pyproject.toml" in done.stderr


@pytest.mark.once
def test_database__without_tables_or_server(project: Project) -> None:
    empty = project.folder / "empty.sqlite3"
    engine = f'"ENGINE": "django.db.backends.sqlite3", "NAME": {str(empty)!r}'
    head = 'from tests.settings import *\nINSTALLED_APPS = [*INSTALLED_APPS, "stock"]\n'
    project.write("settings.py", f"{head}DATABASES = {{'default': {{{engine}}}}}")
    done = project.dwatch("run")
    assert done.returncode == 2
    assert "migrate" in done.stderr
    assert "not applied" in project.dwatch("doctor").stdout
    engine = '"ENGINE": "django.db.backends.sqlite3", "NAME": "/nowhere/at/all.sqlite3"'
    project.write("settings.py", f"{head}DATABASES = {{'default': {{{engine}}}}}")
    done = project.dwatch("run")
    assert done.returncode == 2
    assert "the database does not answer" in done.stderr


@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_signal_in_mid_run__keeps_what_was_judged(project: Project, number: int, code: int) -> None:
    make_items(*range(150))
    journal = project.folder / "journal"
    slow = (
        "import time, pathlib\nfrom dwatch import *\nfrom tests.testapp.models import Item\n"
        "@register\nclass Slow(BaseCheck):\n"
        " slug, model_class, run_every = 'slow', Item, '* * * * *'\n"
        " def check(self, item):\n"
        f"  with open({str(journal)!r}, 'a') as file: print(item.pk, file=file)\n"
        "  time.sleep(0.02)\n  return Status.ok\n"
    )
    project.write("stock/checks.py", slow)
    process = project.start("-m", "dwatch", "run")
    wait_until_written(journal, 10)
    process.send_signal(number)
    process.communicate(timeout=120)
    assert process.returncode == code
    judged = len(journal.read_text().splitlines())
    assert 10 <= judged < 150
    assert judged - 1 <= Result.objects.count() <= judged
    assert Run.objects.get().state == Run.State.INTERRUPTED
    assert CheckState.objects.get().lease_token == ""
    assert project.dwatch("run").returncode == 0
    assert Result.objects.count() == 150


@pytest.mark.once
def test_stdout_closed_early__is_silent(project: Project) -> None:
    make_items(*[-1] * 50)
    project.dwatch("run")
    reader = subprocess.run(  # noqa: S602 - the pipe is what is tested
        f"{sys.executable} -m dwatch show stock --limit 50 | head -1",
        shell=True,
        cwd=project.folder,
        env=project._environment(),
        capture_output=True,
        text=True,
        check=True,
    )
    assert len(reader.stdout.splitlines()) == 1
    assert reader.stderr == ""


@pytest.mark.once
@pytest.mark.parametrize("arguments", [("--help",), ("run", "--help"), ("run", "--nonsense")])
def test_help_and_bad_usage_load_neither_django_nor_croniter(arguments: tuple[str, ...]) -> None:
    program = (
        "import sys\nfrom dwatch.cli.app import main\n"
        f"sys.argv = ['dwatch', *{arguments!r}]\n"
        "try:\n    main()\nexcept SystemExit:\n    pass\n"
        "heavy = {'django', 'celery', 'croniter'} & set(sys.modules)\n"
        "print('HEAVY', sorted(heavy))"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], cwd=CHECKOUT, capture_output=True, text=True, check=False
    )
    assert "HEAVY []" in done.stdout, done.stdout + done.stderr


@pytest.mark.once
@pytest.mark.parametrize("closed", [">&-", "2>&-", ">&- 2>&-", "<&- >&- 2>&-"])
def test_run__without_standard_output_or_error_is_as_with_them(
    project: Project, closed: str
) -> None:
    make_items(1)
    program = "import sys; from dwatch.cli.app import main; sys.exit(main())"
    shell = f"exec {closed}; {sys.executable} -c {program!r} run --workers 2"
    done = project.run(
        "-c", f"import subprocess, sys; sys.exit(subprocess.call({shell!r}, shell=1))"
    )
    assert (done.returncode, done.stderr) == (0, "")
    assert Result.objects.count() == 1


@pytest.mark.parametrize("arguments", [("list",), ("show", "stock")])
def test_listing_loads_nothing_that_runs_checks_or_colours(
    project: Project, arguments: tuple[str, ...]
) -> None:
    make_items(1)
    project.dwatch("run")
    program = (
        "import sys\nfrom dwatch.cli.app import main\n"
        f"sys.argv = ['dwatch', *{arguments!r}]\n"
        "assert main() == 0\n"
        "heavy = {'celery', 'pydantic', 'rich.console', 'rich.table', 'dwatch.work',"
        " 'dwatch.services.run', 'dwatch.store.batches', 'dwatch.cli.progress'}\n"
        "print('HEAVY', sorted(heavy & set(sys.modules)))"
    )
    done = project.run("-c", program)
    assert "every 5 minutes" in done.stdout
    assert "HEAVY []" in done.stdout, done.stdout + done.stderr


@pytest.mark.once
def test_version_and_completion(project: Project) -> None:
    assert "0.1.0" in project.dwatch("--version").stdout
    project.environment |= {
        "_DWATCH_COMPLETE": "complete_bash",
        "COMP_WORDS": "dwatch show st",
        "COMP_CWORD": "2",
    }
    completed = project.run("-m", "dwatch")
    assert "stock" in completed.stdout + completed.stderr


def test_manage_commands_are_the_same(project: Project) -> None:
    make_items(1, -1)
    done = project.run("-m", "django", "dwatch_run", "--force")
    assert done.returncode == 1
    assert "item 1" in done.stdout
    identifier = str(Item.objects.get(value=-1).pk)
    assert "item 1" in project.run("-m", "django", "dwatch_show", "stock").stdout
    everything = project.run("-m", "django", "dwatch_show", "stock", identifier).stdout
    assert "critical" in everything
    assert "stock" in project.run("-m", "django", "dwatch_list", "--format", "json").stdout
    assert project.run("-m", "django", "dwatch_refresh").returncode == 1
    assert project.run("-m", "django", "dwatch_cleanup", "--dry-run").returncode == 0
    wrong = project.run("-m", "django", "dwatch_run", "--slug", "stok")
    assert wrong.returncode == 2
    assert "Did you mean stock" in wrong.stderr
    odd = project.run("-m", "django", "dwatch_cleanup", "--vanished-for", "soon")
    assert odd.returncode == 2
