"""A record's signature, in a file of its own beside the record (docs/spot-checks.md).

Signed are the record's digest, that of the round's draw and that of its policy: a signature says
nothing about another file, and nothing in another round.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import json
import os
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

from seedlock.errors import BadSignature, printable
from seedlock.evaluation.file_digests import PREFIX
from seedlock.evaluation.spot_checks import keys
from seedlock.evaluation.writing import write_bytes

if TYPE_CHECKING:
    from pathlib import Path

    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

FORMAT = "seedlock-record-signature"
VERSION = 1
"""History: 1, the first."""

DOMAIN = b"seedlock record signature 1\0"
"""Stands before what is signed: no signature of another kind of statement is one of a record."""

LARGEST = 1 << 16
"""Bytes of a signature's file that is read at all."""

LENGTH = 64
"""Bytes of a signature (RFC 8032, 5.1.6)."""

ALLOWED = "a file that seedlock sign wrote"


@dataclass(frozen=True)
class Statement:
    """What is signed.

    Attributes:
        record: `sha256:HEX` of the record's bytes.
        draw: of the round's draw.json.
        policy: of the round's policy.
        public_key: the author's, as text.
    """

    record: str
    draw: str
    policy: str
    public_key: str

    @property
    def message(self) -> bytes:
        """The bytes that are signed: canonical JSON behind a word of their own."""
        content = {"format": FORMAT, "version": VERSION, **asdict(self)}
        text = json.dumps(content, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
        return DOMAIN + text.encode()


def digest(content: bytes) -> str:
    """Return the digest of a file's bytes."""
    return PREFIX + hashlib.sha256(content).hexdigest()


def beside(record: Path) -> Path:
    """Return where a record's signature lies."""
    return record.with_name(f"{record.name}.sig")


def sign(record: Path, content: bytes, draw: str, policy: str, key: Ed25519PrivateKey) -> Path:
    """Write the signature of a record and return its path.

    Args:
        record: the record's path; the signature stands beside it.
        content: its bytes.
        draw, policy: digests of the round.
        key: the author's.

    Raises:
        OSError: it can't be written.
    """
    statement = Statement(digest(content), draw, policy, keys.public(key))
    signed = {
        "format": FORMAT,
        "version": VERSION,
        **asdict(statement),
        "signature": base64.b64encode(key.sign(statement.message)).decode(),
    }
    path = beside(record)
    write_bytes(str(path), json.dumps(signed, indent=1, sort_keys=True).encode() + b"\n")
    return path


def verified(record: Path, content: bytes) -> Statement:
    """Return what the signature beside a record says, if it is one of these bytes.

    Whether key, draw and policy are those of the round is the caller's to ask.

    Args:
        record: the record's path.
        content: its bytes.

    Raises:
        BadSignature: there is none, it is of another file, or its key did not make it.
    """
    from cryptography.exceptions import InvalidSignature
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

    path = beside(record)
    shown = printable(path.name, 200)
    statement, signature = _read(path, shown)
    key = keys.public_bytes(statement.public_key)
    if key is None:
        raise BadSignature(f"{shown}: public_key is none; allowed: {keys.ALLOWED}")
    try:
        Ed25519PublicKey.from_public_bytes(key).verify(signature, statement.message)
    except (InvalidSignature, ValueError) as problem:
        raise BadSignature(
            f"{shown}: the signature does not fit what it says, or its key; sign the record again"
        ) from problem
    if statement.record != digest(content):
        raise BadSignature(
            f"{shown}: is of a record with digest {statement.record}, and the one beside it has "
            f"{digest(content)}: it was changed after it was signed; bring back the signed one"
        )
    return statement


def _read(path: Path, shown: str) -> tuple[Statement, bytes]:
    try:
        with path.open("rb") as file:
            raw = file.read(LARGEST)
    except OSError as problem:
        raise BadSignature(
            f"{shown} can't be read: {os.strerror(problem.errno or 5)}; allowed: {ALLOWED}, "
            "beside its record"
        ) from problem
    try:
        content = json.loads(raw)
    except (ValueError, RecursionError) as problem:
        raise BadSignature(f"{shown} is not JSON; allowed: {ALLOWED}") from problem
    return _parsed(shown, content)


def _parsed(shown: str, content: Any) -> tuple[Statement, bytes]:
    if not isinstance(content, dict) or content.get("format") != FORMAT:
        raise BadSignature(f"{shown} is no signature of a record; allowed: {ALLOWED}")
    if content.get("version") != VERSION:
        given = printable(str(content.get("version")))
        raise BadSignature(f"{shown} has version {given}; allowed: {VERSION}; sign it again")
    names = ("record", "draw", "policy", "public_key")
    known = {*names, "format", "version", "signature"}
    if set(content) != known or not all(_plain(content[name]) for name in (*names, "signature")):
        raise BadSignature(
            f"{shown} does not have the keys {', '.join(sorted(known))} with texts; "
            f"allowed: {ALLOWED}"
        )
    try:
        signature = base64.b64decode(content["signature"], validate=True)
    except (binascii.Error, ValueError):
        signature = b""
    if len(signature) != LENGTH:
        raise BadSignature(f"{shown}: signature is no base64 of 64 bytes; allowed: {ALLOWED}")
    return Statement(*(content[name] for name in names)), signature


def _plain(value: object) -> bool:
    return isinstance(value, str) and value.isascii()
