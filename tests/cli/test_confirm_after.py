"""A worse status that is not shown yet, as the command line tells of it."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from tests.project import CHECKS
from tests.running import make_items
from tests.testapp.models import Item

if TYPE_CHECKING:
    from tests.project import Project


def test_unconfirmed__is_told_and_neither_mailed_nor_a_failure(project: Project) -> None:
    (item,) = make_items(1)
    project.write("stock/checks.py", CHECKS.replace("tags =", "confirm_after = 4; tags ="))
    assert project.dwatch("run").returncode == 0
    Item.objects.update(value=-1)
    quiet = project.dwatch("run", "--force", "--quiet", "--fail-on", "unknown")
    assert (quiet.returncode, quiet.stdout, quiet.stderr) == (0, "", "")
    told = project.dwatch("run", "--force", "--workers", "2")
    assert told.returncode == 0
    assert "1 unconfirmed: dwatch show stock --unconfirmed" in told.stdout
    refreshed = project.dwatch("refresh", "--format", "json")
    (check,) = json.loads(refreshed.stdout)["checks"]
    assert (check["unconfirmed"], check["counts"]["ok"], check["problems"]) == (1, 1, [])
    assert "1 unconfirmed" in project.dwatch("list").stdout
    assert "[critical in 3 of 4 runs]" in project.dwatch("show", "stock", "--unconfirmed").stdout
    whole = project.dwatch("show", "stock", str(item.pk)).stdout
    assert "critical in 3 of 4 runs, first" in whole
    assert '"value": -1' in whole
    assert project.dwatch("run", "--force").returncode == 1
