"""py_ecc, an implementation of BLS by others, without what it does to the interpreter.

Importing it sets the recursion limit to 100,000, under which JSON that is nested deep ends the
process instead of raising RecursionError: other tests of the same process would notice.
"""

from __future__ import annotations

import hashlib
import sys
from typing import Any

_LIMIT = sys.getrecursionlimit()

from py_ecc import optimized_bls12_381 as curve  # noqa: E402
from py_ecc.bls.hash_to_curve import hash_to_G1  # noqa: E402
from py_ecc.bls.point_compression import (  # noqa: E402
    compress_G1,
    compress_G2,
    decompress_G1,
    decompress_G2,
)

sys.setrecursionlimit(_LIMIT)

DST = b"BLS_SIG_BLS12381G1_XMD:SHA-256_SSWU_RO_NUL_"
"""drand, crypto/schemes.go: bls-unchained-g1-rfc9380."""

__all__ = ["compressed", "curve", "message", "public_key", "read_key", "read_signature"]


def message(number: int) -> Any:
    """Return the point that a network signs for a round."""
    return hash_to_G1(hashlib.sha256(number.to_bytes(8, "big")).digest(), DST, hashlib.sha256)


def compressed(point: Any) -> str:
    """Return a point of G1 in hexadecimal digits."""
    text: str = compress_G1(point).to_bytes(48, "big").hex()
    return text


def public_key(secret: int) -> str:
    """Return the public key of a secret one in hexadecimal digits."""
    halves = compress_G2(curve.multiply(curve.G2, secret))
    return "".join(half.to_bytes(48, "big").hex() for half in halves)


def read_signature(text: str) -> Any:
    """Return the point of G1 that hexadecimal digits stand for."""
    return decompress_G1(int(text, 16))


def read_key(text: str) -> Any:
    """Return the point of G2 that hexadecimal digits stand for."""
    return decompress_G2((int(text[:96], 16), int(text[96:], 16)))
