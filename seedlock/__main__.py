"""`python -m seedlock` is the command `seedlock`."""

from __future__ import annotations

import sys

from seedlock.cli import main

sys.exit(main())
