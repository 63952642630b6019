"""manifest_probe.py: what is installed; tests/image/test_manifest.py has a whole image."""

from __future__ import annotations

import base64
import hashlib
import json
import subprocess
import sys
import sysconfig
import zipfile
from pathlib import Path

import pytest

from seedlock.evaluation import manifest_probe
from seedlock.evaluation.manifest_probe import (
    debian_packages,
    files_digest,
    locks,
    package_folders,
    python_packages,
    system,
)

STATUS = """\
Package: adduser
Status: install ok installed
Architecture: all
Version: 3.134
Description: add users
 Version: 9 of what is described here
 .
 and more

Package: gone
Status: deinstall ok config-files
Architecture: amd64
Version: 1.0

Package: libc6
Status: hold ok installed
Architecture: amd64
Multi-Arch: same
Version: 2.36-9+deb12u13
"""


def test_debian_packages(tmp_path: Path) -> None:
    """Those that are installed, with one digest of dpkg's sums of their files."""
    (tmp_path / "info").mkdir()
    (tmp_path / "status").write_text(STATUS)
    (tmp_path / "info" / "libc6:amd64.md5sums").write_bytes(b"abc")

    found = debian_packages(str(tmp_path))

    sha256_of_abc = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"
    assert found == [
        {"name": "adduser", "version": "3.134", "architecture": "all"},
        {"name": "libc6", "version": "2.36-9+deb12u13", "architecture": "amd64",
         "files": sha256_of_abc},
    ]  # fmt: skip


def test_a_machine_without_dpkg_has_no_debian_packages(tmp_path: Path) -> None:
    """It is no error: an environment may be anywhere."""
    assert debian_packages(str(tmp_path)) == []


def test_python_packages_are_those_of_pip() -> None:
    """The same names and versions as `pip list`, each with a digest of its files."""
    folder = sysconfig.get_path("purelib")
    words = [sys.executable, "-m", "pip", "list", "--format", "json", "--path", folder]
    listed = json.loads(subprocess.run(words, capture_output=True, check=True).stdout)

    found = python_packages(folder)

    assert len(found) > 50
    assert sorted((each["name"], each["version"]) for each in found) == sorted(
        (each["name"], each["version"]) for each in listed
    )
    assert {each["folder"] for each in found} == {folder}
    assert all(len(each["files"]) == 64 for each in found)


def wheel(folder: Path, value: str) -> Path:
    """Make a wheel with a module and a script."""
    folder.mkdir()
    file = folder / "tiny-1.0-py3-none-any.whl"
    info = "tiny-1.0.dist-info"
    files = {
        "tiny.py": f"VALUE = {value}\n",
        f"{info}/METADATA": "Metadata-Version: 2.1\nName: tiny\nVersion: 1.0\n",
        f"{info}/WHEEL": "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n",
        f"{info}/entry_points.txt": "[console_scripts]\ntiny = tiny:main\n",
    }
    record = f"{info}/RECORD,,\n"
    with zipfile.ZipFile(file, "w") as archive:
        for name, text in files.items():
            archive.writestr(name, text)
            digest = base64.urlsafe_b64encode(hashlib.sha256(text.encode()).digest())
            record += f"{name},sha256={digest.decode().rstrip('=')},{len(text)}\n"
        archive.writestr(f"{info}/RECORD", record)
    return file


def test_the_digest_of_files_is_the_wheels_own(tmp_path: Path) -> None:
    """One wheel has one digest wherever and however it is installed; another content has
    another."""
    digests = []
    for name, value, compiled in (("a", "1", "--compile"), ("b", "1", "--no-compile"),
                                  ("c", "2", "--no-compile")):  # fmt: skip
        subprocess.run([sys.executable, "-m", "venv", "--without-pip", tmp_path / name], check=True)
        python = str(tmp_path / name / "bin" / "python")
        words = [sys.executable, "-m", "pip", "-q", "--python", python, "install", "--no-index"]
        subprocess.run([*words, compiled, wheel(tmp_path / f"wheel-{name}", value)], check=True)
        (folder,) = package_folders(str(tmp_path / name))
        (package,) = python_packages(folder)
        digests.append(package["files"])

    assert digests[0] == digests[1] != digests[2]


def test_each_line_of_a_record_counts() -> None:
    """A file's hash, its size and its name; the order does not."""
    record = "a.py,sha256=x,1\nb.py,sha256=y,2\nt-1.dist-info/RECORD,,\n"
    changes = [
        ("sha256=x", ""),
        ("=x", "=z"),
        (",2", ",3"),
        ("b.", "c."),
        ("b.py,sha256=y,2\n", ""),
    ]
    others = [record.replace(old, new) for old, new in changes]

    same = files_digest("".join(reversed(record.splitlines(keepends=True))))

    assert same == files_digest(record)
    assert len({files_digest(each) for each in [record, *others]}) == 6


def test_package_folders_of_all_environments(tmp_path: Path) -> None:
    """Wherever they lie, but not what a package carries inside itself."""
    folders = ("srv/a/lib/python3.11/site-packages", "usr/lib/python3/dist-packages")
    for folder in (*folders, f"{folders[0]}/setuptools/site-packages"):
        (tmp_path / folder).mkdir(parents=True)
    (tmp_path / "link").symlink_to(tmp_path / "srv")

    assert package_folders(str(tmp_path)) == [str(tmp_path / folder) for folder in folders]


def test_a_folder_that_cannot_be_read_is_an_error(tmp_path: Path) -> None:
    """A list that lacks what is in it must not look whole."""
    with pytest.raises(OSError, match="none"):
        package_folders(str(tmp_path / "none"))


def test_the_system_has_debians_point_release(tmp_path: Path) -> None:
    """os-release says 12 only."""
    release, version = tmp_path / "os-release", tmp_path / "debian_version"
    release.write_text('PRETTY_NAME="Debian GNU/Linux 12"\nVERSION_ID="12"\nID=debian\n')
    version.write_text("12.15\n")

    assert system(str(release), str(version)) == {"name": "debian", "version": "12.15"}
    release.write_text('VERSION_ID="24.04"\nID=ubuntu\n')
    assert system(str(release), str(version)) == {"name": "ubuntu", "version": "24.04"}
    assert system(str(tmp_path / "none"), str(version)) == {}


def test_locks_lie_beside_the_constraints(tmp_path: Path) -> None:
    """Their texts byte by byte, since digests are made of them."""
    (tmp_path / "locks").mkdir()
    (tmp_path / "c.txt").write_bytes(b"a\r\n")
    (tmp_path / "locks" / "cpu.lock").write_bytes(b"b\n")
    (tmp_path / "locks" / "README").write_bytes(b"c\n")

    assert locks(str(tmp_path / "c.txt")) == {"constraints.txt": "a\r\n", "cpu.lock": "b\n"}
    assert locks(None) == locks(str(tmp_path / "none")) == {}


def test_it_is_a_program_of_the_standard_library() -> None:
    """An image's interpreter runs it by itself, without site-packages."""
    source = Path(manifest_probe.__file__).read_text()

    done = subprocess.run(
        [sys.executable, "-I", "-S", "-c",
         source.partition("if __name__")[0] + "print(sorted(facts([], None)))"],
        capture_output=True, text=True, check=True,
    )  # fmt: skip

    assert done.stdout == "['debian', 'locks', 'python', 'system']\n"
