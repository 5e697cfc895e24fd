"""``python -m tests.bench``: see README.md beside this file."""

from __future__ import annotations

import sys

from tests.bench.compare import main

sys.exit(main())
