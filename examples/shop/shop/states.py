from __future__ import annotations

from enum import StrEnum


class OrderState(StrEnum):
    """How far an order has come."""

    OPEN = "open"
    PAID = "paid"
    SHIPPED = "shipped"
    CANCELLED = "cancelled"
