"""text_contents.py: what two runs printed, as an advisory; test_file_contents.py has files."""

from __future__ import annotations

from pathlib import Path

from seedlock.evaluation.findings import ADVISORY
from seedlock.evaluation.text_contents import PRINTED, compare_printed


def printed(folder: Path, first: str, second: str) -> tuple[list[tuple[str, str, str]], int]:
    """Compare two outputs of runs in /1 and /2; return findings and recognised lines."""
    paths = [folder / name for name in "ab"]
    for path, text in zip(paths, (first, second), strict=True):
        path.write_text(text)
    folders = (["/1", "/1/output"], ["/2", "/2/output"])
    found, recognised = compare_printed(paths[0], paths[1], folders)
    assert all(each.kind == ADVISORY and not each.counts for each in found)
    return [(each.where, each.first, each.second) for each in found], recognised


def test_times_and_folders_are_recognised(tmp_path: Path) -> None:
    """They are counted, not listed."""
    first = "saved to /1/output/m.pt\nepoch 1: 3.2s\nloss 0.5\n"
    second = "saved to /2/output/m.pt\nepoch 1: 4.1s\nloss 0.5\n"

    assert printed(tmp_path, first, second) == ([], 2)


def test_what_else_differs_is_listed(tmp_path: Path) -> None:
    """With its line and both texts, a few of them."""
    assert printed(tmp_path, "a\nloss 0.5\n", "a\nloss 0.6\nmore\n") == (
        [("line 2", "loss 0.5", "loss 0.6"), ("line 3", "absent", "more")], 0
    )  # fmt: skip
    assert len(printed(tmp_path, "a\n" * 100, "b\n" * 100)[0]) == PRINTED


def test_of_a_progress_bar_its_last_state_counts(tmp_path: Path) -> None:
    """How often it was drawn is a matter of time."""
    first = "10%\r50%\r100% [00:01<00:00, 9.1it/s]\n"
    second = "30%\r100% [00:02<00:00, 7.5it/s]\n"

    assert printed(tmp_path, first, second) == ([], 1)
