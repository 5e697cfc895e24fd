"""Checks that take their time: one computes, one waits."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from dwatch import BaseCheck, Status, register
from tests.bench import rows

if TYPE_CHECKING:
    from collections.abc import Iterable


class Numbers(BaseCheck):
    def generate(self) -> Iterable[int]:
        return range(rows.payloads())

    def get_identifier(self, payload: int) -> int:
        return payload

    def get_payload(self, identifier: str) -> int:
        return int(identifier)


@register
class Computes(Numbers):
    slug = "computes"

    def check(self, payload: int) -> Status:
        return Status.ok if sum(range(100_000)) > payload else Status.critical


@register
class Waits(Numbers):
    slug = "waits"

    def check(self, payload: int) -> Status:  # noqa: ARG002 - whatever it is
        time.sleep(0.01)
        return Status.ok
