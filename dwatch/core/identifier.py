"""From whatever an author calls an identifier to the string that is stored.

Databases differ in what they refuse (NUL, lone surrogates, long keys), so the
decision is made here, once, and is the same on all of them.
"""

from __future__ import annotations

import hashlib
from typing import NamedTuple

MAX_KEY_LENGTH = 200
"""Characters of the indexed key; an identifier that long or longer is shortened and hashed."""

_DIGEST_LENGTH = 64


class Identity(NamedTuple):
    """How a payload is named, and what is wrong with the name its check gave."""

    identifier: str
    problem: str


def identify(value: object) -> Identity:
    """Return the string that names a payload; ``problem`` is "" if it is usable.

    A value that cannot name a payload still gets an identifier to be shown by,
    so that the trouble is a visible result and not a lost payload.
    """
    if type(value) is int:
        return Identity(str(value), "")
    if value is None:
        return Identity("<None>", "get_identifier() returned None (an unsaved object?)")
    if _has_only_an_address(value):
        name = type(value).__name__
        return Identity(
            f"<{name}>",
            f"get_identifier() returned a {name} object, which has no stable text",
        )
    # Django's SafeString stays one through str(); what is stored is plain.
    text = value if type(value) is str else str.__str__(str(value))
    if not text:
        return Identity("<empty>", "get_identifier() returned an empty identifier")
    if text.isascii():
        return Identity(text, "") if "\0" not in text else _escaped(text)
    return Identity(text, "") if _is_storable(text) else _escaped(text)


def storage_key(identifier: str) -> str:
    """Return the bounded key under which an identifier is stored and found.

    Identifiers of fewer than MAX_KEY_LENGTH characters are their own key. Of longer
    ones the key keeps the beginning and the SHA-256 of the whole; it has exactly
    MAX_KEY_LENGTH characters, so that it is never another identifier's own.
    """
    if len(identifier) < MAX_KEY_LENGTH and identifier.isascii() and "\0" not in identifier:
        return identifier  # nearly all are like that
    identifier = printable(identifier)  # what somebody typed may not be storable
    if len(identifier) < MAX_KEY_LENGTH:
        return identifier
    digest = hashlib.sha256(identifier.encode("utf-8")).hexdigest()
    return f"{identifier[: MAX_KEY_LENGTH - _DIGEST_LENGTH - 1]}~{digest}"


def printable(text: str) -> str:
    """Return text that every database takes: NUL and lone surrogates escaped."""
    if text.isascii() and "\0" not in text:
        return text
    return text.encode("utf-8", "backslashreplace").decode("utf-8").replace("\0", "\\x00")


def _escaped(text: str) -> Identity:
    return Identity(
        printable(text),
        "get_identifier() returned text with NUL or lone surrogates, which cannot be stored",
    )


def _is_storable(text: str) -> bool:
    try:
        text.encode("utf-8")
    except UnicodeEncodeError:
        return False
    return "\0" not in text


def _has_only_an_address(value: object) -> bool:
    cls = type(value)
    return cls.__str__ is object.__str__ and cls.__repr__ is object.__repr__
