"""What day it is in the shop."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.conf import settings
from django.utils import timezone

if TYPE_CHECKING:
    from datetime import date


def today() -> date:
    """Return ``SHOP_TODAY`` where it is set, else today in the project's time zone."""
    return settings.SHOP_TODAY or timezone.localdate()
