"""Where a passphrase comes from: a file that a variable names, or somebody at the terminal."""

from __future__ import annotations

import getpass
import os
import sys
from pathlib import Path

from seedlock.errors import BadPassphrase, printable

VARIABLE = "REPRO_PASSPHRASE_FILE"


def passphrase(what: str, again: bool = False) -> str:
    """Return a passphrase.

    Args:
        what: it is for, as the question says it.
        again: ask twice, since it is a new one.

    Raises:
        BadPassphrase: the file can't be read, the two differ, or there is nobody to ask.
    """
    named = os.environ.get(VARIABLE)
    if named:
        try:
            return Path(named).read_text(encoding="utf-8").removesuffix("\n")
        except (OSError, UnicodeDecodeError) as problem:
            raise BadPassphrase(
                f"{VARIABLE} names {printable(named, 200)}, which can't be read; allowed: a file "
                "with the passphrase and nothing else"
            ) from problem
    if not sys.stdin.isatty():
        raise BadPassphrase(
            f"{what} needs a passphrase and there is no terminal to ask at; allowed: a file with "
            f"it, named by {VARIABLE}"
        )
    found = getpass.getpass(f"passphrase of {what}: ")
    if again and getpass.getpass("once more: ") != found:
        raise BadPassphrase("the two passphrases differ; allowed: the same one twice; say it again")
    return found
