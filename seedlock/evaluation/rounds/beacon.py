"""A drand beacon: numbers that nobody knows before their time, each signed, checked offline.

A network signs the number of each round with a key that its members hold in parts; the signature
is the only valid one (BLS), so that nobody can choose it, and its SHA-256 is the randomness
(drand.love, "Cryptography"). The scheme is drand's `bls-unchained-g1-rfc9380`, verified by the
library drand-verify.
"""

from __future__ import annotations

import hashlib
import re
import subprocess
import sys
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from seedlock.errors import BadBeacon, printable
from seedlock.evaluation.rounds.canonical import from_seconds, stamp, strict

if TYPE_CHECKING:
    from datetime import datetime

SCHEME = "bls-unchained-g1-rfc9380"

SIGNATURE = re.compile(r"[0-9a-f]{96}")
"""A compressed point of the curve's group G1."""

PUBLIC_KEY = re.compile(r"[0-9a-f]{192}")
"""A compressed point of G2."""

MOST_ROUNDS = 2**53
"""Numbers of rounds that each reader of JSON takes as they are."""

INFINITY = 0x40
"""Bit of a compressed point's first byte that says: the point at infinity (ZCash's format)."""

GENERATOR = (
    "97f1d3a73197d7942695638c4fa9ac0fc3688c4f9774b905a14e3a3f171bac58"
    "6c55e83ff97a1aeffb3af00adb22c6bb"
)
"""G1's generator (draft-irtf-cfrg-pairing-friendly-curves, 4.2.1): a point, nobody's signature."""

ASK = """
import sys, drand_verify
try:
    drand_verify.verify_bls_unchained_g1_rfc9380(1, sys.argv[1], sys.argv[2])
except ValueError:
    pass
"""
"""Program that fails where a public key is none."""

LARGEST = 1 << 16
"""Characters of a beacon's value that are read at all."""


@dataclass(frozen=True)
class Network:
    """A drand network.

    Attributes:
        name: `quicknet`, or what the policy calls its own.
        public_key: 192 hexadecimal digits.
        genesis: when round 1 came, seconds since 1970.
        period: seconds from one round to the next.
    """

    name: str
    public_key: str
    genesis: int
    period: int

    def time_of(self, number: int) -> datetime:
        """Return when round `number` comes, which is 1 or later."""
        return from_seconds(self.genesis + (number - 1) * self.period)

    def first_after(self, moment: datetime) -> int:
        """Return the number of the first round that comes later than a moment."""
        passed = int(moment.timestamp()) - self.genesis
        return 1 if passed < 0 else passed // self.period + 2

    def as_dict(self) -> dict[str, Any]:
        """Return it JSON-ready."""
        return {
            "name": self.name, "scheme": SCHEME, "public_key": self.public_key,
            "genesis": self.genesis, "period": self.period,
        }  # fmt: skip


QUICKNET = Network(
    "quicknet",
    "83cf0f2896adee7eb8b5f01fcad3912212c437e0073e911fb90022d3e760183c"
    "8c4b450b6a0a6c3ac6a5776a2d1064510d1fec758c921cc22b0e17e63aaf4bcb"
    "5ed66304de9cf809bd274ca73bab4af5a6e9c76a4bc09e76eae8991ef5ece45a",
    1692803367,
    3,
)
"""The League of Entropy's network: chain 52db9ba7…e971, a round each 3 seconds since 2023-08-23
(docs.drand.love)."""


@dataclass(frozen=True)
class Beacon:
    """A round of a network, verified.

    Attributes:
        network: its name.
        number: the round's.
        signature: 96 hexadecimal digits.
        randomness: 64, the SHA-256 of the signature's bytes.
    """

    network: str
    number: int
    signature: str
    randomness: str

    def as_dict(self) -> dict[str, Any]:
        """Return it JSON-ready."""
        return {
            "network": self.network, "round": self.number, "signature": self.signature,
            "randomness": self.randomness,
        }  # fmt: skip


def read(text: str, network: Network, number: int) -> Beacon:
    """Return the beacon that a text holds, verified.

    Args:
        text: the signature in hexadecimal digits, or the JSON of a drand relay with `round`,
            `signature` and perhaps `randomness`.
        network: whose beacon it has to be.
        number: of which round.

    Raises:
        BadBeacon: it is none, of another round, or not this network's.
    """
    text = text.strip()
    if len(text) > LARGEST:
        raise _bad("the value", "long", "a signature, or a relay's JSON")
    told = None
    if text.startswith("{"):
        try:
            content = strict(text.encode("utf-8", "replace"))
        except ValueError as problem:
            raise _bad("the value", text, "a signature, or a relay's JSON") from problem
        given, signature = content.get("round"), content.get("signature")
        told = content.get("randomness")
        if type(given) is not int or given != number:
            raise _bad("the beacon's round", given, f"{number}, which the policy declares")
    else:
        signature = text
    return verified(network, number, signature, told)


def verified(network: Network, number: int, signature: object, told: object = None) -> Beacon:
    """Return a beacon whose signature holds.

    Args:
        network: whose.
        number: of which round.
        signature: what stands for it.
        told: the randomness that somebody says follows from it, or None.

    Raises:
        BadBeacon: it is not the network's signature of this round, or the randomness another.
    """
    import drand_verify

    if not usable(network):
        raise _bad("the network's public key", f"{network.public_key[:16]}…", "a point of G2")
    low = signature.lower() if isinstance(signature, str) else ""
    if not SIGNATURE.fullmatch(low):
        raise _bad("the signature", signature, "96 hexadecimal digits")
    try:
        found = drand_verify.verify_bls_unchained_g1_rfc9380(number, low, network.public_key)
    except ValueError as problem:
        allowed = f"the signature of round {number} by network {network.name}"
        raise _bad("the signature", f"{low[:16]}…", allowed) from problem
    randomness = hashlib.sha256(bytes.fromhex(low)).hexdigest()
    if found != randomness or (told is not None and told != randomness):
        raise _bad("the randomness", told, f"{randomness[:16]}…, the signature's SHA-256")
    return Beacon(network.name, number, low, randomness)


def usable(network: Network) -> bool:
    """Return whether the network's public key is one that signatures can be checked by.

    drand-verify 0.2.1 panics where it is no point of the group; so it is asked in a process of
    its own. And it takes the point at infinity, for which everybody can sign: that is no key.
    """
    return network.public_key == QUICKNET.public_key or _is_key(network.public_key)


@lru_cache
def _is_key(public_key: str) -> bool:
    if int(public_key[:2], 16) & INFINITY:
        return False
    asked = subprocess.run(
        [sys.executable, "-I", "-c", ASK, GENERATOR, public_key],
        env={}, capture_output=True, check=False,
    )  # fmt: skip
    return asked.returncode == 0


def due(network: Network, number: int) -> str:
    """Return when a round comes, for people."""
    return f"round {number} of {network.name}, {stamp(network.time_of(number))}"


def _bad(what: str, given: object, allowed: str) -> BadBeacon:
    shown = "missing" if given is None else f"'{printable(str(given), 60)}'"
    return BadBeacon(
        f"{what} is {shown}; allowed: {allowed}; get it from a relay of the network, as "
        "https://RELAY/CHAIN/public/ROUND"
    )
