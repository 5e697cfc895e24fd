"""Ready-made checks: subclass one, set its attributes, and register it."""

from __future__ import annotations
