"""The passphrase of a round's secret: from a file or a person, never from the command line."""

from __future__ import annotations

import getpass
import os
import sys
from typing import TYPE_CHECKING

from seedlock import settings
from seedlock.errors import BadPassphrase, printable

if TYPE_CHECKING:
    from collections.abc import Mapping

LARGEST = 1 << 16
"""Bytes of a file that is read at all."""


def given(environ: Mapping[str, str]) -> str | None:
    """Return the passphrase in the file that REPRO_PASSPHRASE_FILE names, None where it is unset.

    One line feed at its end does not count.

    Raises:
        BadPassphrase: the file can't be read, is empty or too large.
    """
    path = environ.get(settings.PASSPHRASE_FILE)
    if not path:
        return None
    shown = printable(path, 200)
    try:
        with open(path, "rb") as file:
            raw = file.read(LARGEST + 1)
    except OSError as problem:
        raise BadPassphrase(
            f"REPRO_PASSPHRASE_FILE names {shown}, which can't be read: {problem.strerror}; "
            "allowed: a file with the passphrase; mend the path or unset it, to be asked"
        ) from problem
    text = raw.removesuffix(b"\n")
    if not text or len(raw) > LARGEST:
        raise BadPassphrase(
            f"REPRO_PASSPHRASE_FILE names {shown}, which is empty or larger than 64 KiB; allowed: "
            "a file with the passphrase in its one line"
        )
    return text.decode("utf-8", "surrogateescape")


def asked(twice: bool, of: str = "the round's secret") -> str:
    """Return what somebody types at the terminal.

    Args:
        twice: have it typed again, since a slip would lose the secret.
        of: what it opens.

    Raises:
        BadPassphrase: nobody is there, nothing was typed, or two different ones.
    """
    if not sys.stdin.isatty():
        raise BadPassphrase(
            "a passphrase is needed and nobody can be asked: this is no terminal; allowed: "
            "REPRO_PASSPHRASE_FILE, which names a file with it"
        )
    try:
        typed = getpass.getpass(f"passphrase of {of}: ")
        wrong = not typed or (twice and getpass.getpass("the same again: ") != typed)
    except (EOFError, UnicodeDecodeError):  # Ctrl-D; bytes that are no text of this terminal's
        wrong = True
    if wrong:
        raise BadPassphrase(
            "nothing was typed, or two different passphrases; allowed: the same one twice; say "
            "it again"
        )
    return typed


def of_secret(needed: bool, environ: Mapping[str, str] = os.environ) -> str | None:
    """Return the passphrase of a secret that is there, asked for if nothing names it.

    Args:
        needed: whether the secret is under one (`Round.passphrase_needed`).
        environ: with REPRO_PASSPHRASE_FILE or without.

    Raises:
        BadPassphrase: it can't be had.
    """
    if not needed:
        return None
    found = given(environ)
    return asked(twice=False) if found is None else found
