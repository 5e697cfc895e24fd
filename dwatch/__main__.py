"""``python -m dwatch``: the command line for those without scripts on PATH."""

from __future__ import annotations

import sys

from dwatch.cli.app import main

if __name__ == "__main__":
    sys.exit(main())
