"""The data of many rows as JSON text, one kind of row at a time."""

from __future__ import annotations

from datetime import date, datetime, time
from decimal import Decimal
from json.encoder import encode_basestring_ascii
from math import isfinite
from typing import TYPE_CHECKING, Any
from uuid import UUID

from dwatch.core.encoding import MAX_DATA_BYTES, encode

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

_BITS_OF_A_COLUMN = 64


class RowEncoder:
    """Encodes rows that all have the same columns.

    Gives what :func:`dwatch.core.encoding.encode` gives for the columns by name,
    three times as fast for what databases usually hold.
    """

    def __init__(self, names: Sequence[str]) -> None:
        self._names = tuple(names)
        keys = (encode_basestring_ascii(name).replace("%", "%%") for name in names)
        self._form = "{" + ", ".join(f"{key}: %s" for key in keys) + "}"

    def encode(self, values: Sequence[Any]) -> str:
        """Return the row's values, in the order of the names, as a JSON object."""
        if not self._names:
            return "{}"
        try:
            texts = [_SCALARS[type(value)](value) for value in values]
        except KeyError:
            return self._encode_anything(values)
        if None in texts:
            return self._encode_anything(values)
        text = self._form % tuple(texts)
        return text if len(text) <= MAX_DATA_BYTES else self._encode_anything(values)

    def _encode_anything(self, values: Sequence[Any]) -> str:
        return encode(dict(zip(self._names, values, strict=True)))


def _integer(value: int) -> str | None:
    return str(value) if value.bit_length() <= _BITS_OF_A_COLUMN else None


def _float(value: float) -> str | None:
    return repr(value) if isfinite(value) else None


def _moment(value: date | time) -> str:
    return f'"{value.isoformat()}"'


def _quoted(value: Decimal | UUID) -> str:
    return f'"{value}"'


_SCALARS: dict[type, Callable[[Any], str | None]] = {
    str: encode_basestring_ascii,
    int: _integer,
    float: _float,
    bool: {True: "true", False: "false"}.__getitem__,
    type(None): lambda _value: "null",
    Decimal: _quoted,
    UUID: _quoted,
    datetime: _moment,
    date: _moment,
    time: _moment,
}
