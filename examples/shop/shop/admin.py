from __future__ import annotations

from typing import ClassVar

from django.contrib import admin

from shop.models import Customer, Invoice, Order, OrderLine, Product, Wallet


@admin.register(Customer)
class CustomerAdmin(admin.ModelAdmin):
    list_display = ("name", "email", "customer_since", "account_manager")
    list_select_related = ("account_manager",)
    search_fields = ("name", "email")


@admin.register(Wallet)
class WalletAdmin(admin.ModelAdmin):
    list_display = ("customer", "balance")
    list_select_related = ("customer",)
    raw_id_fields = ("customer",)


@admin.register(Product)
class ProductAdmin(admin.ModelAdmin):
    list_display = ("name", "cost", "price", "stock", "discontinued")
    list_filter = ("discontinued",)
    search_fields = ("name",)


class OrderLineInline(admin.TabularInline):
    model = OrderLine
    raw_id_fields = ("product",)
    extra = 0


@admin.register(Order)
class OrderAdmin(admin.ModelAdmin):
    list_display = ("id", "customer", "placed_on", "state", "total", "tracking_code")
    list_filter = ("state",)
    list_select_related = ("customer",)
    raw_id_fields = ("customer",)
    inlines: ClassVar = [OrderLineInline]


@admin.register(Invoice)
class InvoiceAdmin(admin.ModelAdmin):
    list_display = ("id", "order", "issued_on", "due_on", "total", "paid_on")
    raw_id_fields = ("order",)
