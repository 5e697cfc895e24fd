"""The shop's rows, built from their numbers; see ``shop.defects`` for the rules."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from decimal import Decimal
from random import Random
from typing import TYPE_CHECKING

from shop import defects
from shop.models import Customer, Invoice, Order, OrderLine, Product, Wallet
from shop.states import OrderState

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import date

SEED = 20_151_124
FIRST_NAMES = ("Ada", "Björn", "Chiara", "Dmitri", "Élise", "Farid", "Grace", "Hanna", "Ines")
LAST_NAMES = ("Abel", "Brandt", "Costa", "Dupont", "Eriksen", "Fischer", "García", "Huber")
GOODS = ("Lamp", "Chair", "Kettle", "Rug", "Mirror", "Shelf", "Clock", "Vase")


@dataclass(frozen=True, slots=True)
class ShopPlan:
    """How large the shop is, what day it is there and who looks after customers."""

    customers: int
    today: date
    account_managers: Sequence[int]

    @property
    def products(self) -> int:
        return defects.product_count(self.customers)

    def days_ago(self, days: int) -> date:
        return self.today - timedelta(days=days)


def money(cents: int) -> Decimal:
    return Decimal(cents).scaleb(-2)


def customer(plan: ShopPlan, number: int) -> Customer:
    first = FIRST_NAMES[number % len(FIRST_NAMES)]
    last = LAST_NAMES[number // len(FIRST_NAMES) % len(LAST_NAMES)]
    return Customer(
        pk=number + 1,
        name=f"{first} {last}",
        email=f"customer{_email_number(number)}@example.com",
        customer_since=plan.days_ago(400 + number % 2000),
        account_manager_id=plan.account_managers[number % len(plan.account_managers)],
    )


def _email_number(number: int) -> int:
    if defects.SHARES_EMAIL_TOO.hits(number):
        return number - 2
    return number - 1 if defects.SHARES_EMAIL.hits(number) else number


def wallet(number: int) -> Wallet:
    # Consecutive multiples of 7,919 modulo 20,000: spread out, and never negative.
    cents = number * 7_919 % 20_000
    if defects.OVERDRAWN.hits(number):
        cents = -100 - cents
    return Wallet(pk=number + 1, customer_id=number + 1, balance=money(cents))


def product(number: int) -> Product:
    cost = _cost_cents(number)
    return Product(
        pk=number + 1,
        name=f"{GOODS[number % len(GOODS)]} {number + 1}",
        cost=money(cost),
        price=money(cost * _markup_percent(number) // 100),
        stock=_stock(number),
        discontinued=defects.DISCONTINUED.hits(number),
    )


def _cost_cents(number: int) -> int:
    return 500 + number * 613 % 9_500


def _markup_percent(number: int) -> int:
    if defects.BELOW_COST.hits(number):
        return 90
    return 105 if defects.THIN_MARGIN.hits(number) else 160


def _stock(number: int) -> int:
    if defects.OUT_OF_STOCK.hits(number):
        return 0
    return 4 if defects.LOW_STOCK.hits(number) else 20 + number * 37 % 300


def order_lines(plan: ShopPlan, number: int) -> list[OrderLine]:
    random = Random(SEED + number)  # noqa: S311 - has to come out the same every time
    return [
        OrderLine(
            pk=number * defects.LINES_PER_ORDER + position + 1,
            order_id=number + 1,
            product_id=random.randrange(plan.products) + 1,
            quantity=random.randint(1, 5),
            unit_price=money(random.randint(500, 20_000)),
        )
        for position in range(defects.LINES_PER_ORDER)
    ]


def order(plan: ShopPlan, number: int, lines: Sequence[OrderLine]) -> Order:
    state = defects.order_state(number)
    return Order(
        pk=number + 1,
        customer_id=number * 31 % plan.customers + 1,
        placed_on=plan.days_ago(defects.order_age(number)),
        state="canceled" if defects.STATE_MISSPELT.hits(number) else state.value,
        total=sum((line.quantity * line.unit_price for line in lines), _total_error(number)),
        tracking_code=_tracking_code(number) if state is OrderState.SHIPPED else "",
    )


def _total_error(number: int) -> Decimal:
    if defects.TOTAL_WRONG.hits(number):
        return Decimal("5.00")
    return Decimal("0.01") if defects.TOTAL_OFF_BY_A_CENT.hits(number) else Decimal("0.00")


def _tracking_code(number: int) -> str:
    if defects.UNTRACKED.hits(number):
        return ""
    separator = " " if defects.TRACKING_UNREADABLE.hits(number) else "-"
    return f"DHL{separator}{10_000_000 + number}"


def invoice(number: int, order: Order) -> Invoice:
    return Invoice(
        pk=number + 1,
        order_id=order.pk,
        issued_on=order.placed_on,
        due_on=order.placed_on + timedelta(days=defects.PAYMENT_DAYS),
        total=order.total,
        paid_on=None if _is_unpaid(number) else order.placed_on,
    )


def _is_unpaid(number: int) -> bool:
    rules = (defects.UNPAID_LONG, defects.UNPAID, defects.NOT_DUE)
    return any(rule.hits(number) for rule in rules)
