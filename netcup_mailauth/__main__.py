"""``python -m netcup_mailauth``."""

from __future__ import annotations

import sys

from netcup_mailauth.cli import main

if __name__ == "__main__":
    sys.exit(main())
