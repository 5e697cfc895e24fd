"""Discovery in real projects: what their processes register and report."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from tests.project import Project

SCRIPT = """
import json, sys
import django
django.setup()
from dwatch import discovery
from dwatch.core.registry import registry
failed = discovery.failed_modules()
print(json.dumps({
    "checks": sorted(cls.slug for cls in registry),
    "failed": [[one.module, one.error] for one in failed],
    "raised_in": [one.traceback.splitlines()[-2].strip() for one in failed],
}))
"""
CHECK = """
from dwatch import BaseCheck, Status, register

@register
class {name}(BaseCheck):
    def generate(self):
        return []
    def check(self, payload):
        return Status.ok
    def get_identifier(self, payload):
        return payload
    def get_payload(self, identifier):
        return identifier
"""


def discovered(project: Project) -> dict[str, Any]:
    project.write("script.py", SCRIPT)
    done = project.run("-W", "error", "script.py")
    assert done.stderr == ""
    found: dict[str, Any] = json.loads(done.stdout)
    return found


def with_apps(project: Project, *apps: str) -> None:
    names = ", ".join(f'"{app}"' for app in apps)
    project.write(
        "settings.py",
        f"from tests.settings import *\nINSTALLED_APPS = [*INSTALLED_APPS, {names}]\n",
    )


def test_discovery__one_broken_module_keeps_no_other_out(project: Project) -> None:
    with_apps(project, "alpha", "beta", "gamma", "delta")
    for app in ("alpha", "beta", "gamma", "delta"):
        project.write(f"{app}/__init__.py", "")
    project.write("alpha/checks.py", CHECK.format(name="First"))
    project.write("beta/checks.py", CHECK.format(name="Second") + "\nraise SystemExit('stop')\n")
    project.write("gamma/checks.py", "import nothing_of_this_name\n")
    project.write("delta/checks.py", CHECK.format(name="Last"))
    found = discovered(project)
    assert found["checks"] == ["alpha.checks.First", "beta.checks.Second", "delta.checks.Last"]
    assert found["failed"] == [
        ["beta.checks", "SystemExit: stop"],
        ["gamma.checks", "ModuleNotFoundError: No module named 'nothing_of_this_name'"],
    ]
    assert found["raised_in"] == ["raise SystemExit('stop')", "import nothing_of_this_name"]


def test_discovery__faulty_definition_names_the_class(project: Project) -> None:
    project.write(
        "stock/checks.py",
        CHECK.format(name="Fine")
        + CHECK.format(name="Faulty").replace("def generate", "run_every = 'x'\n    def generate"),
    )
    found = discovered(project)
    assert found["checks"] == ["stock.checks.Fine"]
    ((module, error),) = found["failed"]
    assert module == "stock.checks"
    assert "stock.checks.Faulty" in error


def test_discovery__apps_without_checks_and_another_module_name(project: Project) -> None:
    with_apps(project, "alpha", "beta")
    project.write("alpha/__init__.py", "")
    project.write("beta/__init__.py", "")
    project.write("beta/checks.py", "raise RuntimeError('Django\\'s own checks live here')\n")
    project.write("beta/watch.py", CHECK.format(name="Elsewhere"))
    settings = (project.folder / "settings.py").read_text() + "DWATCH_CHECKS_MODULE = 'watch'\n"
    project.write("settings.py", settings)
    assert discovered(project) == {
        "checks": ["beta.watch.Elsewhere"],
        "failed": [],
        "raised_in": [],
    }
