"""Author data as JSON text that every database stores alike."""

from __future__ import annotations

import json
import math
from collections.abc import Iterable, Mapping
from datetime import date, datetime, time
from enum import Enum
from itertools import count, islice
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator

MAX_DATA_BYTES = 64 * 1024
"""Encoded data of one result; larger data is replaced by a note and a preview."""

_PREVIEW_CHARACTERS = 1000
_MAX_DRAWN = 1000
_MAX_INTEGER_BITS = 14_000
_MAX_DEPTH = 50
_SIMPLE = (str, int, bool, type(None))


def encode(data: Mapping[str, Any]) -> str:
    """Return data as ASCII JSON text of at most MAX_DATA_BYTES.

    Decimals, UUIDs and anything unknown become their text; dates and times ISO
    8601; sets and other iterables lists; NaN and infinities their names, since
    JSON has none. Keys become strings. Lone surrogates and NUL survive, as
    ASCII escapes. Raises whatever an author's ``__str__`` raises.
    """
    if not data:
        return "{}"
    try:
        text = json.dumps(_plain(data, 0, count()), ensure_ascii=True, allow_nan=False)
    except RecursionError:
        text = json.dumps({"unreadable": "data refers to itself or is nested too deeply"})
    if len(text) <= MAX_DATA_BYTES:
        return text
    return json.dumps(
        {
            "truncated": f"data of {len(text):,} bytes or more; the limit is {MAX_DATA_BYTES:,}",
            "preview": text[:_PREVIEW_CHARACTERS],
        }
    )


def _plain(value: Any, depth: int, seen: Iterator[int]) -> Any:
    """Return the value made of what JSON knows."""
    if next(seen) > MAX_DATA_BYTES:
        return None  # over the limit already; what is shared a lot could go on for ever
    kind = type(value)
    if kind in _SIMPLE:
        return _shortened(value) if kind is int else value
    if kind is float:
        return value if math.isfinite(value) else str(value)
    if depth > _MAX_DEPTH:
        raise RecursionError
    if isinstance(value, Mapping):
        return {_key(key): _plain(item, depth + 1, seen) for key, item in value.items()}
    return _plain_object(value, depth, seen)


def _plain_object(value: Any, depth: int, seen: Iterator[int]) -> Any:  # noqa: PLR0911 - one kind a line
    if isinstance(value, Enum):
        return _plain(value.value, depth + 1, seen)
    if isinstance(value, (datetime, date, time)):
        return value.isoformat()
    if isinstance(value, bytes):
        return value.decode("utf-8", "backslashreplace")
    if isinstance(value, (str, int, float)):  # a subclass of one of them
        return _plain(_base(value), depth + 1, seen)
    if isinstance(value, (list, tuple)):
        return [_plain(item, depth + 1, seen) for item in value]
    if isinstance(value, (set, frozenset)):
        return sorted((_plain(item, depth + 1, seen) for item in value), key=repr)
    if isinstance(value, Iterable) and not _is_text(value):
        drawn = islice(value, _MAX_DRAWN)  # it may never end
        return [_plain(item, depth + 1, seen) for item in drawn]
    return str(value)


def _base(value: str | float) -> str | float:
    """Return the value of a subclass without its class."""
    if isinstance(value, str):
        return str.__str__(value if type(value).__str__ is str.__str__ else str(value))
    return int(value) if isinstance(value, int) else float(value)


def _is_text(value: Iterable[Any]) -> bool:
    # Django's lazy translations and UserString are no str, yet iterate over letters.
    return hasattr(type(value), "casefold")


def _key(key: object) -> str:
    return str(_shortened(key) if type(key) is int else key)


def _shortened(number: int) -> int | str:
    # Python itself refuses to print integers of over 4,300 digits.
    return (
        number
        if number.bit_length() <= _MAX_INTEGER_BITS
        else f"integer of {number.bit_length():,} bits"
    )
