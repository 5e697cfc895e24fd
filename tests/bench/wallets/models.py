from __future__ import annotations

from django.db import models


class Wallet(models.Model):
    owner = models.CharField(max_length=50)
    balance = models.IntegerField()

    def __str__(self) -> str:
        return self.owner
