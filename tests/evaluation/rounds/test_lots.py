"""Which records are replayed."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path

import pytest

from seedlock.evaluation.rounds.lots import INFO, chosen, fraction, lot
from tests.evaluation.rounds import made_rounds

SECRET, SALT = bytes(range(32)), bytes(64)
RUNS = [(f"sha256:{number:064x}", index) for number in range(50) for index in range(4)]


@pytest.mark.parametrize(
    ("part", "of", "expected"),
    [("0.1", 200, 20), ("0.1", 11, 2), ("0.1", 10, 1), ("0.1", 1, 1), ("0.001", 200, 1),
     ("1/3", 3, 1), ("1/3", 4, 2), ("1", 7, 7), ("0.3", 10, 3), ("0.5", 0, 0)],
)  # fmt: skip
def test_a_part_is_rounded_up_and_at_least_one(part: str, of: int, expected: int) -> None:
    """Exactly, not as floats are: 0.1 of 10 is one, and 0.3 of 10 is three."""
    value = fraction(part)

    assert value is not None
    assert len(chosen(SECRET, SALT, RUNS[:of], value)) == expected


@pytest.mark.parametrize(
    "text", ["0", "0.0", "1.5", "-1", "1/0", "nan", "inf", "1e-999999999", "a", "", "1" * 5000]
)
def test_a_text_that_is_no_part(text: str) -> None:
    """Above 0, up to 1, and short."""
    assert fraction(text) is None


def test_the_choice_follows_from_secret_beacon_and_root_and_nothing_else() -> None:
    """The same again in whatever order records come in; another secret, beacon or root chooses
    others; a larger part chooses the same ones and more."""
    tenth = chosen(SECRET, SALT, RUNS, Fraction(1, 10))

    assert chosen(SECRET, SALT, reversed(RUNS), Fraction(1, 10)) == tenth
    for secret, salt in (
        (bytes(32), SALT), (SECRET, b"\1" + bytes(63)), (SECRET, bytes(63) + b"\1"),
    ):  # fmt: skip
        assert set(chosen(secret, salt, RUNS, Fraction(1, 10))) != set(tenth)
    assert set(tenth) < set(chosen(SECRET, SALT, RUNS, Fraction(1, 5)))


def test_a_lot_is_the_hash_that_the_documents_say(tmp_path: Path) -> None:
    """HKDF-SHA256 (RFC 5869), written out here with the standard library, of the secret and beacon
    of a round; no hidden seed has its info."""
    import hashlib
    import hmac

    this = made_rounds.drawn(tmp_path / "round", f'train = "authors"\n{made_rounds.POLICY}')
    secret = this.secret(None).exposed()
    beacon = this.draw()["beacon"]["randomness"]
    salt = bytes.fromhex(beacon) + bytes.fromhex(this.freeze()["root"])
    digest = this.freeze()["submissions"][0]["digest"]
    info = b"seedlock spot check 1" + bytes.fromhex(digest[7:]) + (1).to_bytes(8, "big")
    key = hmac.new(salt, secret, hashlib.sha256).digest()
    expected = hmac.new(key, info + b"\1", hashlib.sha256).digest()[:16]

    assert this.salt() == salt
    assert lot(secret, salt, digest, 1) == expected
    assert not this.policy.as_dict()["derivation"].encode().startswith(INFO)


def test_each_run_has_the_same_chance() -> None:
    """Of 200 runs, a tenth under each of 400 beacons: each run is drawn 40 times on average, and
    none more than 6 standard deviations (36) off. The beacons are fixed, so the counts are too."""
    counts = dict.fromkeys(RUNS, 0)
    for number in range(400):
        for run in chosen(SECRET, number.to_bytes(64, "big"), RUNS, Fraction(1, 10)):
            counts[run] += 1

    assert sum(counts.values()) == 400 * 20
    assert all(4 < count < 76 for count in counts.values())
