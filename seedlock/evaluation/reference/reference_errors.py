"""What can be wrong with reference runs, with a slug into docs/messages.md."""

from __future__ import annotations

from seedlock.errors import SeedlockError


class BadReference(SeedlockError):
    """What should say or hold reference runs does not, or is not what was written."""

    slug = "bad-reference"
