"""One hash for many leaves, and short proofs that a leaf is among them: RFC 6962, section 2.1."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

LEAF, NODE = b"\x00", b"\x01"
"""What stands before a leaf and before two hashes: no leaf can pass for a node."""


def root(leaves: Sequence[bytes]) -> bytes:
    """Return the tree's hash, 32 bytes; that of no leaves is SHA-256 of nothing."""
    if not leaves:
        return hashlib.sha256(b"").digest()
    if len(leaves) == 1:
        return _leaf(leaves[0])
    half = _half(len(leaves))
    return _node(root(leaves[:half]), root(leaves[half:]))


def proof(leaves: Sequence[bytes], index: int) -> list[bytes]:
    """Return the audit path of a leaf: the hashes beside its way to the root, the lowest first.

    Args:
        leaves: all of them.
        index: which one, 0 to len(leaves) - 1.

    Raises:
        IndexError: there is no such leaf.
    """
    if not 0 <= index < len(leaves):
        raise IndexError(index)
    if len(leaves) == 1:
        return []
    half = _half(len(leaves))
    if index < half:
        return [*proof(leaves[:half], index), root(leaves[half:])]
    return [*proof(leaves[half:], index - half), root(leaves[:half])]


def proven(leaf: bytes, index: int, size: int, path: Sequence[bytes], expected: bytes) -> bool:
    """Return whether a path leads from a leaf to a root.

    Args:
        leaf: the leaf's bytes.
        index: its place among `size` leaves.
        size: how many leaves the tree has.
        path: as `proof` returned it.
        expected: the root.
    """
    if not 0 <= index < size:
        return False
    try:
        return _climb(_leaf(leaf), index, size, list(path)) == expected
    except ValueError:
        return False


def _climb(found: bytes, index: int, size: int, path: list[bytes]) -> bytes:
    if size == 1:
        if path:
            raise ValueError("the path is too long")
        return found
    if not path:
        raise ValueError("the path is too short")
    half, beside = _half(size), path[-1]
    if index < half:
        return _node(_climb(found, index, half, path[:-1]), beside)
    return _node(beside, _climb(found, index - half, size - half, path[:-1]))


def _half(size: int) -> int:
    """Return the largest power of two below `size`, which is 2 or more."""
    half: int = 1 << ((size - 1).bit_length() - 1)
    return half


def _leaf(raw: bytes) -> bytes:
    return hashlib.sha256(LEAF + raw).digest()


def _node(left: bytes, right: bytes) -> bytes:
    return hashlib.sha256(NODE + left + right).digest()
