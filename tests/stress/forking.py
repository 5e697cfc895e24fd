"""A process that has everything imported and forks a ``dwatch`` wherever one is asked for.

Two hundred cold starts would take minutes. Nothing is open yet when it forks, no
connection and no thread, so that a child is what a process of its own would be.

Reads JSON from stdin, line by line: ``{"times": 2, "arguments": ["run"]}``. Answers
with the list of process ids, and once all have ended with the list of how they did:
an exit code, or the negative number of the signal that killed one.
"""

from __future__ import annotations

import json
import os
import sys

import django


def main() -> None:
    django.setup()
    from django.db import connections

    from dwatch.cli import app, commands  # noqa: F401 - imported before the first fork
    from dwatch.discovery import discover
    from dwatch.report import run as report  # noqa: F401 - as above
    from dwatch.services import run  # noqa: F401 - as above

    discover()
    for line in sys.stdin:
        request = json.loads(line)
        assert all(opened.connection is None for opened in connections.all())
        start_reads, start_writes = os.pipe()
        children = [
            _fork(request["arguments"], start_reads, start_writes) for _ in range(request["times"])
        ]
        os.close(start_reads)
        _say(children)
        os.close(start_writes)  # now they all begin
        _say([os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) for child in children])


def _fork(arguments: list[str], start_reads: int, start_writes: int) -> int:
    child = os.fork()
    if child:
        return child
    try:
        os.close(start_writes)
        output = os.open("output", os.O_WRONLY | os.O_CREAT | os.O_APPEND)
        for stream in (1, 2):
            os.dup2(output, stream)
        os.read(start_reads, 1)
        from dwatch.cli.app import main as dwatch

        code = dwatch(arguments)
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(code)
    finally:
        os._exit(70)  # no exit code of ours: what went through is a fault


def _say(answer: list[int]) -> None:
    print(json.dumps(answer), flush=True)  # noqa: T201 - its parent reads it


if __name__ == "__main__":
    main()
