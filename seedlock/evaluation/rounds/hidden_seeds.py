"""From a secret, a beacon and a list of submissions to seeds (docs/rounds.md#derivation).

Nobody chooses them: the secret is committed to before the deadline, the list is frozen before the
beacon speaks, and what follows from the three is one hash function's output (HKDF, RFC 5869).
"""

from __future__ import annotations

import hashlib
import os
from typing import TYPE_CHECKING

from seedlock.errors import BadRound
from seedlock.evaluation.rounds.canonical import canonical
from seedlock.evaluation.rounds.policy import DERIVATION
from seedlock.startup import in_force

if TYPE_CHECKING:
    from collections.abc import Sequence

BYTES = 32
"""Of a secret, a beacon's randomness and a root."""

SEED_BYTES = 8

NO_BEACON = bytes(BYTES)
"""Stands for the randomness where the policy declares no beacon."""

COMMITMENT = b"seedlock round commitment 1\0"
SEEDS = b"seedlock round seeds 1\0"
"""What stands before a hash, so that none passes for another."""


class Secret:
    """32 bytes that no text, traceback or pickle shows."""

    __slots__ = ("_raw",)

    def __init__(self, raw: bytes) -> None:
        if len(raw) != BYTES:
            raise ValueError(f"a secret has {BYTES} bytes")
        self._raw = raw

    def __repr__(self) -> str:
        return "Secret(hidden)"

    def __reduce__(self) -> str:
        raise TypeError("a secret can't be pickled")

    def exposed(self) -> bytes:
        """Return the bytes: for a hash, for its own file, for the reveal."""
        return self._raw

    def commitment(self, policy: bytes) -> str:
        """Return what binds the secret and a policy, and shows neither.

        Args:
            policy: canonical bytes (`Policy.canonical`).
        """
        return hashlib.sha256(COMMITMENT + self._raw + policy).hexdigest()

    def seeds_commitment(self, seeds: Sequence[int]) -> str:
        """Return what binds the seeds and shows none: the secret in it keeps anybody from trying
        all seeds out."""
        texts = [str(seed) for seed in seeds]
        return hashlib.sha256(SEEDS + self._raw + canonical(texts)).hexdigest()


def draw() -> Secret:
    """Return a new secret from the operating system.

    Raises:
        BadRound: a seed is in force in this process, from which it could follow.
    """
    return Secret(from_system(BYTES))


def from_system(size: int) -> bytes:
    """Return bytes that nobody can know: of the operating system, under no lock.

    Raises:
        BadRound: REPRO_SEED is in force, under which os.urandom may be derived or traced.
    """
    if in_force() is not None or hasattr(os.urandom, "__wrapped__"):
        raise BadRound(
            "a secret is to be drawn while REPRO_SEED is in force in this process; allowed: a "
            "process without it, since all that it draws may follow from the seed; unset "
            "REPRO_SEED and say it again"
        )
    return os.urandom(size)


def derive(
    secret: Secret, randomness: bytes | None, root: bytes, count: int, length: int = SEED_BYTES
) -> list[int]:
    """Return different seeds, each 0 to 256**length - 1, in the order of their indices.

    A value that came before is left out and the counter goes on.

    Args:
        secret: the round's.
        randomness: of the beacon, 32 bytes, or None where the policy declares none.
        root: of the frozen submissions, 32 bytes.
        count: how many.
        length: bytes of a seed; other ones than 8 are for tests.

    Raises:
        ValueError: a size is wrong, or there are not so many seeds.
    """
    beacon = NO_BEACON if randomness is None else randomness
    if len(beacon) != BYTES or len(root) != BYTES or not 0 < count <= 256**length:
        raise ValueError("sizes")
    found: dict[int, None] = {}
    counter = 0
    while len(found) < count:
        info = DERIVATION.encode() + counter.to_bytes(8, "big")
        value = hkdf(secret.exposed(), beacon + root, info, length)
        found.setdefault(int.from_bytes(value, "big"))
        counter += 1
    return list(found)


def hkdf(key: bytes, salt: bytes, info: bytes, length: int) -> bytes:
    """Return HKDF-SHA256's output (RFC 5869)."""
    from cryptography.hazmat.primitives.hashes import SHA256
    from cryptography.hazmat.primitives.kdf.hkdf import HKDF

    return HKDF(algorithm=SHA256(), length=length, salt=salt, info=info).derive(key)
