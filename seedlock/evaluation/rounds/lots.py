"""Which records are replayed: drawn from the round's secret and its beacon, so that no author can
know it before the records are in, and the organiser could not choose it."""

from __future__ import annotations

import math
from fractions import Fraction
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

Run = tuple[str, int]
"""Digest of a submission, `sha256:HEX`, and a seed's index from 0."""

INFO = b"seedlock spot check 1"
"""Keeps these numbers apart from the hidden seeds, which come from the same secret."""

LENGTH = 16
"""Bytes of a record's lot."""


def lot(secret: bytes, salt: bytes, submission: str, seed_index: int) -> bytes:
    """Return the lot of a record, by HKDF-SHA256 (RFC 5869).

    It depends on the frozen submission and the seed's index alone, not on the record: an author
    can't try records until one has a lot that suits.

    Args:
        secret: the round's, which authors learn with the reveal.
        salt: the beacon's randomness and the Merkle root of the submissions.
        submission: its digest, `sha256:HEX`.
        seed_index: from 0.
    """
    from cryptography.hazmat.primitives.hashes import SHA256
    from cryptography.hazmat.primitives.kdf.hkdf import HKDF

    info = INFO + bytes.fromhex(submission.removeprefix("sha256:")) + seed_index.to_bytes(8, "big")
    return HKDF(SHA256(), LENGTH, salt, info).derive(secret)


def chosen(secret: bytes, salt: bytes, runs: Iterable[Run], fraction: Fraction) -> list[Run]:
    """Return the runs to be replayed: those with the smallest lots.

    A larger fraction chooses these and more.

    Args:
        secret, salt: as `lot` has them.
        runs: those of the records.
        fraction: above 0, to 1; rounded up to whole records, so at least one of any.
    """
    lots = sorted((lot(secret, salt, *run), run) for run in set(runs))
    return [run for _, run in lots[: math.ceil(fraction * len(lots))]]


def fraction(text: str) -> Fraction | None:
    """Return the part that a text says, exactly; None where it is none above 0 and up to 1."""
    if len(text) > 20 or "e" in text.lower():
        return None  # 1e-999999999 is a number that takes a day to write out
    try:
        value = Fraction(text)
    except (ValueError, ZeroDivisionError):
        return None
    return value if 0 < value <= 1 else None
