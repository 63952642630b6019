"""lock_files.py on the real locks, and on lines that no lock has."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as some

from seedlock.errors import BadLock
from seedlock.evaluation.lock_files import base, debian, locked, python
from seedlock.evaluation.manifest import DEB, LOCKED, Base
from tests.interpreter import REPOSITORY

LOCKS = REPOSITORY / "version-lock"
HASH = "--hash=sha256:" + "0" * 64


def test_python_packages_are_those_of_the_constraints() -> None:
    """constraints.txt, which lock.sh writes in its own way, has the same names and versions."""
    pins = list(python("cpu.lock", (LOCKS / "cpu.lock").read_text()))

    lines = (LOCKS / "constraints.txt").read_text().splitlines()
    assert [f"{pin.name}=={pin.version}" for pin in pins] == [
        line for line in lines if not line.startswith("#")
    ]
    assert all(pin.of_kind(LOCKED) and len(pin.of_kind(LOCKED)[0]) == 64 for pin in pins)


def test_the_machine_decides() -> None:
    """A pin for another machine is none of the image's."""
    text = f"a==1 ; platform_machine == 'aarch64' {HASH}\nB_c==2 ; sys_platform == 'linux' {HASH}\n"

    assert [(pin.name, pin.version) for pin in python("x.lock", text)] == [("b-c", "2")]


def test_debian_packages_are_those_of_the_lock() -> None:
    """Each line of debian.lock is a package, with the hash that stands there."""
    text = (LOCKS / "debian.lock").read_text()

    found = list(debian("debian.lock", text))

    assert len(found) == sum(not line.startswith("#") for line in text.splitlines()) > 30
    (tini,) = (each for each in found if each.name == "tini")
    assert (tini.version, tini.place) == ("0.19.0-1+b3", "amd64")
    assert f"{tini.of_kind(DEB)[0]}  tini_0.19.0-1+b3_amd64.deb" in text


def test_an_epoch_stands_in_a_files_name_as_percent() -> None:
    """dpkg itself shows it with a colon."""
    (found,) = debian("debian.lock", f"{'0' * 64}  zlib1g_1%3a1.2.13_amd64.deb\n")

    assert found.version == "1:1.2.13"


def test_the_base_is_that_of_the_images() -> None:
    """Name with tag, and digest."""
    found = base((LOCKS / "images.lock").read_text())

    assert found is not None
    assert f"{found.name}@{found.digest}" in (REPOSITORY / "Dockerfile").read_text()
    assert base("# none\n") is None
    assert base("base debian:12\n") == Base("debian:12", "")


@pytest.mark.parametrize(
    ("file", "line"),
    [
        ("debian.lock", "tini_0.19.0-1_amd64.deb"),
        ("debian.lock", f"{'0' * 63}  tini_0.19.0-1_amd64.deb"),
        ("cpu.lock", "numpy==2.2.6"),
        ("cpu.lock", f"numpy>=2.2.6 {HASH}"),
        ("cpu.lock", f"numpy==2.2.* {HASH}"),
        ("cpu.lock", f"numpy==2,>1 {HASH}"),
        ("cpu.lock", f"numpy=={'2.2.6'} --hash=md5:{'0' * 32}"),
        ("gpu.lock", "--index-url here"),
        ("cpu.lock", "# nothing"),
        ("debian.lock", ""),
    ],
)
def test_a_line_that_no_lock_has(file: str, line: str) -> None:
    """It is an error that names the file, never a package without a hash."""
    with pytest.raises(BadLock, match=rf"^{file}: "):
        locked({file: line + "\n"})


PINS = f"a==1 ; sys_platform == 'linux' {HASH}\nB_c==2 \\\n    {HASH}\n# d\n"
FILES = f"# e\n{'0' * 64}  zlib1g_1%3a1.2.13_amd64.deb\n"
PIECES = ("extra == 'x'", " ; python_version < 'x'", "==", "===1", "\\\n", ";", "'", "\0", "%", "@")


@settings(max_examples=2 * settings().max_examples)
@given(
    file=some.sampled_from(["cpu.lock", "debian.lock"]),
    at=some.integers(0, len(PINS)),
    cut=some.integers(0, 30),
    more=some.text(max_size=5) | some.sampled_from(PIECES),
)
def test_mutated_locks(file: str, at: int, cut: int, more: str) -> None:
    """Packages, or one clear error."""
    text = FILES if file == "debian.lock" else PINS
    texts = {file: text[:at] + more + text[at + cut :]}

    try:
        packages = locked(texts)
    except BadLock as problem:
        assert str(problem).startswith(file)
        assert "\n" not in str(problem)
    else:
        assert all(each.name and each.version for each in packages)


def test_a_marker_that_can_not_be_answered() -> None:
    """No version follows from a text; refused, and no traceback comes."""
    with pytest.raises(BadLock, match=r"cpu\.lock: .*os_name"):
        list(python("cpu.lock", f"a==1 ; os_name ~= '1' {HASH}\n"))
