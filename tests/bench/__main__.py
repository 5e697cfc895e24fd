"""``python -m tests.bench [BENCHMARK] [options]``: see README.md beside this file."""

from __future__ import annotations

import argparse
import json
import sys
from datetime import UTC, datetime
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING

from tests.bench.findings import say
from tests.bench.machine import describe
from tests.bench.table import table

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from tests.bench.findings import Benchmark, Findings

DEFAULT = "compare"
# One line each: the module beside this file that measures.
BENCHMARKS = (
    "compare",
    "listing",
    "parallel",
    "querysetcheck",
    "scale",
    "startup",
)


def main(argv: Sequence[str] | None = None) -> int:
    """Measure and print the table; 0 if all was measured, 1 if something failed."""
    given = list(sys.argv[1:] if argv is None else argv)
    if not given or (given[0].startswith("-") and given[0] not in {"-h", "--help"}):
        given.insert(0, DEFAULT)
    options = _parser().parse_args(given)
    began = datetime.now(UTC)
    findings = options.measure(options)
    facts = describe(getattr(options, "databases", ()))
    _print(findings, facts)
    if options.json:
        command = f"python -m tests.bench {' '.join(given)}"
        about = {"command": command, "at": began.isoformat(timespec="seconds"), **facts}
        content = {"about": about, **findings.figures, "failures": list(findings.failures)}
        options.json.write_text(json.dumps(content, indent=2) + "\n")
    return 1 if findings.failures or not findings.rows else 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m tests.bench", description=__doc__)
    commands = parser.add_subparsers(required=True, metavar="BENCHMARK")
    for name in BENCHMARKS:
        benchmark: Benchmark = import_module(f"tests.bench.{name}")
        summary = (benchmark.__doc__ or "").partition("\n")[0]
        command = commands.add_parser(name, help=summary, description=benchmark.__doc__)
        benchmark.add_options(command)
        command.add_argument("--json", type=Path, metavar="FILE", help="every figure, for machines")
        command.set_defaults(measure=benchmark.measure)
    return parser


def _print(findings: Findings, facts: Mapping[str, str]) -> None:
    sys.stdout.write("; ".join(f"{name} {value}" for name, value in facts.items()) + "\n\n")
    sys.stdout.write(f"{table(findings.headings, findings.rows)}\n")
    for failure in findings.failures:
        say(f"not measured: {failure}")


if __name__ == "__main__":
    sys.exit(main())
