"""registry.py: versions of what is installed."""

from __future__ import annotations

import importlib.metadata
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as some

from seedlock import registry
from seedlock.errors import BadSetting
from seedlock.registry import (
    REGISTRY,
    installed_versions,
    locked_versions,
    normalised,
    release,
    within,
)
from tests.interpreter import python


@pytest.mark.parametrize(
    ("version", "numbers"),
    [("2.13.0+cpu", (2, 13, 0)), ("1.9.1.post0", (1, 9, 1)), ("2.3.0rc1", (2, 3, 0)), ("x", ())],
)
def test_release_numbers(version: str, numbers: tuple[int, ...]) -> None:
    """Local parts and suffixes do not count."""
    assert release(version) == numbers


def test_a_range_is_half_open() -> None:
    """The first version is in the range, the end is not."""
    supported = ((2, 4), (2, 14))

    assert within("2.4.0", supported)
    assert within("2.13.9", supported)
    assert not within("2.14.0", supported)
    assert not within("2.3.9", supported)


def test_installed_versions_are_those_of_the_standard_library() -> None:
    """Folder names tell what importlib.metadata tells, for every installed distribution."""
    expected = {normalised(each.name): each.version for each in importlib.metadata.distributions()}

    assert installed_versions(set(expected)) == expected


def test_names_that_begin_alike_are_told_apart(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """torch is not torch-geometric, nor a folder of torch's; old spellings of names count."""
    names = (
        "torch_geometric-2.7.0.dist-info", "torch-2.13.0.data", "torch-2.13.0+cpu.dist-info",
        "tensorflow-2.21.0.dist-info", "Tensorflow_CPU-2.21.1.dist-info", "numpy-2.2.6.egg-info",
        "jax", "\u0130stanbul-1.0.dist-info", "zope.interface-7.1.dist-info",
    )  # fmt: skip
    for name in names:
        (tmp_path / name).mkdir()
    monkeypatch.setattr("sys.path", [str(tmp_path)])

    found = installed_versions(
        {"torch", "tensorflow", "tensorflow-cpu", "numpy", "jax", "zope-interface"}
    )

    assert found == {
        "torch": "2.13.0+cpu",
        "tensorflow": "2.21.0",
        "tensorflow-cpu": "2.21.1",
        "zope-interface": "7.1",
    }


def test_every_library_of_the_registry_is_installed_and_supported() -> None:
    """The lock holds each library that has an adapter, in a version it was written for."""
    for entry in REGISTRY:
        if entry.supported is not None:
            found = installed_versions(set(entry.distributions))
            assert found, entry.name
            assert all(within(version, entry.supported) for version in found.values())


def test_a_lock_file_is_read_with_comments_and_markers(tmp_path: Path) -> None:
    """Lines name==version count, comments and hashes do not."""
    file = tmp_path / "lock.txt"
    file.write_text("# made by x==1\nNumPy==2.2.6\n\ntorch==2.13.0+cpu ; python_version > '3'\n")

    assert locked_versions(str(file)) == {"numpy": "2.2.6", "torch": "2.13.0+cpu"}


LOCK = (
    "# made by x==1\nNumPy==2.2.6 \\\n    --hash=sha256:00\n\n"
    "torch==2.13.0+cpu ; python_version > '3'\n"
)


@settings(max_examples=2 * settings().max_examples)
@given(
    at=some.integers(0, len(LOCK)),
    cut=some.integers(0, 30),
    more=some.binary(max_size=8) | some.sampled_from([b"==", b"\n==", b"a==\n", b"\xff", b"\0"]),
)
def test_a_mutated_lock_file_is_refused_or_read(
    tmp_path: Path, at: int, cut: int, more: bytes
) -> None:
    """One clear error, which ends a start before user code, or names and versions."""
    path = tmp_path / "lock.txt"
    path.write_bytes(LOCK[:at].encode() + more + LOCK[at + cut :].encode())
    registry._READ.clear()  # of the example before

    try:
        versions = locked_versions(str(path))
    except BadSetting as problem:
        assert "allowed: a readable file with lines name==version" in str(problem)
        assert "\n" not in str(problem)
    else:
        assert all(version and version == version.strip() for version in versions.values())


@pytest.mark.parametrize("content", [b"numpy==\n", b"numpy==1\xff\n"])
def test_a_lock_file_that_is_none_ends_a_start(tmp_path: Path, content: bytes) -> None:
    """With one line and status 78, and not with a traceback."""
    path = tmp_path / "lock.txt"
    path.write_bytes(content)

    done = python("-c", "print(1)", check=False, REPRO_SEED="7", REPRO_LOCK_FILE=str(path))

    assert (done.status, done.out) == (78, "")
    assert "a line without a version, or is no text" in done.err and "#bad-lock" in done.err
    assert len(done.err.splitlines()) == 1
