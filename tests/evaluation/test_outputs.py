"""outputs.py: the files of two runs, and declared ones."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from seedlock.evaluation import outputs
from seedlock.evaluation.findings import DIFFERENCE, NOT_WRITTEN, TIME_STAMP
from seedlock.evaluation.outputs import Declared, compare_folders


def folder(path: Path, **files: str) -> Path:
    """Make a folder with files; `__` in a name is a slash."""
    for name, text in files.items():
        file = path / name.replace("__", "/")
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text)
    return path


def test_each_file_of_two_folders_is_compared(tmp_path: Path) -> None:
    """Also in folders below; what one lacks is a difference."""
    first = folder(tmp_path / "1", a="x", sub__b="y", gone="z")
    second = folder(tmp_path / "2", a="x", sub__b="other", new="z")

    found, pairs = compare_folders(first, second, "declared/")

    assert {(each.file, each.first, each.second) for each in found} == {
        ("declared/gone", "present", "absent"),
        ("declared/new", "absent", "present"),
        ("declared/sub/b", "y", "other"),
    }
    assert pairs == 2


def test_a_folder_that_is_not_there_is_empty(tmp_path: Path) -> None:
    """A run without results has nothing to compare."""
    assert compare_folders(tmp_path / "1", tmp_path / "2") == ([], 0)


def test_names_with_the_time_in_them(tmp_path: Path) -> None:
    """Files whose names differ in a date or a clock's number are compared as one, and the name is
    a time stamp."""
    names = [("run_2026-11-22.txt", "run_2026-11-23.txt"), ("e.1763800000.x", "e.1763800007.x")]
    for at, pair in enumerate(names):
        for side, name in enumerate(pair):
            folder(tmp_path / str(side), **{name: f"content {at}"})

    found, pairs = compare_folders(tmp_path / "0", tmp_path / "1")

    assert pairs == 2
    assert [(each.kind, each.where) for each in found] == [(TIME_STAMP, "name")] * 2


def test_links_are_not_followed(tmp_path: Path) -> None:
    """A link is its target's name: it may point out of the folder, or at itself."""
    for side, target in (("1", "/etc/hostname"), ("2", "elsewhere")):
        (tmp_path / side).mkdir()
        (tmp_path / side / "link").symlink_to(target)
        (tmp_path / side / "loop").symlink_to("loop")
        (tmp_path / side / "up").symlink_to("..")

    (found,) = compare_folders(tmp_path / "1", tmp_path / "2")[0]

    assert (found.file, found.kind, found.where) == ("link", DIFFERENCE, "target")


def test_a_file_and_a_folder_of_one_name(tmp_path: Path) -> None:
    """They differ, whatever they hold."""
    folder(tmp_path / "1", a="x")
    folder(tmp_path / "2", a__b="x")

    assert len(compare_folders(tmp_path / "1", tmp_path / "2")[0]) == 2


def test_declared_files_are_copied_and_left_alone(tmp_path: Path) -> None:
    """What a run wrote is told by what changed; a pattern takes what it matches, old files not."""
    here = folder(tmp_path / "here", model="old", logs__1="old", logs__2="old")
    declared = Declared(["model", "logs/*"], here)

    assert declared.look() == ["logs/1", "logs/2", "model"]
    folder(here, model="new", logs__2="new", logs__3="new")
    assert declared.collect(tmp_path / "copy") == []

    copied = {path.name: path.read_text() for path in (tmp_path / "copy").rglob("*")
              if path.is_file()}  # fmt: skip
    assert copied == {"model": "new", "2": "new", "3": "new"}
    assert (here / "logs" / "1").read_text() == "old"


@pytest.mark.parametrize(("before", "note"), [("old", "unchanged"), (None, "not there")])
def test_a_declared_file_that_a_run_did_not_write(
    before: str | None, note: str, tmp_path: Path
) -> None:
    """One that stood there before is not taken for the run's, and is not copied."""
    here = folder(tmp_path / "here", **({"model": before} if before else {"other": ""}))
    declared = Declared(["model"], here)
    declared.look()

    (found,) = declared.collect(tmp_path / "copy")

    assert (found.kind, found.file) == (NOT_WRITTEN, "model")
    assert note in found.note
    assert not (tmp_path / "copy").exists()


def test_a_file_written_anew_with_equal_content_counts(tmp_path: Path) -> None:
    """Replaced by rename with its old times set back, it is another file all the same."""
    here = folder(tmp_path / "here", model="same")
    declared = Declared(["model"], here)
    declared.look()
    times = (here / "model").stat()

    (here / "new").write_text("same")
    os.utime(here / "new", ns=(times.st_atime_ns, times.st_mtime_ns))
    (here / "new").replace(here / "model")

    assert declared.collect(tmp_path / "copy") == []


def test_a_folder_that_cannot_be_listed_is_not_empty(tmp_path: Path) -> None:
    """As one whose path is longer than the kernel takes, which its program made step by step."""
    for side in ("1", "2"):
        (tmp_path / side).mkdir()
        at = os.open(tmp_path / side, os.O_RDONLY)
        for _ in range(22):
            os.mkdir("d" * 200, dir_fd=at)
            below = os.open("d" * 200, os.O_RDONLY, dir_fd=at)
            os.close(at)
            at = below
        number = os.open("result.txt", os.O_CREAT | os.O_WRONLY, dir_fd=at)
        os.write(number, side.encode())
        os.close(number)
        os.close(at)

    with pytest.raises(OSError, match="too long"):
        compare_folders(tmp_path / "1", tmp_path / "2")


def test_many_names_with_the_time_in_them(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each name is looked at once, and not once for every other one."""
    for side in (0, 1):
        (tmp_path / str(side)).mkdir()
        for number in range(40):
            (tmp_path / str(side) / f"{side}{number:02}000000000.txt").write_text("x")
    looked: list[str] = []
    real = outputs._timeless

    def timeless(name: str) -> str:
        looked.append(name)
        return real(name)

    monkeypatch.setattr(outputs, "_timeless", timeless)

    found, pairs = compare_folders(tmp_path / "0", tmp_path / "1")

    assert (pairs, len(found), len(looked)) == (40, 40, 80)


def test_no_pattern_means_the_files_of_the_runs(tmp_path: Path) -> None:
    """The folder of all runs lies in the working folder, and `**` would reach into it."""
    runs = tmp_path / "seedlock-verify"
    declared = Declared(["**/*.txt"], tmp_path, runs)
    for name in ("A-1", "A-2"):
        assert declared.look() == ([] if name == "A-1" else ["logs/l.txt"])
        folder(runs / name, **{"stdout.txt": "printed"})
        folder(tmp_path, logs__l=name).joinpath("logs/l").rename(tmp_path / "logs/l.txt")
        assert declared.collect(runs / name / "declared") == []
        copied = [path for path in (runs / name / "declared").rglob("*") if path.is_file()]
        assert copied == [runs / name / "declared/logs/l.txt"]
