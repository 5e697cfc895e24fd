"""A check that makes its payloads itself, so that nothing but dwatch could keep them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from dwatch import BaseCheck, CheckResponse, Status, register
from tests.bench import rows

if TYPE_CHECKING:
    from collections.abc import Iterator


@register
class NumberBalance(BaseCheck):
    run_every = "*/5 * * * *"

    def generate(self) -> Iterator[int]:
        yield from range(1, rows.payloads() + 1)

    def get_identifier(self, payload: int) -> int:
        return payload

    def get_payload(self, identifier: str) -> int:
        return int(identifier)

    def check(self, payload: int) -> CheckResponse:
        balance = rows.balance(payload)
        return CheckResponse(Status.critical if balance < 0 else Status.ok, balance=balance)
