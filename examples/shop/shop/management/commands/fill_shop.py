"""Fill the shop with rows, some of them defective in known numbers."""

from __future__ import annotations

import json
from datetime import date
from typing import TYPE_CHECKING, Any

from django.core.management.base import BaseCommand, CommandError

from shop import clock, staff
from shop.defects import expected_results
from shop.fill import fill

if TYPE_CHECKING:
    from argparse import ArgumentParser

SEVERITIES = ("critical", "warning", "unknown", "ok")


class Command(BaseCommand):
    help = "Replace the shop's rows; results of earlier runs of dwatch stay."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--customers", type=int, default=200, metavar="N")
        parser.add_argument(
            "--today",
            type=date.fromisoformat,
            help="the day the dates are counted back from (default: SHOP_TODAY, else today)",
        )
        parser.add_argument("--json", action="store_true", help="print the defects as JSON")

    def handle(self, **options: Any) -> None:
        customers = options["customers"]
        if customers < 1:
            message = "--customers must be at least 1"
            raise CommandError(message)
        fill(customers, options["today"] or clock.today())
        if options["json"]:
            self.stdout.write(json.dumps(expected_results(customers), indent=2))
        else:
            self._describe(customers)

    def _describe(self, customers: int) -> None:
        self.stdout.write(f"{customers:,} customers, with defects for the checks to find:\n\n")
        self.stdout.write("check".ljust(18) + "".join(f"{word:>10}" for word in SEVERITIES))
        for check, counts in expected_results(customers).items():
            cells = "".join(f"{counts.get(word, 0):>10,}" for word in SEVERITIES)
            self.stdout.write(check.ljust(18) + cells)
        self.stdout.write(f"\nSign in as {staff.SUPERUSER!r}, password {staff.PASSWORD!r}.")
