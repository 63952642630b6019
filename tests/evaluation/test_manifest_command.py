"""`seedlock manifest`: what it prints and how it ends; tests/image/test_manifest.py has images."""

from __future__ import annotations

import importlib.metadata
import json
import shutil
import sys
from pathlib import Path

import pytest

from seedlock.evaluation.bill_of_materials import manifest_of, text_of
from seedlock.evaluation.manifest_sources import of_locks
from tests.interpreter import REPOSITORY, Done, run

SEEDLOCK = str(Path(sys.executable).parent / "seedlock")
LOCKS = REPOSITORY / "version-lock"


def manifest(*arguments: Path | str, **variables: str) -> Done:
    """Run the installed command."""
    command = [SEEDLOCK, "manifest", *map(str, arguments)]
    return run(command, cwd=REPOSITORY, check=False, **variables)


def test_the_bill_of_this_environment() -> None:
    """Every package that Python finds, seedlock's version, and the digest of the lock in force."""
    done = manifest()

    assert (done.status, done.err) == (0, "")
    found = manifest_of(done.out, "out")
    installed = {
        (each.metadata["Name"].lower(), each.version) for each in importlib.metadata.distributions()
    }
    assert {("numpy", "2.2.6"), ("torch", "2.13.0+cpu")} <= installed & {
        (each.name, each.version) for each in found.packages
    }
    assert len(found.of_system("python")) == len(installed)
    assert found.locks["cpu.lock"] == of_locks(str(LOCKS)).locks["cpu.lock"]
    assert (found.kind, found.name, found.base) == ("environment", sys.prefix, None)
    assert found.seedlock == importlib.metadata.version("seedlock")


def test_the_same_bytes_each_time(tmp_path: Path) -> None:
    """Printed or written, under any order of hashes; SOURCE_DATE_EPOCH alone adds a time."""
    file = tmp_path / "a.json"

    printed = {manifest("--locks", LOCKS, PYTHONHASHSEED=seed).out for seed in ("1", "2")}
    written = manifest("--locks", LOCKS, "--output", file)
    dated = manifest("--locks", LOCKS, SOURCE_DATE_EPOCH="1789689600").out

    assert printed == {file.read_text()} == {text_of(of_locks(str(LOCKS))) + "\n"}
    assert (written.status, written.out) == (0, "")
    assert [*tmp_path.iterdir()] == [file]
    assert set(dated.splitlines()) - set(file.read_text().splitlines()) == {
        '  "timestamp": "2026-09-18T00:00:00+00:00",'
    }


def test_lines_for_people() -> None:
    """Facts, and each package with its version and the begin of its hash."""
    done = manifest("--locks", LOCKS, "--text")

    assert (done.status, done.err) == (0, "")
    assert done.lines[0] == f"locks {LOCKS}"
    assert "32 Debian packages, 32 of them with the SHA-256 of a lock" in done.lines
    assert "  tini                       0.19.0-1+b3                deb 7d1947665fa4" in done.lines
    assert "49 Python packages, 49 of them with the SHA-256 of a lock" in done.lines


@pytest.fixture(name="newer")
def newer_fixture(tmp_path: Path) -> Path:
    """A copy of the locks in which a package each came, went, moved, and changed its hash."""
    folder = tmp_path / "newer"
    shutil.copytree(LOCKS, folder)
    lock = (folder / "debian.lock").read_text()
    lines = [line for line in lock.splitlines() if "  media-types_" not in line]
    lines = [line.replace("tini_0.19.0-1+b3", "tini_0.20.0-1") for line in lines]
    lines = [f"{'0' * 64}{line[64:]}" if "  openssl_" in line else line for line in lines]
    (folder / "debian.lock").write_text("\n".join([*lines, f"{'1' * 64}  zsh_5.9-4_amd64.deb"]))
    return folder


def test_what_changed_for_people(newer: Path) -> None:
    """The verdict, the facts, and a table by what happened; status 1."""
    done = manifest("--diff", LOCKS, newer)

    assert (done.status, done.err) == (1, "")
    assert done.lines[:3] == ["DIFFERENT", f"  A: locks {LOCKS}", f"  B: locks {newer}"]
    assert done.lines[3].startswith("lock debian.lock     f251ff05c163")
    assert done.lines[4:] == [
        "Debian packages: 32 in A, 32 in B: 1 added, 1 removed, 1 other version, 1 other hash",
        "  added          zsh                        5.9-4",
        "  removed        media-types                10.0.0",
        "  other version  tini                       0.19.0-1+b3 -> 0.20.0-1",
        "  other hash     openssl                    3.0.20-1~deb12u2: deb 4d218561dc83 -> "
        "000000000000",
        "Python packages: 49 in A, 49 in B: 0 added, 0 removed, 0 other version, 0 other hash",
    ]


def test_what_changed_for_programs(newer: Path, tmp_path: Path) -> None:
    """JSON with the same, from files as from folders, written whole."""
    for name, locks in (("a", LOCKS), ("b", newer)):
        (tmp_path / f"{name}.json").write_text(text_of(of_locks(str(locks))))

    done = manifest("--diff", LOCKS, newer, "--json")
    of_files = manifest(
        "--diff", tmp_path / "a.json", tmp_path / "b.json", "--json", "--output", tmp_path / "diff"
    )

    assert (done.status, of_files.status, of_files.out) == (1, 1, "")
    assert (tmp_path / "diff").read_text() == done.out
    content = json.loads(done.out)
    assert content["verdict"] == "different"
    assert [each["name"] for each in content["facts"]] == ["lock debian.lock"]
    assert [(each["name"], each["change"]) for each in content["packages"]] == [
        ("media-types", "removed"), ("openssl", "other hash"), ("tini", "other version"),
        ("zsh", "added"),
    ]  # fmt: skip
    assert content["packages"][2]["after"]["version"] == "0.20.0-1"


def test_equal_ends_with_0(tmp_path: Path) -> None:
    """A file and what it was made from."""
    (tmp_path / "a.json").write_text(text_of(of_locks(str(LOCKS))))

    done = manifest("--diff", tmp_path / "a.json", LOCKS)

    assert (done.status, done.lines[0], done.err) == (0, "EQUAL", "")


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (["--diff", "a"], "expected 2 arguments"),
        (["image", "--locks", "x"], "not allowed with"),
        (["image", "--diff", "a", "b"], "not allowed with"),
        (["--json", "--text"], "not allowed with"),
        (["--locks", str(LOCKS), "--output", "/none/x"], "--output /none/x: No such file"),
        (["--locks", str(LOCKS)], "SOURCE_DATE_EPOCH is 'x'; allowed: seconds since 1970"),
    ],
)
def test_wrong_usage_ends_with_2(words: list[str], told: str) -> None:
    """The line says what is wrong, and nothing is printed."""
    epoch = {"SOURCE_DATE_EPOCH": "x"} if "EPOCH" in told else {}

    done = manifest(*words, **epoch)

    assert (done.status, done.out) == (2, "")
    assert told in done.err


@pytest.mark.parametrize(
    ("words", "slug", "told"),
    [
        (["image"], "no-engine", "no-such-client is not an executable on PATH"),
        (["--diff", "none.json", str(LOCKS)], "not-a-manifest", "none.json: No such file"),
        (["--diff", str(LOCKS / "day"), str(LOCKS)], "not-a-manifest", "day: not JSON"),
        (["--locks", str(REPOSITORY / "docs")], "unreadable-lock", "cpu.lock: No such file"),
        (["--locks", str(LOCKS / "day")], "unreadable-lock", "day: allowed: a folder"),
    ],
    ids=["client", "no file", "no JSON", "no locks", "no lock"],
)
def test_what_cannot_be_read_ends_with_78(words: list[str], slug: str, told: str) -> None:
    """One line with a slug."""
    done = manifest(*words, DOCKER="no-such-client")

    assert (done.status, done.out) == (78, "")
    (line,) = done.err.splitlines()
    assert told in line and line.endswith(f"[docs/messages.md#{slug}]")


def test_an_engine_that_does_not_answer() -> None:
    """A client without an engine behind it is no engine either; its own words are told."""
    done = manifest("image", DOCKER="false")

    assert (done.status, done.out) == (78, "")
    assert "exit status 1" in done.err and "#no-engine]" in done.err
