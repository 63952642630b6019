"""manifest_diff.py: what moved, what came and went, and what has other contents."""

from __future__ import annotations

from dataclasses import replace

import pytest

from seedlock.evaluation.manifest import (
    DEB,
    DEBIAN,
    FILES,
    LOCKED,
    PYTHON,
    Base,
    Manifest,
    Package,
)
from seedlock.evaluation.manifest_diff import ADDED, HASH, REMOVED, VERSION, compare
from seedlock.evaluation.manifest_sources import of_locks
from tests.interpreter import REPOSITORY

SITE = "/opt/repro/venv/lib/python3.11/site-packages"
TINI = Package(DEBIAN, "tini", "0.19.0-1", "amd64", ((DEB, "a"), (FILES, "b")))
NUMPY = Package(PYTHON, "numpy", "2.2.6", SITE, ((FILES, "a"), (LOCKED, "b"), (LOCKED, "c")))
BASE = Base("debian:12", "2", "3")
A = Manifest(
    "image", "a", "1", "0.1.0", "c14ecc5", BASE, ("debian", "12.15"), {"cpu.lock": "4"},
    (TINI, NUMPY),
)  # fmt: skip


def found(a: tuple[Package, ...], b: tuple[Package, ...]) -> list[tuple[str, str]]:
    """Return the names and changes of packages."""
    difference = compare(replace(A, packages=a), replace(A, packages=b))
    assert difference.facts == ()
    return [(each.package.name, each.change) for each in difference.packages]


def test_equal_materials_are_equal() -> None:
    """Whatever the image is called, and however often it was built."""
    assert not compare(A, A)
    assert not compare(A, replace(A, name="b", identity="9"))


@pytest.mark.parametrize(
    ("b", "change"),
    [
        (replace(A, base=BASE._replace(name="x")), ("base", "debian:12", "x")),
        (replace(A, base=BASE._replace(digest="9")), ("base digest", "2", "9")),
        (replace(A, base=BASE._replace(digest="")), ("base digest", "2", "")),
        (replace(A, base=BASE._replace(layer="9")), ("base layer", "3", "9")),
        (replace(A, system=("debian", "12.16")), ("system", "debian 12.15", "debian 12.16")),
        (replace(A, seedlock="0.2.0"), ("seedlock", "0.1.0", "0.2.0")),
        (replace(A, revision=""), ("revision", "c14ecc5", "")),
        (replace(A, locks={"cpu.lock": "9"}), ("lock cpu.lock", "4", "9")),
        (replace(A, locks={"cpu.lock": "4", "debian.lock": "5"}), ("lock debian.lock", "", "5")),
    ],
    ids=lambda value: value[0] if isinstance(value, tuple) else "",
)  # fmt: skip
def test_each_fact_counts(b: Manifest, change: tuple[str, str, str]) -> None:
    """Base, system, seedlock, revision and locks, each as it was and is."""
    difference = compare(A, b)

    assert [tuple(each) for each in difference.facts] == [change]
    assert difference.packages == ()


def test_packages_come_go_and_move() -> None:
    """Added, removed, another version."""
    moved = NUMPY._replace(version="2.4.6")

    assert found((), (TINI,)) == [("tini", ADDED)]
    assert found((TINI,), ()) == [("tini", REMOVED)]
    assert found((NUMPY,), (moved,)) == [("numpy", VERSION)]
    assert found((NUMPY, TINI), (TINI, moved)) == [("numpy", VERSION)]


@pytest.mark.parametrize(
    ("hashes", "kinds"),
    [
        (((FILES, "x"), (LOCKED, "b"), (LOCKED, "c")), (FILES,)),
        (((FILES, "a"), (LOCKED, "b")), (LOCKED,)),
        (((FILES, "x"), (LOCKED, "x")), (LOCKED, FILES)),
        (((LOCKED, "b"), (LOCKED, "c")), ()),
        ((), ()),
    ],
)
def test_the_same_version_with_another_hash(
    hashes: tuple[tuple[str, str], ...], kinds: tuple[str, ...]
) -> None:
    """It is named by the kind of hash; a kind that one side lacks says nothing."""
    difference = compare(
        replace(A, packages=(NUMPY,)), replace(A, packages=(NUMPY._replace(hashes=hashes),))
    )

    assert [(each.change, each.hashes) for each in difference.packages] == (
        [(HASH, kinds)] if kinds else []
    )


def test_a_moved_folder_is_no_change() -> None:
    """Python's version stands in the folder's name, and an environment may lie elsewhere."""
    newer = NUMPY._replace(place=SITE.replace("3.11", "3.13"))
    elsewhere = NUMPY._replace(place="/srv/lib/python3.11/site-packages")

    assert found((NUMPY,), (newer,)) == []
    assert found((NUMPY,), (elsewhere,)) == []
    assert found((NUMPY,), (newer, elsewhere._replace(version="1"))) == [("numpy", ADDED)]
    assert found((NUMPY, elsewhere), (elsewhere, newer)) == []
    assert found((NUMPY, elsewhere), (newer,)) == [("numpy", REMOVED)]
    other = elsewhere._replace(version="9")
    also_newer = other._replace(place=other.place.replace("3.11", "3.13"))
    moved = newer._replace(version="99")
    difference = compare(
        replace(A, packages=(NUMPY, other)), replace(A, packages=(also_newer, moved))
    )
    assert [(each.before, each.after) for each in difference.packages] == [(NUMPY, moved)]


def test_one_name_in_two_systems_is_two_packages() -> None:
    """A Debian package and a Python package may share it."""
    assert found((TINI,), (TINI._replace(system=PYTHON),)) == [("tini", REMOVED), ("tini", ADDED)]


def test_what_another_kind_cannot_know_is_not_compared() -> None:
    """Locks have no revision, no layer, and no seedlock; their base and digests count."""
    locks = Manifest(
        "locks", "version-lock", base=Base("debian:12", "9"), locks={"cpu.lock": "4"},
        packages=A.packages,
    )  # fmt: skip

    difference = compare(locks, A)

    assert [each.name for each in difference.facts] == ["base digest"]
    assert difference.packages == ()


def test_the_two_real_locks() -> None:
    """gpu.lock brings NVIDIA's libraries and another torch, and the same numpy."""
    folder = str(REPOSITORY / "version-lock")

    difference = compare(of_locks(folder), of_locks(f"{folder}/gpu.lock"))

    changes = {each.package.name: each for each in difference.packages}
    assert {each.package.system for each in difference.packages} == {PYTHON}
    assert changes["nvidia-nccl-cu12"].change == ADDED
    assert changes["torch"].change == VERSION
    assert changes["tensorflow-cpu"].change == REMOVED
    assert "numpy" not in changes
    assert ("lock cpu.lock", "") in [(each.name, each.after) for each in difference.facts]
    torch = next(each for each in difference.as_dict()["packages"] if each["name"] == "torch")
    assert torch["before"]["version"].endswith("+cpu") and torch["after"]["hashes"]["locked"]
