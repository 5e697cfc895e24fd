"""Replace the whole content of the shop, in bulk."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.core.management.color import no_style
from django.db import connection, transaction

from shop import defects, rows
from shop.models import Customer, Invoice, Order, OrderLine, Product, Wallet
from shop.staff import ensure_staff

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import date

    from django.db import models

CHUNK = 5_000
CHILDREN_FIRST: tuple[type[models.Model], ...] = (
    Invoice,
    OrderLine,
    Order,
    Wallet,
    Product,
    Customer,
)


@transaction.atomic
def fill(customers: int, today: date) -> None:
    """Replace the shop's rows by ``customers`` customers and as many orders.

    The results of dwatch stay as they are. All or nothing: an interrupted fill
    leaves the old shop.
    """
    managers = [user.pk for user in ensure_staff()]
    plan = rows.ShopPlan(customers, today, managers)
    _delete_rows()
    _insert_rows(plan)
    _continue_numbering()


def _delete_rows() -> None:
    # Not QuerySet.delete(): it would load every row to tell signal handlers of it.
    with connection.cursor() as cursor:
        for model in CHILDREN_FIRST:
            table = connection.ops.quote_name(model._meta.db_table)
            cursor.execute(f"DELETE FROM {table}")  # noqa: S608 - the name is a model's


def _insert_rows(plan: rows.ShopPlan) -> None:
    for numbers in _chunks(plan.products):
        Product.objects.bulk_create(rows.product(number) for number in numbers)
    for numbers in _chunks(plan.customers):
        Customer.objects.bulk_create(rows.customer(plan, number) for number in numbers)
        Wallet.objects.bulk_create(rows.wallet(number) for number in numbers)
    for numbers in _chunks(plan.customers):
        _insert_orders(plan, numbers)


def _insert_orders(plan: rows.ShopPlan, numbers: range) -> None:
    lines = {number: rows.order_lines(plan, number) for number in numbers}
    orders = {number: rows.order(plan, number, lines[number]) for number in numbers}
    Order.objects.bulk_create(orders.values())
    OrderLine.objects.bulk_create(line for pair in lines.values() for line in pair)
    Invoice.objects.bulk_create(
        rows.invoice(number, order)
        for number, order in orders.items()
        if defects.has_invoice(number)
    )


def _chunks(rows_wanted: int) -> Iterator[range]:
    for start in range(0, rows_wanted, CHUNK):
        yield range(start, min(start + CHUNK, rows_wanted))


def _continue_numbering() -> None:
    """Let the next row somebody adds have the next number, not number 1."""
    with connection.cursor() as cursor:
        for statement in connection.ops.sequence_reset_sql(no_style(), CHILDREN_FIRST):
            cursor.execute(statement)
