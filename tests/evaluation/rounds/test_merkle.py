"""Merkle trees: known answers of Certificate Transparency, and each proof of small ones."""

from __future__ import annotations

import hashlib

import pytest

from seedlock.evaluation.rounds.merkle import proof, proven, root

LEAVES = [
    bytes.fromhex(each)
    for each in (
        "", "00", "10", "2021", "3031", "40414243", "5051525354555657",
        "606162636465666768696a6b6c6d6e6f",
    )
]  # fmt: skip
ROOTS = [
    "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
    "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
    "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
    "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
    "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
    "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4",
    "76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef",
    "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c",
    "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328",
]
"""The tree of the first n leaves (google/certificate-transparency, merkle_tree_test.cc)."""


@pytest.mark.parametrize("count", range(9))
def test_known_answers(count: int) -> None:
    """The empty tree's hash is SHA-256 of nothing, a leaf's begins with 0, a node's with 1."""
    assert root(LEAVES[:count]).hex() == ROOTS[count]


def test_known_paths() -> None:
    """Audit paths of the same tests: leaf 0 and leaf 5 of 8, leaf 2 of 3, leaf 1 of 5."""
    sha = hashlib.sha256
    first = [each.hex() for each in proof(LEAVES, 0)]
    fifth = [each.hex() for each in proof(LEAVES, 5)]

    assert first == [
        "96a296d224f285c67bee93c30f8a309157f0daa35dc5b87e410b78630a09cfc7",
        "5f083f0a1a33ca076a95279832580db3e0ef4584bdff1f54c8a360f50de3031e",
        "6b47aaf29ee3c2af9af889bc1fb9254dabd31177f16232dd6aab035ca39bf6e4",
    ]
    assert fifth == [
        "bc1a0643b12e4d2d7c77918f44e0f4f79a838b6cf9ec5b5c283e1f4d88599e6b",
        "ca854ea128ed050b41b35ffc1b87b8eb2bde461e9e3b5596ece6b9d5975a0ae0",
        "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
    ]
    assert proof(LEAVES[:1], 0) == []
    assert proof(LEAVES[:3], 2) == [bytes.fromhex(ROOTS[2])]
    assert proof(LEAVES[:5], 1)[0] == sha(b"\0").digest()


@pytest.mark.parametrize("size", range(1, 34))
def test_each_leaf_is_proven_and_nothing_else(size: int) -> None:
    """A path leads its own leaf to the root from its own place, and no other, nor if changed."""
    leaves = [bytes([number]) for number in range(size)]
    top = root(leaves)
    for index, leaf in enumerate(leaves):
        path = proof(leaves, index)

        assert proven(leaf, index, size, path, top)
        assert not proven(leaf + b"x", index, size, path, top)
        assert not proven(leaf, index, size, path, bytes(32))
        assert not proven(leaf, index, size, [*path, bytes(32)], top)
        assert not any(
            proven(leaf, other, size, path, top) for other in range(size) if other != index
        )
        assert not any(
            proven(leaf, index, size, [*path[:at], bytes(32), *path[at + 1 :]], top)
            or proven(leaf, index, size, [*path[:at], *path[at + 1 :]], top)
            for at in range(len(path))
        )


def test_a_node_does_not_pass_for_a_leaf() -> None:
    """Two hashes side by side as a leaf are another leaf, not their node."""
    sha = hashlib.sha256
    pair = sha(b"\0a").digest() + sha(b"\0b").digest()

    assert root([b"a", b"b"]) != root([pair])
    assert not proven(pair, 0, 1, [], root([b"a", b"b"]))


def test_places_that_are_none() -> None:
    """Outside of the tree nothing is proven."""
    assert not proven(b"", -1, 1, [], root([b""]))
    assert not proven(b"", 1, 1, [], root([b""]))
    assert not proven(b"", 0, 0, [], root([]))
    for index in (-1, 1):
        with pytest.raises(IndexError):
            proof([b""], index)
