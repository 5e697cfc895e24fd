"""How long the stress lasts: ``DWATCH_STRESS_ROUNDS`` kills (200) and as much of the rest."""

from __future__ import annotations

import os

ROUNDS = int(os.environ.get("DWATCH_STRESS_ROUNDS", "200"))
IS_SHORT = ROUNDS < 100
