"""Model fields that behave alike on every database."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from django.core.serializers.json import DjangoJSONEncoder
from django.db import models

from dwatch.core.identifier import MAX_KEY_LENGTH

if TYPE_CHECKING:
    from collections.abc import Mapping

    from django.db.backends.base.base import BaseDatabaseWrapper
    from django.db.models.expressions import Expression

    _CharField = models.CharField[str, str]
    _TextField = models.Field[Any, Any]  # what it holds is not text
else:  # Django's fields are generic in their stubs only
    _CharField = models.CharField
    _TextField = models.TextField

_BYTES_PER_CHARACTER = 4


class KeyField(_CharField):
    """Text that is equal only if it is the same byte for byte.

    MySQL and MariaDB compare text by a collation that merges ``A`` and ``a`` and
    ignores trailing spaces (even their ``_bin`` ones pad), so there the column is
    VARBINARY. PostgreSQL and SQLite compare bytes as they are.
    """

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        kwargs.setdefault("max_length", MAX_KEY_LENGTH)
        super().__init__(*args, **kwargs)

    def db_type(self, connection: BaseDatabaseWrapper) -> str | None:
        """Return the column's type."""
        if connection.vendor == "mysql":
            return f"varbinary({(self.max_length or MAX_KEY_LENGTH) * _BYTES_PER_CHARACTER})"
        return super().db_type(connection)

    def get_db_prep_value(
        self,
        value: Any,
        connection: BaseDatabaseWrapper,
        prepared: bool = False,  # noqa: FBT001, FBT002 - Django's signature
    ) -> Any:
        """Return what the driver stores."""
        value = super().get_db_prep_value(value, connection, prepared)
        if connection.vendor == "mysql" and isinstance(value, str):
            return value.encode("utf-8")
        return value

    def from_db_value(
        self, value: Any, _expression: Expression, _connection: BaseDatabaseWrapper
    ) -> str | None:
        """Return text, also where the column holds bytes."""
        return value.decode("utf-8") if isinstance(value, bytes) else value


class EncodedJSON(str):
    """JSON text that is encoded already and is stored as it is."""

    __slots__ = ()


class JSONTextField(_TextField):
    """JSON kept as text, so that keys keep their order and every database holds the same.

    PostgreSQL's jsonb sorts keys and refuses some values that others take.
    """

    def from_db_value(
        self, value: Any, _expression: Expression, _connection: BaseDatabaseWrapper
    ) -> Any:
        """Return the decoded value."""
        return None if value is None else json.loads(value)

    def get_prep_value(self, value: Any) -> Any:
        """Return JSON text."""
        if value is None or isinstance(value, EncodedJSON):
            return value
        return json.dumps(value)

    def to_python(self, value: Any) -> Any:
        """Return the value decoded if it is JSON text."""
        return json.loads(value) if isinstance(value, str) else value

    def value_to_string(self, obj: models.Model) -> str:
        """Return JSON text for fixtures."""
        return json.dumps(self.value_from_object(obj))


def as_json(values: Mapping[str, Any]) -> dict[str, Any]:
    """Return values that JSON can hold, with dates and decimals as text."""
    decoded: dict[str, Any] = json.loads(json.dumps(values, cls=DjangoJSONEncoder))
    return decoded
