"""The way from secret, beacon and root to seeds."""

from __future__ import annotations

import copy
import hashlib
import os
import pickle
import sys
import traceback
from pathlib import Path

import pytest

from seedlock.errors import BadRound
from seedlock.evaluation.rounds import hidden_seeds
from seedlock.evaluation.rounds.hidden_seeds import Secret, derive, hkdf
from tests.interpreter import python

SECRET = Secret(bytes(range(32)))
BEACON = hashlib.sha256(b"beacon").digest()
ROOT = hashlib.sha256(b"root").digest()


def test_rfc_5869() -> None:
    """Test cases 1 to 3 of RFC 5869, appendix A, by the function that seeds come from."""
    assert hkdf(b"\x0b" * 22, bytes(range(13)), bytes(range(0xF0, 0xFA)), 42).hex() == (
        "3cb25f25faacd57a90434f64d0362f2a2d2d0a90cf1a5a4c5db02d56ecc4c5bf34007208d5b887185865"
    )
    assert hkdf(
        bytes(range(80)), bytes(range(0x60, 0xB0)), bytes(range(0xB0, 0x100)), 82
    ).hex() == (
        "b11e398dc80327a1c8e7f78c596a49344f012eda2d4efad8a050cc4c19afa97c"
        "59045a99cac7827271cb41c65e590e09da3275600c2f09b8367793a9aca3db71"
        "cc30c58179ec3e87c14c01d5c1f3434f1d87"
    )
    assert hkdf(b"\x0b" * 22, b"", b"", 42).hex() == (
        "8da4e775a563c18f715f802a063c5a31b8a11f5c5ee1879ec3454e5f3c738d2d9d201395faa4b61a96c8"
    )


def test_golden() -> None:
    """The derivation never changes in silence: fixed input, these seeds, these commitments.

    Whoever has to change this test changes `policy.DERIVATION` too.
    """
    assert derive(SECRET, BEACON, ROOT, 5) == GOLDEN
    assert derive(SECRET, None, ROOT, 2) == GOLDEN_NO_BEACON
    assert SECRET.commitment(b"{}") == GOLDEN_COMMITMENT
    assert SECRET.seeds_commitment(GOLDEN) == GOLDEN_SEEDS


GOLDEN = [
    3611467373645159223,
    8535361289718886156,
    9173159386600880988,
    9373803313157952648,
    13007345049350689923,
]
GOLDEN_NO_BEACON = [2391585582726310722, 3365469389700482895]
GOLDEN_COMMITMENT = "361ee67c258082365357f330f13b202a4a58e6998a195524164f087aa68a662f"
GOLDEN_SEEDS = "b99706b471887228f1e672e79f949b1cc11924991acda53f50cdc761756fcbe1"


def test_everything_that_goes_in_counts() -> None:
    """Another secret, beacon, root: other seeds; another number: a longer list."""
    seeds = derive(SECRET, BEACON, ROOT, 100)

    assert seeds[:5] == GOLDEN
    assert len(set(seeds)) == 100
    others = [
        derive(Secret(bytes(32)), BEACON, ROOT, 100),
        derive(SECRET, ROOT, ROOT, 100),
        derive(SECRET, None, ROOT, 100),
        derive(SECRET, BEACON, BEACON, 100),
        derive(SECRET, ROOT, BEACON, 100),
    ]
    assert all(not set(seeds) & set(other) for other in others)


def test_seeds_differ_where_the_hash_repeats() -> None:
    """With seeds of one byte duplicates do come, and are left out: all 256 are found, once."""
    drawn = [
        hkdf(SECRET.exposed(), BEACON + ROOT, b"seedlock hidden seed 1" + n.to_bytes(8, "big"), 1)[
            0
        ]
        for n in range(300)
    ]
    assert len(set(drawn)) < 300

    assert derive(SECRET, BEACON, ROOT, 50, length=1) == list(dict.fromkeys(drawn))[:50]
    assert sorted(derive(SECRET, BEACON, ROOT, 256, length=1)) == list(range(256))


@pytest.mark.parametrize(
    ("beacon", "root", "count", "length"),
    [(b"", ROOT, 1, 8), (BEACON, b"", 1, 8), (BEACON, ROOT, 0, 8), (BEACON, ROOT, 257, 1)],
)
def test_sizes_that_are_none(beacon: bytes, root: bytes, count: int, length: int) -> None:
    """32 bytes each, and not more seeds than there are."""
    with pytest.raises(ValueError, match="sizes"):
        derive(SECRET, beacon, root, count, length)


def test_commitments_bind() -> None:
    """One that changes with the secret, the policy, each seed and their order."""
    other = Secret(bytes(32))

    assert SECRET.commitment(b"{}") != SECRET.commitment(b"{ }")
    assert SECRET.commitment(b"{}") != other.commitment(b"{}")
    assert len({SECRET.seeds_commitment(each) for each in ([1], [2], [1, 2], [2, 1])}) == 4
    assert SECRET.seeds_commitment([1]) != other.seeds_commitment([1])


def test_a_secret_is_not_shown() -> None:
    """No text, no pickle, no copy, no traceback has it."""
    shown = ""
    for attempt in (pickle.dumps, copy.deepcopy):
        try:
            attempt(SECRET)
        except TypeError as problem:
            told = traceback.TracebackException.from_exception(problem, capture_locals=True)
            shown += "".join(told.format())
    raw = SECRET.exposed()

    assert shown.count("TypeError: a secret can't be pickled") == 2
    text = f"{SECRET} {SECRET!r} {[SECRET]} {shown}"
    assert raw.hex() not in text
    assert repr(raw) not in text
    assert not hasattr(SECRET, "__dict__")


def test_secrets_come_from_the_system() -> None:
    """Two are different, of 32 bytes."""
    first, second = hidden_seeds.draw().exposed(), hidden_seeds.draw().exposed()

    assert len(first) == len(second) == 32
    assert first != second


@pytest.mark.parametrize("entropy", ["count", "lock"])
def test_no_secret_follows_from_a_seed(entropy: str) -> None:
    """Under REPRO_SEED a secret would be the same in each run, or stand in a trace: refused."""
    program = "from seedlock.evaluation.rounds.hidden_seeds import draw; print(draw().exposed())"

    done = python("-c", program, check=False, REPRO_SEED="7", REPRO_ENTROPY=entropy)

    assert done.status != 0
    assert done.out == ""
    assert "unset REPRO_SEED" in done.err


def test_nor_where_somebody_replaced_the_systems_function(monkeypatch: pytest.MonkeyPatch) -> None:
    """As seedlock itself does under a lock."""

    def replaced(size: int) -> bytes:
        return bytes(size)

    replaced.__wrapped__ = os.urandom  # type: ignore[attr-defined]
    monkeypatch.setattr(os, "urandom", replaced)

    with pytest.raises(BadRound, match="REPRO_SEED"):
        hidden_seeds.draw()


def test_the_documents_ten_lines(tmp_path: Path) -> None:
    """docs/rounds.md has a program that computes the seeds with the standard library alone."""
    from tests.evaluation.rounds.made_rounds import revealed

    text = (Path(__file__).parents[3] / "docs" / "rounds.md").read_text()
    program = text.partition("```python\n")[2].partition("```")[0]
    this, _ = revealed(tmp_path / "round")
    (tmp_path / "program.py").write_text(program)

    done = python("-S", "program.py", str(this.folder), cwd=tmp_path)

    assert [int(line) for line in done.lines] == this.seeds()
    assert len(program.splitlines()) <= 15
    assert sys.version_info >= (3, 10)
