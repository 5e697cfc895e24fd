"""What can be run here: `python3 noxfile.py -s demo`, `-s tests`, `--list` for all.

Only Python is needed. Run as a script, this file makes itself a private
environment with nox in it; `nox -s demo` does the same for those who have nox.
"""

from __future__ import annotations

import hashlib
import json
import os
import socket
import subprocess
import sys
import urllib.parse
import urllib.request
import venv
from pathlib import Path

HERE = Path(__file__).resolve().parent
NOX = "nox>=2025.10.14,<2027"
SCRIPTS = "Scripts" if os.name == "nt" else "bin"


def start_nox() -> int:
    """Run nox with this script's arguments from an environment of its own."""
    environment = HERE / ".nox" / "bootstrap"
    python = environment / SCRIPTS / "python"
    made_for = environment / "made-for"
    if not made_for.exists() or made_for.read_text() != NOX + sys.version:
        print(f"Making an environment for nox in {environment} ...", flush=True)
        venv.create(environment, clear=True, symlinks=os.name != "nt")
        install_nox(python)
        made_for.write_text(NOX + sys.version)
    try:
        return subprocess.call([python, "-m", "nox", "-f", __file__, *sys.argv[1:]])
    except KeyboardInterrupt:
        return 130


def install_nox(python: Path) -> None:
    """Install nox with the first pip that works; Debian packs all three sources apart."""
    for pip_command in (bundled_pip, system_pip, downloaded_pip):
        pip = pip_command(python)
        if pip and subprocess.call([*pip, "install", "--quiet", NOX]) == 0:
            return
    sys.exit("nox could not be installed.")


def bundled_pip(python: Path) -> list[str] | None:
    """Return the pip that comes with Python (Debian: in python3-venv)."""
    done = subprocess.run([python, "-m", "ensurepip"], capture_output=True, check=False)
    return [str(python), "-m", "pip"] if done.returncode == 0 else None


def system_pip(python: Path) -> list[str] | None:
    """Return the system's pip, told to install elsewhere (Debian: in python3-pip)."""
    pip = [sys.executable, "-m", "pip"]
    done = subprocess.run([*pip, "--version"], capture_output=True, check=False)
    return [*pip, "--python", str(python)] if done.returncode == 0 else None


def downloaded_pip(python: Path) -> list[str]:
    """Return pip run from its wheel, fetched from the index and checked against its digest."""
    index = os.environ.get("PIP_INDEX_URL", "https://pypi.org/simple").rstrip("/")
    about = urllib.parse.urljoin(f"{index}/", "../pypi/pip/json")
    with urllib.request.urlopen(about, timeout=60) as answer:
        files = json.load(answer)["urls"]
    wheel = next(file for file in files if file["packagetype"] == "bdist_wheel")
    with urllib.request.urlopen(urllib.parse.urljoin(about, wheel["url"]), timeout=60) as answer:
        content = answer.read()
    if hashlib.sha256(content).hexdigest() != wheel["digests"]["sha256"]:
        sys.exit(f"{wheel['filename']} is not what the index promised; nothing was installed.")
    file = python.parent / wheel["filename"]
    file.write_bytes(content)
    return [str(python), str(file / "pip")]


if __name__ == "__main__":
    if sys.version_info < (3, 11):  # noqa: UP036 - whoever runs this may have any Python
        sys.exit(f"dwatch needs Python 3.11 or later, and this is {sys.version.split()[0]}.")
    sys.exit(start_nox())

import nox
from nox.command import CommandFailed

nox.needs_version = NOX.removeprefix("nox")
nox.options.default_venv_backend = "uv|virtualenv"
nox.options.download_python = "never"
nox.options.reuse_venv = "yes"
nox.options.sessions = ["lint", "types", "imports", "tests"]

PYPROJECT = nox.project.load_toml(HERE / "pyproject.toml")
STRICT = bool(os.environ.get("CI"))  # what is missing is a failure
# Both sides of the comparison on one Django.
BENCH_DJANGO = "django~=5.2.0"
PREDECESSOR = [
    "django-datawatch==8.0.0",
    "django-bootstrap5",  # it does not declare this one and the next
    "six",
    "psycopg[binary]",
    BENCH_DJANGO,
]

SERVERS = {
    "postgresql": (
        os.environ.get("PGHOST", "127.0.0.1"),
        int(os.environ.get("PGPORT", "5432")),
    ),
    "mariadb": (
        os.environ.get("MARIADB_HOST", "127.0.0.1"),
        int(os.environ.get("MARIADB_PORT", "3306")),
    ),
}


@nox.session
def demo(session: nox.Session) -> None:
    """Install dwatch, fill the example shop and run its checks."""
    session.install("-e", ".")
    session.chdir("examples/shop")
    session.env["SHOP_DATABASE"] = "sqlite"
    session.env["DJANGO_SETTINGS_MODULE"] = None  # the example's pyproject.toml names them
    session.run("python", "manage.py", "migrate", "--verbosity", "0")
    session.run("python", "manage.py", "fill_shop", "--customers", "1000")
    # One of the example's checks raises on purpose: 3 is the right answer, 0 would be wrong.
    session.run("dwatch", "run", "--force", success_codes=[3])
    dwatch = os.path.relpath(Path(session.bin, "dwatch"), Path.cwd())
    session.log(f"That is what it should say: the shop has defects. Next: cd {Path.cwd()}")
    session.log(f"  {dwatch} list    and    {dwatch} show SLUG    and    {dwatch} --help")


@nox.session
def tests(session: nox.Session) -> None:
    """Run the tests on every database within reach and ask for 95 % coverage."""
    install_for_tests(session)
    databases = usable_databases(session)
    session.run("coverage", "erase")
    for database in databases:
        run_tests(session, database, "coverage", "run")
    session.run("coverage", "combine")
    wanted = 0 if session.posargs else 95
    session.run("coverage", "report", f"--fail-under={wanted}")
    name_left_out(session, databases)


@nox.session
def stress(session: nox.Session) -> None:
    """Kill, freeze and lock out runs on every database within reach; DWATCH_STRESS_ROUNDS=200."""
    install_for_tests(session)
    databases = usable_databases(session)
    for database in databases:
        session.log(f"Stress on {database}:")
        # Without capture, because the tests print the figures.
        command = ["python", "-m", "pytest", "--capture=no", "tests/stress", *session.posargs]
        session.run(*command, env=test_environment(database))
    name_left_out(session, databases)


@nox.session
@nox.parametrize(("python", "django"), [("3.11", "5.2"), ("3.12", "6.1"), ("3.13", "6.1")])
def matrix(session: nox.Session, django: str) -> None:
    """Run the tests on each supported pair of Python and Django."""
    install_for_tests(session, f"django~={django}.0")
    # Kills and clocks (faults) are alike for all of them, and take minutes.
    run_tests(session, "sqlite", "python", ignored="faults")
    # What a database is asked depends on Django, not on Python, and `tests` covers 5.2.
    servers = usable_databases(session)[1:] if session.python == "3.13" else []
    for database in servers:
        run_tests(session, database, "python", ignored="backends cli faults")


@nox.session
def lint(session: nox.Session) -> None:
    """Look for bad style with ruff."""
    session.install(*nox.project.dependency_groups(PYPROJECT, "lint"))
    session.run("ruff", "check", ".")
    session.run("ruff", "format", "--check", ".")


@nox.session
def types(session: nox.Session) -> None:
    """Check the types with mypy."""
    session.install("-e", ".", *nox.project.dependency_groups(PYPROJECT, "types"))
    session.run("mypy", *session.posargs)


@nox.session
def imports(session: nox.Session) -> None:
    """Check that imports only point down."""
    session.install("-e", ".", *nox.project.dependency_groups(PYPROJECT, "imports"))
    session.run("lint-imports")


@nox.session
def bench(session: nox.Session) -> None:
    """Measure: the speed beside django-datawatch's, or `-- -h` for more."""
    session.install("-e", ".[postgres]", BENCH_DJANGO, "virtualenv")
    mariadb_driver = install_mariadb_driver(session)
    arguments = session.posargs or ["compare"]
    if arguments[0] == "compare" or arguments[0].startswith("--"):
        arguments = [*arguments, "--predecessor", install_predecessor(session, mariadb_driver)]
    session.run("python", "-m", "tests.bench", *arguments)


def install_mariadb_driver(session: nox.Session) -> str:
    """Install mysqlclient, or PyMySQL where that cannot be built; return which."""
    try:
        session.install("mysqlclient>=2.2.1")
    except CommandFailed:
        session.install("pymysql")
        return "pymysql"
    return "mysqlclient>=2.2.1"


def install_predecessor(session: nox.Session, mariadb_driver: str) -> str:
    """Install django-datawatch in an environment of its own and return its Python."""
    predecessor = Path(session.create_tmp(), "django-datawatch")
    python = str(predecessor / SCRIPTS / "python")
    session.run("virtualenv", "--quiet", str(predecessor))
    requirements = [*PREDECESSOR, mariadb_driver]
    session.run(python, "-m", "pip", "install", "--quiet", *requirements, external=True)
    return python


def install_for_tests(session: nox.Session, *requirements: str) -> None:
    """Install dwatch from this checkout with what its tests need."""
    groups = nox.project.dependency_groups(PYPROJECT, "tests")
    session.install("-e", ".", *groups, *requirements)


def run_tests(session: nox.Session, database: str, *interpreter: str, ignored: str = "") -> None:
    """Run the tests on one database; what knows no database is run on the first only."""
    once = "core examples bench report" if database != "sqlite" else ""
    left_out = [f"--ignore=tests/{folder}" for folder in f"{once} {ignored}".split()]
    left_out += ["-m", "not once"] if once else []
    session.log(f"The tests on {database}:")
    command = [*interpreter, "-m", "pytest", *left_out, *session.posargs]
    session.run(*command, env=test_environment(database))


def test_environment(database: str) -> dict[str, str | None]:
    """Return what the tests find in their environment; None takes the caller's setting away."""
    return {"DWATCH_TEST_DATABASE": database, "DJANGO_SETTINGS_MODULE": None}


def usable_databases(session: nox.Session) -> list[str]:
    """Return the databases that can be tested on; say why the others cannot."""
    usable = ["sqlite"]
    for database in SERVERS:
        why = why_unusable(session, database)
        if why and STRICT:
            session.error(f"CI asks for {database}: {why}.")
        if why:
            session.warn(f"{database} is left out: {why}.")
        else:
            usable.append(database)
    return usable


def why_unusable(session: nox.Session, database: str) -> str:
    """Return the reason why the database cannot be tested on; an empty text means it can."""
    host, port = SERVERS[database]
    try:
        socket.create_connection((host, port), timeout=5).close()
    except OSError:
        return f"nothing answers on {host}:{port}"
    if database == "mariadb":
        try:
            session.install("mysqlclient>=2.2.1")
        except CommandFailed:
            return "no driver (Debian needs gcc, libmariadb-dev, pkg-config and python3-dev)"
    try:
        session.run("python", "-m", "tests.databases", env=test_environment(database))
    except CommandFailed:
        return "the server does not let us in (see tests/databases.py)"
    return ""


def name_left_out(session: nox.Session, databases: list[str]) -> None:
    """Say at the end, too, what was not tested."""
    left_out = [database for database in SERVERS if database not in databases]
    if left_out:
        session.warn(f"Passed on {', '.join(databases)}; not tested on {', '.join(left_out)}.")
