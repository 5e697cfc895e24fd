"""Which rows of the shop are defective, decided by nothing but their number.

Customers, orders and products are numbered from 0. Every rule is a pure
function of that number, so that the number of defects is known before a row is
written and whoever reads the results can tell whether a check found them all.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from shop.states import OrderState

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

WATCHED_DAYS = 14
"""How many past days the check of daily orders looks at."""
QUIET_AGES = (3, 12)
"""Days on which nobody ordered, counted back from today."""
PAYMENT_DAYS = 14
"""Days from an invoice to its due date."""

LINES_PER_ORDER = 2

Counts = Mapping[str, int]


@dataclass(frozen=True, slots=True)
class Every:
    """Each ``step``-th row, beginning with row number ``first``."""

    step: int
    first: int

    def hits(self, number: int) -> bool:
        return number % self.step == self.first

    def count(self, rows: int) -> int:
        return len(range(self.first, rows, self.step))


OVERDRAWN = Every(50, 7)
SHARES_EMAIL = Every(80, 33)
"""The customer has the e-mail address of the one before."""
SHARES_EMAIL_TOO = Every(400, 34)
"""The third customer in a row with one address; always follows a SHARES_EMAIL."""
TOTAL_WRONG = Every(70, 11)
TOTAL_OFF_BY_A_CENT = Every(90, 17)
UNPAID_LONG = Every(60, 21)
UNPAID = Every(30, 13)
NOT_DUE = Every(20, 2)
UNTRACKED = Every(75, 38)
TRACKING_UNREADABLE = Every(120, 29)
WAITING_LONG = Every(100, 75)
WAITING = Every(100, 25)
OUT_OF_STOCK = Every(15, 4)
LOW_STOCK = Every(10, 6)
STATE_MISSPELT = Every(50, 14)
"""A cancelled order whose state somebody wrote as "canceled"."""
DISCONTINUED = Every(9, 8)
BELOW_COST = Every(40, 19)
THIN_MARGIN = Every(25, 12)


def order_state(number: int) -> OrderState:
    """Of ten orders one is open, one paid, one cancelled; seven are on their way."""
    states = {4: OrderState.CANCELLED, 5: OrderState.PAID, 6: OrderState.OPEN}
    return states.get(number % 10, OrderState.SHIPPED)


def has_invoice(number: int) -> bool:
    return order_state(number) in {OrderState.PAID, OrderState.SHIPPED}


def order_age(number: int) -> int:
    """Return how many days ago the order was placed."""
    special = {WAITING_LONG: 9, WAITING: 5, UNPAID_LONG: 59, UNPAID: 24, NOT_DUE: 2}
    for rule, age in special.items():
        if rule.hits(number):
            return age
    if order_state(number) is OrderState.PAID:
        return 1
    return _ORDINARY_AGES[number % len(_ORDINARY_AGES)]


_ORDINARY_AGES = tuple(age for age in range(1, 400) if age not in QUIET_AGES)


def product_count(customers: int) -> int:
    return 25 + customers // 20


def _count(rows: Iterable[int], judge: Callable[[int], str | None]) -> Counts:
    return Counter(verdict for verdict in map(judge, rows) if verdict is not None)


def _wallet(number: int) -> str:
    return "critical" if OVERDRAWN.hits(number) else "ok"


def _order_total(number: int) -> str:
    if TOTAL_WRONG.hits(number):
        return "critical"
    return "warning" if TOTAL_OFF_BY_A_CENT.hits(number) else "ok"


def _invoice(number: int) -> str | None:
    if not has_invoice(number):
        return None
    if UNPAID_LONG.hits(number):
        return "critical"
    return "warning" if UNPAID.hits(number) else "ok"


def _state(number: int) -> str:
    return "critical" if STATE_MISSPELT.hits(number) else "ok"


def _tracking(number: int) -> str | None:
    if order_state(number) is not OrderState.SHIPPED:
        return None
    if TRACKING_UNREADABLE.hits(number):
        return "unknown"
    return "warning" if UNTRACKED.hits(number) else "ok"


def _waiting(number: int) -> str | None:
    if order_state(number) is not OrderState.PAID:
        return None
    if WAITING_LONG.hits(number):
        return "critical"
    return "warning" if WAITING.hits(number) else "ok"


def _stock(number: int) -> str | None:
    if DISCONTINUED.hits(number):
        return None
    if OUT_OF_STOCK.hits(number):
        return "critical"
    return "warning" if LOW_STOCK.hits(number) else "ok"


def _margin(number: int) -> str:
    if BELOW_COST.hits(number):
        return "critical"
    return "warning" if THIN_MARGIN.hits(number) else "ok"


def _days(orders: int) -> Counts:
    busy = {order_age(number) for number in range(orders)}
    return _count(range(1, WATCHED_DAYS + 1), lambda age: "ok" if age in busy else "warning")


def _emails(customers: int) -> Counts:
    triples = SHARES_EMAIL_TOO.count(customers)
    return Counter(critical=triples, warning=SHARES_EMAIL.count(customers) - triples)


def expected_results(customers: int) -> dict[str, Counts]:
    """Return, for each check's class name, how many payloads have each status.

    Holds for a shop filled with that many customers and as many orders, looked
    at on the day it was filled for. Skipped payloads are in no count.
    """
    orders = range(customers)
    products = range(product_count(customers))
    return {
        "WalletBalance": _count(orders, _wallet),
        "DuplicateEmails": _emails(customers),
        "OrderTotals": _count(orders, _order_total),
        "OverdueInvoices": _count(orders, _invoice),
        "ParcelTracking": _count(orders, _tracking),
        "WaitingOrders": _count(orders, _waiting),
        "DailyOrders": _days(customers),
        "ProductStock": _count(products, _stock),
        "ProductMargin": _count(products, _margin),
        "OrderStates": _count(orders, _state),
        "LostOrderLines": Counter(ok=LINES_PER_ORDER * customers),
        "CatalogueSize": Counter(ok=1),
    }
