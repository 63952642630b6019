"""What lies in a submission's folder and looks like no source."""

from __future__ import annotations

import pytest

from seedlock.evaluation.submission.handed_files import LARGE, SHOWN, lines, told

SOURCE = {"submission.toml": 200, "train.py": 900, "models/output.py": 100, "run/main.py": 10}


def test_source_is_counted_and_nothing_is_said_of_it() -> None:
    """A folder called run, and a file whose name a folder of results could have, are source."""
    assert told(SOURCE) == ("4 files, 1.2 KiB", [], "")
    assert [*lines(SOURCE)] == ["handed in: 4 files, 1.2 KiB"]


@pytest.mark.parametrize(
    ("more", "said"),
    [
        ({"v/verify.json": 1, "v/A-1/output/w.npy": 2}, "v/: looks like what seedlock verify left"),
        ({"a/b/check.json": 1}, "a/b/: looks like what seedlock check left"),
        ({"run-replay-1/replay.json": 1}, "run-replay-1/: looks like what seedlock replay left"),
        ({"r/source.sha256": 1}, "r/: looks like what seedlock run --record left"),
        ({"Results/a.txt": 1, "Results/b/c": 2}, "Results/: looks like results; 2 files, 3 bytes"),
        ({"reports/1-a.json": 1}, "reports/: looks like results"),
        ({".ipynb_checkpoints/a.py": 1}, ".ipynb_checkpoints/: looks like a cache"),
        ({"run.tar.gz": 1}, "run.tar.gz: looks like a bundle or an archive"),
        ({"weights.bin": LARGE + 1}, "weights.bin: is larger than 10.0 MiB"),
    ],
)
def test_what_looks_like_no_source_is_named_once(more: dict[str, int], said: str) -> None:
    """By its outermost folder, as what, and with what to do."""
    found, details, cure = told({**SOURCE, **more})

    assert found.startswith(f"{len(SOURCE) + len(more)} files, ")
    assert len(details) == 1 and details[0].startswith(said)
    assert "out of the folder" in cure and ".gitignore" in cure


def test_a_record_is_named_beside_its_folder() -> None:
    """Another .json is data."""
    names = {"run.json": 5, "run/source.sha256": 1, "config.json": 5}

    assert [each.partition(":")[0] for each in told(names)[1]] == ["run.json", "run/"]


def test_a_long_list_is_cut() -> None:
    """The rest is counted."""
    details = told({f"{n:02}.zip": 1 for n in range(SHOWN + 3)})[1]

    assert len(details) == SHOWN + 1
    assert details[-1] == "… and 3 more"
