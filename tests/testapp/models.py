from __future__ import annotations

import uuid
from typing import ClassVar

from django.contrib.contenttypes.fields import GenericForeignKey
from django.contrib.contenttypes.models import ContentType
from django.core.exceptions import ValidationError
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


class Document(models.Model):
    """Has everything that can go wrong with a row, and nothing that keeps it from doing so."""

    objects: ClassVar[models.Manager[Document]] = models.Manager()

    STATES: ClassVar = [("draft", "Draft"), ("Group", [("sent", "Sent"), (None, "Nothing")])]

    title = models.CharField(max_length=50, default="a title")
    code = models.CharField(max_length=50, null=True)  # noqa: DJ001 - NULL is no duplicate
    serial = models.CharField(max_length=50, null=True, unique=True)  # noqa: DJ001 - as above
    state = models.CharField(max_length=10, choices=STATES, default="draft")
    label = models.CharField(max_length=10, choices=[("red", "Red")], blank=True, default="")
    level = models.IntegerField(choices=[(1, "One"), (2, "Two")], null=True)
    created = models.DateTimeField(null=True)
    day = models.DateField(null=True)
    item = models.ForeignKey(
        Item, models.DO_NOTHING, null=True, db_constraint=False, related_name="+"
    )
    part = models.ForeignKey(
        Part, models.DO_NOTHING, null=True, db_constraint=False, related_name="+"
    )
    file = models.FileField(blank=True, default="")
    scan = models.FileField(null=True, upload_to="scans")

    content_type = models.ForeignKey(
        ContentType, models.CASCADE, null=True, db_constraint=False, related_name="+"
    )
    object_id = models.CharField(max_length=40, null=True)  # noqa: DJ001 - as projects have it
    subject = GenericForeignKey()

    number_type = models.ForeignKey(
        ContentType, models.CASCADE, null=True, db_constraint=False, related_name="+"
    )
    number = models.PositiveIntegerField(null=True)
    numbered = GenericForeignKey("number_type", "number")

    def __str__(self) -> str:
        return self.title

    def clean(self) -> None:
        if self.title == "forbidden":
            raise ValidationError("no such title")
