"""Database servers of a test's own, which it may stop, start and kill."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import tempfile
import time
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator

_PATIENCE = 60.0


@dataclass(slots=True)
class Server:
    """One server: its folder, its port, and how it is started."""

    command: list[str]
    account: str
    port: int
    environment: dict[str, str]
    asks: list[str]
    """A command that succeeds once the server lets people in."""
    process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Start it and wait until it answers."""
        self.process = subprocess.Popen(self.command, **_as_account(self.account))
        deadline = time.monotonic() + _PATIENCE
        while True:
            try:
                socket.create_connection(("127.0.0.1", self.port), timeout=5).close()
                subprocess.run(self.asks, check=True, **_as_account(self.account))
            except (OSError, subprocess.CalledProcessError):
                assert time.monotonic() < deadline, "the server does not start"
                assert self.process.poll() is None, "the server ended at once"
                time.sleep(0.05)
            else:
                return

    def kill(self) -> None:
        """Kill it as a power cut would: PostgreSQL's children notice and end as well."""
        assert self.process is not None
        self.process.kill()
        self.process.wait()


@contextmanager
def private_server(vendor: str) -> Iterator[Server]:
    """Give a running server of the vendor's, with an empty database for a project."""
    folder = Path(tempfile.mkdtemp(prefix="dwatch-server-"))
    server = {"postgresql": _postgresql, "mysql": _mariadb}[vendor](folder, _free_port())
    try:
        server.start()
        yield server
    finally:
        if server.process is not None:
            server.process.terminate()
            server.process.wait()
        shutil.rmtree(folder, ignore_errors=True)


def _postgresql(folder: Path, port: int) -> Server:
    binaries = max(Path("/usr/lib/postgresql").glob("*/bin"))
    account = _hand_over(folder, "postgres")
    made = [f"{binaries}/initdb", "--no-sync", "--auth=trust", "--username=postgres"]
    _run([*made, f"--pgdata={folder}/data"], account)
    command = [f"{binaries}/postgres", "-D", f"{folder}/data", "-k", str(folder), "-p", str(port)]
    environment = {"PGPORT": str(port), "PGHOST": "127.0.0.1"}
    asks = [f"{binaries}/pg_isready", "--host=127.0.0.1", f"--port={port}"]
    return Server(command, account, port, environment, asks)


def _mariadb(folder: Path, port: int) -> Server:
    account = _hand_over(folder, "mysql")
    common = ["--no-defaults", f"--datadir={folder}/data"]
    made = ["mariadb-install-db", *common, "--auth-root-authentication-method=normal"]
    _run([*made, "--skip-test-db"], account)
    command = [shutil.which("mariadbd") or "/usr/sbin/mariadbd", *common, f"--port={port}"]
    command += [f"--socket={folder}/socket", "--bind-address=127.0.0.1", "--skip-name-resolve"]
    environment = {"MARIADB_PORT": str(port), "MARIADB_HOST": "127.0.0.1", "MARIADB_USER": "root"}
    environment["MARIADB_PASSWORD"] = ""
    return Server(command, account, port, environment, asks=["true"])


def _hand_over(folder: Path, account: str) -> str:
    """Give the folder to the server's account; who is not root runs it as himself."""
    if os.geteuid() != 0:
        return ""
    shutil.chown(folder, account)
    return account


def _run(command: list[str], account: str) -> None:
    subprocess.run(command, check=True, **_as_account(account))


def _as_account(account: str) -> dict[str, Any]:
    quiet = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL, "cwd": "/"}
    return {**quiet, "user": account, "group": account, "extra_groups": []} if account else quiet


def _free_port() -> int:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        port: int = listener.getsockname()[1]
        return port
