"""Beacons: who signs what, checked by two libraries."""

from __future__ import annotations

import hashlib
import json
import sys
from datetime import timedelta

import pytest

from seedlock.errors import BadBeacon
from seedlock.evaluation.rounds.beacon import QUICKNET, Network, read, usable, verified
from seedlock.evaluation.rounds.canonical import stamp
from tests.evaluation.rounds.bls import (
    compressed,
    curve,
    message,
    public_key,
    read_key,
    read_signature,
)
from tests.evaluation.rounds.made_rounds import DUE, NETWORK, NUMBER, SIGNATURES

ROUND_1000 = (
    "b44679b9a59af2ec876b1a6b1ad52ea9b1615fc3982b19576350f93447cb1125"
    "e342b73a8dd2bacbe47e4b6b63ed5e39"
)
RANDOMNESS_1000 = "fe290beca10872ef2fb164d2aa4442de4566183ec51c56ff3cd603d930e54fdd"
"""quicknet's round 1000 (drand's documentation, and its relays)."""

SECRET_KEY = int.from_bytes(hashlib.sha256(b"seedlock test network").digest(), "big")


def test_a_known_round_of_quicknet() -> None:
    """Round 1000: its signature holds, and its randomness and time are those known."""
    found = verified(QUICKNET, 1000, ROUND_1000)

    assert found.randomness == RANDOMNESS_1000
    assert stamp(QUICKNET.time_of(1000)) == "2023-08-23T15:59:24Z"


def test_another_library_says_the_same_of_quicknet() -> None:
    """The pairing equation of BLS, computed by py_ecc."""
    public, signature = read_key(QUICKNET.public_key), read_signature(ROUND_1000)

    left = curve.pairing(curve.G2, signature)
    assert left == curve.pairing(public, message(1000))
    assert left != curve.pairing(public, message(1001))


def test_the_network_of_the_tests_signs_as_drand_does() -> None:
    """What py_ecc signs is what the tests have, and drand-verify takes it."""
    secret = SECRET_KEY % curve.curve_order
    assert public_key(secret) == NETWORK.public_key

    for number, signature in SIGNATURES.items():
        assert compressed(curve.multiply(message(number), secret)) == signature
        assert verified(NETWORK, number, signature).number == number
    assert NETWORK.time_of(NUMBER) == DUE


def test_the_library_of_the_tests_leaves_this_process_alone() -> None:
    """JSON that is nested deep raises RecursionError still."""
    assert sys.getrecursionlimit() < 100_000


def test_a_signature_has_one_form() -> None:
    """Adding a point of small order gives another text for the same pairing: it is refused, or
    whoever publishes the beacon could choose among several."""
    x = next(
        x for x in range(1, 50)
        if pow(x**3 + 4, (curve.field_modulus - 1) // 2, curve.field_modulus) == 1
    )  # fmt: skip
    root = pow(x**3 + 4, (curve.field_modulus + 1) // 4, curve.field_modulus)
    point = (curve.FQ(x), curve.FQ(root), curve.FQ(1))
    outside = curve.multiply(point, curve.curve_order)
    other = compressed(curve.add(read_signature(SIGNATURES[NUMBER]), outside))
    assert other != SIGNATURES[NUMBER]

    with pytest.raises(BadBeacon, match="signature"):
        verified(NETWORK, NUMBER, other)


@pytest.mark.parametrize(
    "text",
    [
        SIGNATURES[NUMBER],
        f"  {SIGNATURES[NUMBER].upper()}\n",
        json.dumps({"round": NUMBER, "signature": SIGNATURES[NUMBER]}),
        json.dumps({
            "round": NUMBER, "signature": SIGNATURES[NUMBER],
            "randomness": hashlib.sha256(bytes.fromhex(SIGNATURES[NUMBER])).hexdigest(),
        }),
    ],
)  # fmt: skip
def test_what_a_value_may_look_like(text: str) -> None:
    """A signature, or what a relay says."""
    assert read(text, NETWORK, NUMBER).signature == SIGNATURES[NUMBER]


@pytest.mark.parametrize(
    "text",
    [
        "",
        "-",
        "é" * 96,
        "0" * 96,
        "c0" + "00" * 47,  # the point at infinity
        SIGNATURES[999],
        SIGNATURES[NUMBER][:-1],
        SIGNATURES[NUMBER][:-1] + "1",
        ROUND_1000,
        "{",
        "{}",
        "[1]",
        "9" * 100_000,
        json.dumps({"round": 999, "signature": SIGNATURES[999]}),
        json.dumps({"round": True, "signature": SIGNATURES[NUMBER]}),
        json.dumps({"round": str(NUMBER), "signature": SIGNATURES[NUMBER]}),
        json.dumps({"round": NUMBER, "signature": SIGNATURES[999]}),
        json.dumps({"round": NUMBER, "signature": None}),
        json.dumps({"round": NUMBER, "signature": SIGNATURES[NUMBER], "randomness": "0" * 64}),
        f'{{"round": 1, "round": {NUMBER}, "signature": "{SIGNATURES[NUMBER]}"}}',
    ],
)
def test_what_is_no_beacon_is_refused(text: str) -> None:
    """Another round, another network, a changed digit, no signature at all."""
    with pytest.raises(BadBeacon, match="allowed"):
        read(text, NETWORK, NUMBER)


@pytest.mark.parametrize(
    "key", ["00" * 96, "ff" * 96, "c0" + "00" * 95, NETWORK.public_key[:-2] + "9e"]
)
def test_what_is_no_public_key_is_refused(key: str) -> None:
    """A point that is none, and the one at infinity, for which everybody can sign."""
    network = Network("own", key, 0, 1)

    assert not usable(network)
    with pytest.raises(BadBeacon, match="public key"):
        verified(network, 1, "c0" + "00" * 47)


def test_the_first_round_after_a_moment() -> None:
    """One that comes later, by as little as can be."""
    for seconds in range(-31, 62):
        moment = DUE + timedelta(seconds=seconds)
        number = NETWORK.first_after(moment)
        assert NETWORK.time_of(number) > moment >= NETWORK.time_of(number - 1)
    assert NETWORK.first_after(NETWORK.time_of(1) - timedelta(days=1)) == 1
