"""The tables of docs/ledger.md are those of the code, and the sample event has its hash."""

from __future__ import annotations

import hashlib
import json
import re
from pathlib import Path

import pytest

from seedlock.evaluation.engines import process, slurm_states
from seedlock.evaluation.evaluating import collecting, entries, evaluation, taking_up
from seedlock.evaluation.ledger.chain import canonical, milliseconds, read_head, time_text, whole
from seedlock.evaluation.ledger.course import KINDS
from seedlock.evaluation.ledger.ledger import Ledger
from seedlock.evaluation.ledger.states import (
    EXPIRED,
    INTERRUPTED,
    SHOWN,
    STATE_OF,
    after,
    tells_of_author,
)
from tests.interpreter import REPOSITORY

PAGE = (REPOSITORY / "docs" / "ledger.md").read_text()


def first_cells(heading: str) -> list[str]:
    """Return the first column of the table below a row of headings."""
    rows = PAGE.partition(f"| {heading} |")[2].splitlines()[2:]
    cells: list[str] = []
    for row in rows:
        if not row.startswith("|"):
            return cells
        cells.append(row.split("|")[1].strip())
    return cells


def test_states_classes_and_kinds_are_documented() -> None:
    """Each of them, and no other."""
    classes = re.findall(r"`([a-z-]+)`", " ".join(first_cells("class of the record")))

    assert [each.strip("`") for each in first_cells("state")] == [*SHOWN, INTERRUPTED]
    assert sorted(classes) == sorted(STATE_OF)
    assert [each.strip("`") for each in first_cells("kind")] == list(KINDS)


@pytest.mark.parametrize(
    "said, expected",
    [
        (("done", True, 1, 0, 2), ("done", 0, None)),
        (("author-failure", True, 1, 0, 2), ("author-failure", 0, None)),
        (("metrics", True, 1, 0, 2), ("author-failure", 0, None)),
        (("not-locked", True, 2, 1, 2), ("author-failure", 1, None)),
        (("changed", True, 1, 0, 2), ("author-failure", 0, None)),
        (("limit", True, 1, 0, 2), ("limit", 0, None)),
        (("infrastructure", True, 1, 0, 0), ("infrastructure", 1, None)),
        (("infrastructure", True, 1, 0, 1), ("infrastructure", 1, 2)),
        (("infrastructure", False, 2, 1, 1), ("infrastructure", 2, None)),
        (("interrupted", True, 4, 1, 0), ("interrupted", 1, 5)),
        (("interrupted", False, 4, 1, 0), ("queued", 1, 4)),
    ],
)
def test_where_an_end_leads(
    said: tuple[str, bool, int, int, int], expected: tuple[str, int, int | None]
) -> None:
    """By hand, row by row of docs/ledger.md."""
    assert after(*said) == expected


def test_the_hash_is_the_documented_one(played: Ledger, tmp_path: Path) -> None:
    """Worked out with nothing of seedlock's: as somebody does who has the page and the file."""
    path = tmp_path / "ledger.jsonl"
    played.export(str(path))

    previous = "0" * 64
    for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1):
        event = json.loads(line)
        said = event.pop("hash")
        text = json.dumps(event, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
        assert (event["sequence"], event["previous"]) == (number, previous)
        previous = hashlib.sha256(text.encode()).hexdigest()
        assert said == previous
    assert played.head() == (number, previous)


def test_times_have_one_text() -> None:
    """To the millisecond, there and back."""
    assert time_text(1_796_126_400_007) == "2026-12-01T12:00:00.007Z"
    assert milliseconds("2026-12-01T12:00:00.007Z") == 1_796_126_400_007
    for text in ("2026-12-01T12:00:00.07Z", "2026-12-01T12:00:00Z", "2026-12-01 12:00:00.007Z"):
        with pytest.raises(ValueError):
            milliseconds(text)


def test_floats_have_no_place_in_an_event() -> None:
    """Their text is not the same everywhere; what is handed in becomes text."""
    with pytest.raises(ValueError, match="is a float"):
        canonical({"a": [1, {"b": 0.5}]})
    assert canonical(whole({"a": [1, {"b": 0.5}], "c": float("nan")})) == (
        '{"a":[1,{"b":"0.5"}],"c":"nan"}'
    )


@pytest.mark.parametrize("text", ["", "5", "5:", "x:" + "0" * 64, "5:" + "g" * 64, "5:" + "0" * 63])
def test_what_is_no_head(text: str) -> None:
    """A head is a number and 64 digits."""
    assert read_head(text) is None
    assert read_head("5:" + "0" * 64) == (5, "0" * 64)


def test_reasons_in_words_of_the_organisers_own() -> None:
    """All that the code itself says of an end, whoever wrote the submission; and nothing else."""
    for reason in (
        EXPIRED, evaluation.NO_RECORD, taking_up.KILLED, taking_up.LOST, collecting.NO_RECORD,
        collecting.NOT_YET, entries.REJECTED, entries.UNTOLD, process.LOST, "interrupted",
        "the disk was full", "its supervisor was ended by SIGKILL",
        f"it could not be started: {process.LOST}",
        slurm_states.told(None, "")[1], "Slurm says TIMEOUT; node1, process 7",
        "started again on node2; its first start, on node1, process 7, did not end",
    ):  # fmt: skip
        assert not tells_of_author([reason]), reason

    assert not tells_of_author([]) and not tells_of_author(None)
    assert tells_of_author(["interrupted", "train.py changed while the run was going on"])
    assert tells_of_author(["interrupted by train.py"])
