from __future__ import annotations

import uuid

from django.db import models


class Item(models.Model):
    name = models.CharField(max_length=100)
    value = models.IntegerField(default=0)
    note = models.TextField(blank=True, default="")

    def __str__(self) -> str:
        return self.name


class Part(models.Model):
    """Has a key that is no number and belongs to an item, as many others may."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4)
    item = models.ForeignKey(Item, models.CASCADE, related_name="parts", null=True)
    number = models.IntegerField(default=0)

    def __str__(self) -> str:
        return f"part {self.number}"


class SpecialItem(Item):
    """An item in two tables."""

    extra = models.CharField(max_length=100, default="")
