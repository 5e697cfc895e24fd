"""What every test gets."""

from __future__ import annotations

import hypothesis

# A slow machine is no wrong answer.
hypothesis.settings.register_profile("dwatch", deadline=None)
hypothesis.settings.load_profile("dwatch")

# The fixture that restores the registry of checks after each test belongs here.
