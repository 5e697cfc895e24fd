from __future__ import annotations

from typing import ClassVar

from django.db import models


class Wallet(models.Model):
    objects: ClassVar[models.Manager[Wallet]] = models.Manager()

    owner = models.CharField(max_length=50)
    balance = models.IntegerField()

    def __str__(self) -> str:
        return self.owner
