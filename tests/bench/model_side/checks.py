"""A check whose payloads are the rows of a model."""

from __future__ import annotations

from dwatch import BaseCheck, CheckResponse, Status, register
from tests.bench.wallets.models import Wallet


@register
class WalletBalance(BaseCheck):
    run_every = "*/5 * * * *"
    model_class = Wallet

    def check(self, payload: Wallet) -> CheckResponse:
        status = Status.critical if payload.balance < 0 else Status.ok
        return CheckResponse(status, balance=payload.balance)
