"""Keys with which authors sign their records: Ed25519 (RFC 8032), by the cryptography library."""

from __future__ import annotations

import base64
import binascii
import os
import stat
from typing import TYPE_CHECKING

from seedlock.errors import BadKey, printable
from seedlock.evaluation import full_disk
from seedlock.evaluation.writing import settle

if TYPE_CHECKING:
    from pathlib import Path

    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

PREFIX = "ed25519:"
LENGTH = 32
"""Bytes of a public key (RFC 8032, 5.1.5)."""

LARGEST = 1 << 16
"""Bytes of a key's file that is read at all."""

ALLOWED = "ed25519: and 44 characters of base64, as seedlock sign --new-key prints it"


def new(file: Path, passphrase: bytes | None) -> str:
    """Make a key, write it into a new file with mode 0600, and return its public half as text.

    Args:
        file: PEM, PKCS #8.
        passphrase: encrypts the file; None leaves it in clear.

    Raises:
        BadKey: a file stands there already, or the passphrase is empty.
        OSError: the file can't be written.
    """
    from cryptography.hazmat.primitives import serialization
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

    if passphrase == b"":
        raise BadKey("the passphrase is empty; allowed: at least one byte, or none at all")
    key = Ed25519PrivateKey.generate()
    encryption: serialization.KeySerializationEncryption = (
        serialization.NoEncryption()
        if passphrase is None
        else serialization.BestAvailableEncryption(passphrase)
    )
    content = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, encryption
    )
    # Exclusive: a key that somebody has signed with is not replaced, nor written through a link.
    try:
        handle = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError as problem:
        raise BadKey(
            f"{printable(str(file), 200)} is there already; allowed: a new file; choose another "
            "name"
        ) from problem
    try:
        with full_disk.naming(str(file)), os.fdopen(handle, "wb") as opened:
            opened.write(content)
            opened.flush()
            os.fsync(opened.fileno())
        settle(file.absolute().parent)
    except OSError:
        os.unlink(file)
        raise
    return public(key)


def load(file: Path, passphrase: bytes | None) -> Ed25519PrivateKey:
    """Return the key in a file.

    Raises:
        BadKey: it can't be read, others may read it, it is no Ed25519 key, or the passphrase is
            not its own.
    """
    from cryptography.exceptions import UnsupportedAlgorithm
    from cryptography.hazmat.primitives import serialization
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

    shown = printable(str(file), 200)
    try:
        with file.open("rb") as opened:
            mode = os.fstat(opened.fileno()).st_mode
            content = opened.read(LARGEST)
    except OSError as problem:
        raise BadKey(
            f"{shown} can't be read: {os.strerror(problem.errno or 5)}; allowed: a key that "
            "seedlock sign --new-key made; mend the path"
        ) from problem
    if stat.S_IMODE(mode) & 0o077:
        raise BadKey(
            f"{shown} has mode {stat.S_IMODE(mode):04o}; allowed: 0600, since others could sign "
            f"with it; say chmod 600 {shown}"
        )
    try:
        key = serialization.load_pem_private_key(content, passphrase)
    except TypeError as problem:  # a passphrase for a key in clear, or none for another
        given = "one was given" if passphrase is not None else "none was given"
        needed = "is not encrypted" if passphrase is not None else "needs a passphrase"
        raise BadKey(
            f"{shown} {needed}, and {given}; allowed: --passphrase for an encrypted key only, "
            "with REPRO_PASSPHRASE_FILE or at the terminal"
        ) from problem
    except (ValueError, UnsupportedAlgorithm) as problem:
        raise BadKey(
            f"{shown} is no key, or the passphrase is another; allowed: a key that seedlock sign "
            "--new-key made, and its own passphrase"
        ) from problem
    if not isinstance(key, Ed25519PrivateKey):
        raise BadKey(f"{shown} is a key of another kind; allowed: Ed25519; make one with --new-key")
    return key


def public(key: Ed25519PrivateKey) -> str:
    """Return a key's public half as text, as `submission.toml` has it."""
    return PREFIX + base64.b64encode(key.public_key().public_bytes_raw()).decode()


def public_bytes(text: object) -> bytes | None:
    """Return the 32 bytes of a public key from its text; None where it is none."""
    if not isinstance(text, str) or not text.startswith(PREFIX):
        return None
    encoded = text.removeprefix(PREFIX)
    try:
        raw = base64.b64decode(encoded, validate=True)
    except (binascii.Error, ValueError):
        return None
    # One key has one text: bits that base64 leaves over must be zero.
    same = base64.b64encode(raw).decode() == encoded
    return raw if same and len(raw) == LENGTH else None
