"""The same check, as dwatch wants it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from dwatch import BaseCheck, CheckResponse, Status, register
from tests.bench import rows
from tests.bench.wallets.models import Wallet

if TYPE_CHECKING:
    from collections.abc import Iterator


@register
class WalletBalance(BaseCheck):
    run_every = "*/5 * * * *"
    model_class = Wallet

    def generate(self) -> Iterator[Wallet]:
        yield from Wallet.objects.filter(pk__lte=rows.payloads()).iterator()

    def check(self, payload: Wallet) -> CheckResponse:
        response = CheckResponse()
        if payload.balance < 0:
            response.balance = payload.balance
            response.set_status(Status.critical)
        else:
            response.set_status(Status.ok)
        return response
