"""The example as its user has it: dwatch from a wheel, outside the checkout."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import venv
from pathlib import Path

import pytest

CHECKOUT = Path(__file__).resolve().parents[2]


@pytest.fixture(scope="module")
def python(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Make an environment that holds dwatch's wheel and nothing of the checkout."""
    folder = tmp_path_factory.mktemp("wheel")
    source = folder / "source"
    ignored = shutil.ignore_patterns(".git", ".nox", "__pycache__", ".*_cache", "*.sqlite3")
    shutil.copytree(CHECKOUT, source, ignore=ignored)
    pip = [sys.executable, "-m", "pip"]
    subprocess.run([*pip, "wheel", "-q", "--no-deps", "-w", folder, source], check=True)
    (wheel,) = folder.glob("django_dwatch-*.whl")
    environment = folder / "env"
    venv.create(environment, symlinks=True)
    python = environment / "bin" / "python"
    subprocess.run([*pip, "--python", python, "install", "-q", wheel], check=True)
    return python


def test_example__from_a_wheel_in_a_fresh_environment(python: Path, tmp_path: Path) -> None:
    shop = shutil.copytree(CHECKOUT / "examples" / "shop", tmp_path / "shop")
    environment = {"PATH": os.environ["PATH"], "SHOP_SQLITE_PATH": str(tmp_path / "shop.sqlite3")}

    def call(*command: str, code: int = 0) -> str:
        done = subprocess.run(
            [python, *command],
            cwd=shop,
            env=environment,
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == code, done.stdout + done.stderr
        return done.stdout

    call("manage.py", "migrate", "--verbosity=0")
    advertised = json.loads(call("manage.py", "fill_shop", "--customers=300", "--json"))
    run = json.loads(call("-m", "dwatch", "run", "--force", "--format=json", code=3))
    found = {check["slug"].rpartition(".")[2]: check["counts"] for check in run["checks"]}
    for check, counts in advertised.items():
        assert {status: found[check][status] for status in counts} == counts, check
    assert "/dwatch/__init__.py" in call("-c", "import dwatch; print(dwatch.__file__)")
    assert str(CHECKOUT) not in call("-c", "import dwatch; print(dwatch.__file__)")
    assert "shop.checks.WalletBalance" in call("manage.py", "dwatch_list")
    assert "All is well" in call("-m", "dwatch", "doctor")
