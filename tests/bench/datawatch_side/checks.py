"""The check, as django-datawatch wants it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from celery.schedules import crontab
from django_datawatch.base import BaseCheck, CheckResponse  # type: ignore[import-not-found]
from django_datawatch.datawatch import datawatch  # type: ignore[import-not-found]
from django_datawatch.models import Result  # type: ignore[import-not-found]

from tests.bench import rows
from tests.bench.wallets.models import Wallet

if TYPE_CHECKING:
    from collections.abc import Iterator


@datawatch.register
class WalletBalance(BaseCheck):  # type: ignore[misc]
    run_every = crontab(minute="*/5")
    model_class = Wallet

    def generate(self) -> Iterator[Wallet]:
        yield from Wallet.objects.filter(pk__lte=rows.payloads()).iterator()

    def check(self, payload: Wallet) -> CheckResponse:
        response = CheckResponse()
        if payload.balance < 0:
            response.balance = payload.balance
            response.set_status(Result.STATUS.critical)
        else:
            response.set_status(Result.STATUS.ok)
        return response
