"""The environment of a sealed run: listed variables only."""

from __future__ import annotations

from typing import TYPE_CHECKING

from seedlock.reporting import ENVIRONMENT, SECRET

if TYPE_CHECKING:
    from collections.abc import Mapping

HOME = "/tmp/home"
"""Home folder of a sealed run: empty, in memory. Frameworks want one that they can write."""

USER = "sealed"

FIXED = {"HOME": HOME, "TMPDIR": "/tmp", "USER": USER, "LOGNAME": USER}
"""What each sealed run has. Without a name, `getpass.getuser` fails for a user id that the image
does not know, and PyTorch's compiler with it."""

NAMES = ("LANG", "LC_ALL", "LC_CTYPE", "TZ", "_SEEDLOCK_HASH_SEED")
"""Passed on besides those that a report may hold (`reporting.ENVIRONMENT`)."""


def listed(variables: Mapping[str, str]) -> dict[str, str]:
    """Return those of the variables that a sealed run may see, and what each has.

    One that looks like a secret (`reporting.SECRET`) is left out whatever its name begins with.
    """
    found = {
        name: value for name, value in variables.items()
        if (name in NAMES or name.startswith(ENVIRONMENT))
        and not any(word in name.upper() for word in SECRET)
    }  # fmt: skip
    return {**found, **FIXED}
