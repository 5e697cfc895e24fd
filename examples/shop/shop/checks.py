"""The checks of the shop; together they show what a check can do."""

# ruff: noqa: ARG002, RUF012 - as a project would write them

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal
from functools import cached_property
from typing import TYPE_CHECKING, Any

from django import forms
from django.contrib.auth.models import Group
from django.db.models import Count, DecimalField, F, Q, Sum
from django.db.models.functions import Lower

from dwatch import BaseCheck, CheckResponse, QuerySetCheck, SkipCheck, Status, register
from dwatch.builtin import InvalidChoices, Orphans, RowCount
from shop.clock import today
from shop.models import Customer, Invoice, Order, OrderLine, Product, Wallet
from shop.states import OrderState

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from django.contrib.auth.models import User
    from django.db.models import QuerySet

RUNBOOKS = "https://example.com/runbooks"
CENT = Decimal("0.01")


@register
class WalletBalance(BaseCheck):
    """A check of a model; saving a wallet checks it again at once."""

    title = "Wallets in the red"
    run_every = "*/5 * * * *"
    model_class = Wallet
    trigger_update = {"wallet": Wallet}
    tags = ("money",)
    owner = "finance"
    runbook = f"{RUNBOOKS}/wallets"

    def check(self, payload: Wallet) -> CheckResponse | Status:
        if payload.balance < 0:
            return CheckResponse(Status.critical, balance=payload.balance)
        return Status.ok

    def get_wallet_payload(self, instance: Wallet) -> Wallet:
        return instance

    def get_assigned_groups(self, payload: Wallet, status: Status) -> Iterable[Group] | None:
        return [self._finance] if status is Status.critical else None

    @cached_property
    def _finance(self) -> Group:
        # Each run makes its own check object, so this is one query a run.
        return Group.objects.get(name="finance")

    def format_result_data(self, result: Any) -> str:
        return f"The wallet owes us {-Decimal(result.data['balance'])}." if result.data else ""


@dataclass(frozen=True, slots=True)
class Address:
    """An e-mail address in lower case, and how many customers have it."""

    email: str
    owners: int

    def __str__(self) -> str:
        return self.email


@register
class DuplicateEmails(BaseCheck):
    """Payloads need not be rows: here each is an address, and only shared ones come out.

    A repaired address is no longer generated, so its result vanishes.
    """

    title = "Customers who share an e-mail address"
    run_every = "@daily"
    tags = ("people",)
    owner = "sales"
    too_many = 3

    def generate(self) -> Iterator[Address]:
        emails = Customer.objects.values_list(Lower("email")).order_by()
        shared = emails.annotate(owners=Count("pk")).filter(owners__gt=1)
        yield from (Address(email, owners) for email, owners in shared.iterator())

    def get_identifier(self, payload: Address) -> str:
        return payload.email

    def get_payload(self, identifier: str) -> Address:
        return Address(identifier, Customer.objects.filter(email__iexact=identifier).count())

    def check(self, payload: Address) -> CheckResponse | Status:
        if payload.owners <= 1:
            return Status.ok
        status = Status.critical if payload.owners >= self.too_many else Status.warning
        return CheckResponse(status, owners=payload.owners)


@register
class OrderTotals(BaseCheck):
    """The database adds up: orders come with the sum of their lines."""

    title = "Orders whose total is not the sum of their lines"
    run_every = "0 3 * * *"
    model_class = Order
    tags = ("money", "orders")
    owner = "finance"
    runbook = f"{RUNBOOKS}/totals"

    def generate(self) -> Iterator[Order]:
        yield from self._orders().iterator()

    def get_payloads(self, identifiers: Iterable[str]) -> dict[str, Order]:
        return {str(order.pk): order for order in self._orders().filter(pk__in=identifiers)}

    def _orders(self) -> QuerySet[Order]:
        amount = F("lines__quantity") * F("lines__unit_price")
        return Order.objects.annotate(sum_of_lines=Sum(amount, output_field=DecimalField()))

    def check(self, payload: Any) -> CheckResponse | Status:
        # SQLite adds decimals as floats.
        expected = (payload.sum_of_lines or Decimal(0)).quantize(CENT)
        difference = payload.total - expected
        if not difference:
            return Status.ok
        status = Status.critical if abs(difference) >= 1 else Status.warning
        return CheckResponse(status, total=payload.total, expected=expected, difference=difference)

    def format_result_data(self, result: Any) -> str:
        if not result.data:
            return ""
        return "{total} were charged where the lines add up to {expected}.".format(**result.data)


@register
class OverdueInvoices(QuerySetCheck):
    """The database judges; only overdue invoices come into Python.

    The customer's account manager is told; from critical on finance is, too.
    """

    title = "Invoices past their due date"
    run_every = "0 6 * * *"
    queryset = Invoice.objects.select_related("order__customer__account_manager")
    data_fields = ("due_on", "total")
    max_acknowledge = 14
    tags = ("money",)
    owner = "finance"
    runbook = f"{RUNBOOKS}/dunning"
    critical_days = 30

    # Methods, because they depend on what day it is.

    def critical(self) -> Q:
        return Q(paid_on=None, due_on__lt=today() - timedelta(days=self.critical_days))

    def warning(self) -> Q:
        return Q(paid_on=None, due_on__lt=today())

    def get_assigned_users(self, payload: Invoice, status: Status) -> Iterable[User] | None:
        manager = payload.order.customer.account_manager
        return [manager] if status.is_problem and manager else None

    def get_assigned_groups(self, payload: Invoice, status: Status) -> Iterable[Group] | None:
        return [self._finance] if status is Status.critical else None

    @cached_property
    def _finance(self) -> Group:
        return Group.objects.get(name="finance")

    def get_payload_description(self, payload: Invoice) -> str:
        return f"{payload} of {payload.order.customer}, {payload.total}"


@register
class ParcelTracking(BaseCheck):
    """Raises on a code without a hyphen, on purpose.

    dwatch shows such an order as unknown, with the error, and goes on.
    """

    title = "Shipped orders without a tracking code"
    run_every = "*/30 * * * *"
    model_class = Order
    tags = ("orders",)
    owner = "warehouse"

    def generate(self) -> Iterator[Order]:
        yield from Order.objects.filter(state=OrderState.SHIPPED).iterator()

    def check(self, payload: Order) -> CheckResponse | Status:
        if not payload.tracking_code:
            return Status.warning
        carrier, parcel = payload.tracking_code.split("-")
        return CheckResponse(Status.ok, carrier=carrier, parcel=parcel)


class WaitingForm(forms.Form):
    warning_days = forms.IntegerField(initial=3, min_value=0)
    critical_days = forms.IntegerField(initial=7, min_value=0)


@register
class WaitingOrders(BaseCheck):
    """How long is too long can be configured for each order."""

    title = "Orders that are paid and not shipped"
    run_every = "0 8-18 * * mon-fri"
    model_class = Order
    config_form = WaitingForm
    tags = ("orders",)
    owner = "warehouse"

    def generate(self) -> Iterator[Order]:
        yield from Order.objects.filter(state=OrderState.PAID).iterator()

    def check(self, payload: Order) -> CheckResponse | Status:
        if payload.state != OrderState.PAID:
            raise SkipCheck
        limits = self.get_config(payload)
        days = (today() - payload.placed_on).days
        if days > limits["critical_days"]:
            return CheckResponse(Status.critical, days_waiting=days)
        if days > limits["warning_days"]:
            return CheckResponse(Status.warning, days_waiting=days)
        return Status.ok


@dataclass(frozen=True, slots=True)
class Day:
    """One day of business."""

    date: date
    orders: int

    def __str__(self) -> str:
        return f"{self.date:%A}, {self.date}"


@register
class DailyOrders(BaseCheck):
    """Another check without a model: each payload is a day."""

    title = "Days without an order"
    run_every = "15 0 * * *"
    timezone = "Europe/Berlin"
    tags = ("orders",)
    owner = "sales"
    days = 14

    def generate(self) -> Iterator[Day]:
        first = today() - timedelta(days=self.days)
        counts = Order.objects.filter(placed_on__gte=first).values_list("placed_on")
        orders = dict(counts.annotate(Count("pk")).order_by())
        for age in range(self.days, 0, -1):
            day = today() - timedelta(days=age)
            yield Day(day, orders.get(day, 0))

    def get_identifier(self, payload: Day) -> str:
        return payload.date.isoformat()

    def get_payload(self, identifier: str) -> Day:
        day = date.fromisoformat(identifier)
        return Day(day, Order.objects.filter(placed_on=day).count())

    def check(self, payload: Day) -> CheckResponse:
        return CheckResponse(Status.ok if payload.orders else Status.warning, orders=payload.orders)


class StockForm(forms.Form):
    reorder_at = forms.IntegerField(initial=10, min_value=0)


@register
class ProductStock(BaseCheck):
    """Products that are no longer sold have no result at all."""

    title = "Products that run out"
    run_every = "0 * * * *"
    model_class = Product
    config_form = StockForm
    tags = ("warehouse",)
    owner = "warehouse"

    def check(self, payload: Product) -> CheckResponse:
        if payload.discontinued:
            raise SkipCheck
        response = CheckResponse(stock=payload.stock)
        response.set_status(self._judge(payload))
        return response

    def _judge(self, product: Product) -> Status:
        if not product.stock:
            return Status.critical
        reorder_at = self.get_config(product)["reorder_at"]
        return Status.warning if product.stock < reorder_at else Status.ok

    def get_assigned_groups(self, payload: Product, status: Status) -> Iterable[Group] | None:
        return [self._warehouse] if status.is_problem else None

    @cached_property
    def _warehouse(self) -> Group:
        return Group.objects.get(name="warehouse")


@register
class ProductMargin(BaseCheck):
    """Warning and critical from one response, which carries its data either way."""

    title = "Products sold at a loss"
    run_every = "0 4 * * 1"
    model_class = Product
    trigger_update = {"product": Product}
    tags = ("money",)
    owner = "sales"

    def check(self, payload: Product) -> CheckResponse:
        margin = payload.price - payload.cost
        response = CheckResponse(Status.ok, cost=payload.cost, price=payload.price)
        if margin < 0:
            response.set_status(Status.critical)
        elif margin < payload.cost / 10:
            response.set_status(Status.warning)
        return response

    def get_product_payload(self, instance: Product) -> Product:
        return instance

    def get_payload_description(self, payload: Product) -> str:
        return f"{payload} (bought at {payload.cost}, sold at {payload.price})"


@register
class OrderStates(InvalidChoices):
    """Ready-made: what a raw UPDATE can do, since choices are not the database's business."""

    title = "Orders in a state that does not exist"
    run_every = "30 3 * * *"
    model_class = Order
    tags = ("orders",)
    owner = "sales"


@register
class LostOrderLines(Orphans):
    """Ready-made: every foreign key of the model; there should be none to find."""

    title = "Order lines of orders or products that are gone"
    run_every = "45 3 * * *"
    model_class = OrderLine
    tags = ("orders",)
    owner = "sales"


@register
class CatalogueSize(RowCount):
    """Ready-made: an import that went wrong shows in the number of rows."""

    title = "Products in the catalogue"
    run_every = "@hourly"
    model_class = Product
    minimum = 10
    tags = ("warehouse",)
    owner = "warehouse"
