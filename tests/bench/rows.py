"""The data both tools look at, and what they have to find in it."""

from __future__ import annotations

import os

FAILING_EVERY = 50
"""Each 50th wallet, 2 %, is overdrawn."""


def payloads() -> int:
    """Return how many wallets the check looks at, ``BENCH_PAYLOADS``."""
    return int(os.environ["BENCH_PAYLOADS"])


def balance(number: int) -> int:
    """Return the balance of wallet ``number``, counted from 1."""
    return -number if number % FAILING_EVERY == 0 else number


def failing(payloads: int) -> int:
    """Return how many of the first ``payloads`` wallets are overdrawn."""
    return payloads // FAILING_EVERY
