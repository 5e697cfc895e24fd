from __future__ import annotations

from typing import ClassVar

from django.conf import settings
from django.db import models

from shop.states import OrderState

ORDER_STATES = [(state.value, state.value.capitalize()) for state in OrderState]


class Customer(models.Model):
    name = models.CharField(max_length=100)
    email = models.EmailField(db_index=True)
    customer_since = models.DateField()
    account_manager = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.SET_NULL, null=True, related_name="customers"
    )

    def __str__(self) -> str:
        return self.name


class Wallet(models.Model):
    """Money a customer paid in advance."""

    customer = models.OneToOneField(Customer, on_delete=models.CASCADE)
    balance = models.DecimalField(max_digits=10, decimal_places=2)

    def __str__(self) -> str:
        # The number, not the name: naming the customer would cost a query a wallet.
        return f"Wallet of customer {self.customer_id}"


class Product(models.Model):
    name = models.CharField(max_length=100)
    cost = models.DecimalField(max_digits=8, decimal_places=2)
    price = models.DecimalField(max_digits=8, decimal_places=2)
    stock = models.PositiveIntegerField()
    discontinued = models.BooleanField(default=False)

    def __str__(self) -> str:
        return self.name


class Order(models.Model):
    customer = models.ForeignKey(Customer, on_delete=models.CASCADE, related_name="orders")
    placed_on = models.DateField(db_index=True)
    state = models.CharField(max_length=10, choices=ORDER_STATES, db_index=True)
    total = models.DecimalField(max_digits=10, decimal_places=2)
    tracking_code = models.CharField(
        max_length=40, blank=True, help_text="Carrier, a hyphen and the parcel's number."
    )

    def __str__(self) -> str:
        return f"Order {self.pk}"


class OrderLine(models.Model):
    order = models.ForeignKey(Order, on_delete=models.CASCADE, related_name="lines")
    product = models.ForeignKey(Product, on_delete=models.PROTECT)
    quantity = models.PositiveSmallIntegerField()
    unit_price = models.DecimalField(max_digits=8, decimal_places=2)

    def __str__(self) -> str:
        return f"{self.quantity} of product {self.product_id}"


class Invoice(models.Model):
    order = models.OneToOneField(Order, on_delete=models.CASCADE)
    issued_on = models.DateField()
    due_on = models.DateField(db_index=True)
    total = models.DecimalField(max_digits=10, decimal_places=2)
    paid_on = models.DateField(null=True, blank=True)

    class Meta:
        indexes: ClassVar = [models.Index(fields=["paid_on", "due_on"])]

    def __str__(self) -> str:
        return f"Invoice {self.pk}"
