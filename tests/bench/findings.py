"""What a benchmark is for the runner: options, and findings that it can show."""

from __future__ import annotations

import sys
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    import argparse
    from collections.abc import Mapping, Sequence


@dataclass(frozen=True, slots=True)
class Findings:
    """A table for people, every figure for machines, and what could not be measured."""

    headings: tuple[str, ...]
    rows: Sequence[tuple[str, ...]]
    figures: Mapping[str, Any]
    failures: Sequence[str] = ()


class Benchmark(Protocol):
    """A module such as ``tests.bench.compare``; the first line of its docstring is its help."""

    __doc__: str | None

    def add_options(self, parser: argparse.ArgumentParser) -> None:
        """Declare the options that are this benchmark's own."""

    def measure(self, options: argparse.Namespace) -> Findings:
        """Measure. What fails is named in the findings and does not keep the rest out."""


def say(words: str) -> None:
    """Tell on stderr how far it is: the table has stdout for itself."""
    sys.stderr.write(f"{words}\n")
    sys.stderr.flush()
