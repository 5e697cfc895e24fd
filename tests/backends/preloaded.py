"""Only there to be imported by a fork server."""

from __future__ import annotations
