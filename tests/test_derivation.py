"""derivation.py: independent seeds by hash."""

from __future__ import annotations

import hashlib
import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from seedlock.branches import Branch
from seedlock.derivation import STREAMS, derive, digest, stream_seed

ROOTS = st.integers(0, 2**64 - 1)
PATHS = st.lists(st.text() | st.integers(), max_size=4)


def test_the_scheme_is_fixed() -> None:
    """A derived seed is the beginning of SHA-256 over the documented text; it changes only with
    a major release."""
    text = b"10:seedlock/1,1:7#7:library,5:torch,"
    expected = int(hashlib.sha256(text).hexdigest()[:16], 16)

    assert stream_seed(7, "torch") == expected == 10220720869207537411


def test_known_values_of_root_seed_7() -> None:
    """The table of root seed 7, as README and docs print it."""
    table = {name: stream_seed(7, name) for name in STREAMS}

    assert table == {
        "python.hash": 408484815,
        "python": 5281302581110516197,
        "numpy": 4258865938,
        "torch": 10220720869207537411,
        "tensorflow": 394218320,
        "keras": 3821572245,
        "mxnet": 1912618159,
        "jax": 212116433,
    }


@given(ROOTS, PATHS, st.integers(1, 256))
def test_a_seed_lies_in_its_range(root: int, path: list[str | int], bits: int) -> None:
    """A seed of n bits is from 0 to 2**n - 1."""
    assert 0 <= derive(root, *path, bits=bits) < 2**bits


@given(ROOTS, PATHS, ROOTS, PATHS)
def test_different_paths_give_different_seeds(
    root: int, path: list[str | int], other_root: int, other_path: list[str | int]
) -> None:
    """No two paths share a hashed text: not '3' and 3, not ('ab', 'c') and ('a', 'bc')."""
    same = (root, path) == (other_root, other_path)

    assert (derive(root, *path, bits=256) == derive(other_root, *other_path, bits=256)) == same


def test_same_streams_are_the_root_seed() -> None:
    """REPRO_STREAMS=same hands every library the root seed itself."""
    assert {stream_seed(7, name, "same") for name in STREAMS} == {7}


@pytest.mark.parametrize("part", [1.5, None, b"x", True])
def test_a_path_of_anything_else_is_refused(part: object) -> None:
    """Only text and integers name a seed."""
    with pytest.raises(TypeError, match="text and integers"):
        derive(7, part)  # type: ignore[arg-type]


@pytest.mark.parametrize("bits", [0, 257])
def test_a_size_out_of_range_is_refused(bits: int) -> None:
    """A digest has 256 bits to give."""
    with pytest.raises(ValueError, match="1 to 256"):
        derive(7, bits=bits)


def test_digest_is_sha256() -> None:
    """The digest in reports is plain SHA-256."""
    assert digest(b"x") == hashlib.sha256(b"x").hexdigest()


@pytest.mark.parametrize("numbers", [10_000, pytest.param(100_000, marks=pytest.mark.full)])
def test_paths_share_no_seed(numbers: int) -> None:
    """Paths of the kinds that a run uses, a million in the full test. By chance, two of these would
    be equal once in 37 million schemes."""
    shapes: list[tuple[str | int, ...]] = [
        ("user", "torch"), ("user", "numpy"), ("entropy", "", "numpy"), ("entropy", "0/2", "numpy"),
        ("child", "0/2", "library"),
    ]  # fmt: skip
    seeds = {
        Branch(root, *shape).derive(number)
        for root in (7, 8)
        for shape in shapes
        for number in range(numbers)
    }

    assert len(seeds) == 10 * numbers


@given(ROOTS, PATHS, PATHS, st.integers(1, 256))
def test_a_branch_derives_what_the_whole_path_does(
    root: int, path: list[str | int], rest: list[str | int], bits: int
) -> None:
    """Only the shared part of the hash is computed once."""
    branch = Branch(root, *path)

    assert branch.derive(*rest, bits=bits) == derive(root, *path, *rest, bits=bits)
    assert branch.derive(*rest, bits=bits) == derive(root, *path, *rest, bits=bits)


def test_a_branch_refuses_what_a_path_refuses() -> None:
    """Only text and integers name a seed."""
    for part in (1.5, None, b"x", True):
        with pytest.raises(TypeError, match="text and integers"):
            Branch(7, "user").derive(part)  # type: ignore[arg-type]


def test_equal_author_seeds_give_libraries_unrelated_words() -> None:
    """NumPy's and Python's MT19937 give the same words where both hear one number by the same rule
    (init_by_array); under derived seeds no word of a thousand is shared."""
    numpy = pytest.importorskip("numpy")
    words = [
        numpy.random.RandomState(derive(7, "user", name, 42, bits=32)).randint(
            0, 2**32, size=1000, dtype=numpy.uint32
        )
        for name in ("numpy", "torch", "python")
    ]
    helped = numpy.random.RandomState([42]).randint(0, 2**32, size=1000, dtype=numpy.uint32)
    plain = random.Random(42)

    assert helped.tolist() == [plain.getrandbits(32) for _ in range(1000)]
    assert not set(words[0]) & set(words[1]) and not set(words[1]) & set(words[2])
