"""`seedlock board show`."""

from __future__ import annotations

import csv
import json
import sys
from pathlib import Path

import pytest

from seedlock.evaluation.scores import spreadsheet
from seedlock.evaluation.scores.standings import from_bytes, from_dict, of_round
from seedlock.leaderboard import show_table
from tests.evaluation.scores.made_results import made
from tests.interpreter import Done, run
from tests.leaderboard.example_standings import example


def shown(*words: str) -> Done:
    """Run the command."""
    return run([sys.executable, "-m", "seedlock", "board", "show", *words], check=False)


def test_a_round(tmp_path: Path) -> None:
    """Table, JSON and CSV are of the same numbers."""
    this = made(tmp_path / "round", {
        "alpha": ("public", [0.91, 0.92, 0.93, 0.94]),
        "beta": ("private", [0.70, "limit", 0.72, None]),
    })  # fmt: skip
    sheet = tmp_path / "board.csv"

    table = shown(str(this.folder))
    whole = shown(str(this.folder), "--json", "--csv", str(sheet))

    assert (table.status, whole.status) == (0, 0)
    lines = table.out.splitlines()
    assert lines[0].strip() == "accuracy: more is better"
    (alpha,) = (line for line in lines if " alpha " in line)
    assert "0.925 ± 0.021" in alpha and "4/4" in alpha and "run-by-organisers" in alpha
    assert "beta (private)" in table.out and "2/4" in table.out
    assert "INCOMPLETE: 1 runs have not ended" in table.out
    assert "not decidable with 3 common seeds" in table.out
    assert from_bytes(whole.out.encode()) == of_round(this.folder)
    rows = list(csv.DictReader(sheet.read_text().splitlines()))
    assert [each["submission"] for each in rows] == ["alpha", "beta"]
    assert float(rows[0]["mean"]) == 0.925
    assert (rows[1]["seed_1"], rows[1]["failed"], rows[1]["notes"]) == ("", "1", "substituted")


def test_wrong_words_and_rounds(tmp_path: Path) -> None:
    """Status 2 and 78, each with what is allowed; 74 where a file can't be written."""
    this = made(tmp_path / "round", {"alpha": ("public", [0.5])})

    metric = shown(str(this.folder), "--metric", "speed")
    nothing = shown(str(tmp_path / "nowhere"))
    unwritten = shown(str(this.folder), "--csv", str(tmp_path / "none" / "board.csv"))

    assert (metric.status, nothing.status, unwritten.status) == (2, 78, 74)
    assert "allowed: accuracy" in metric.err and "allowed:" in nothing.err
    assert "none/board.csv' can't be written: No such file" in unwritten.err
    assert metric.out == nothing.out == unwritten.out == ""


def test_every_note_is_explained() -> None:
    """Letters behind means, and one line for each that is there."""
    found = example()
    said = "\n".join(show_table.remarks(found, ["accuracy"]))

    assert "\na: " in said and "\nb: " in said and "\nc: " not in said
    assert len({line[0] for line in show_table.NOTES.values()}) == len(show_table.NOTES)


@pytest.mark.parametrize(
    ("value", "half", "text"),
    [
        (0.953, 0.0039265, "0.9530 ± 0.0039"),
        (12.3456, 1.5, "12.3 ± 1.5"),
        (1234.5, 230.0, "1234 ± 230"),
        (3e9, 2e8, "3e+09 ± 2e+08"),
        (2e-6, 1e-7, "2e-06 ± 1e-07"),
        (0.0, 0.5, "0.00 ± 0.50"),
    ],
)
def test_numbers_have_the_digits_that_count(value: float, half: float, text: str) -> None:
    """Two of the half-width, and no more of the mean."""
    assert show_table.with_half_width(value, half) == text


def test_a_spreadsheet_takes_nothing_for_a_formula() -> None:
    """Names of metrics are whatever a policy says."""
    content = json.loads(example().as_bytes())
    for part in (content["metrics"], *(each["scores"] for each in content["submissions"])):
        part["=cmd|' /C calc'!A0"] = part.pop("loss")

    sheet = spreadsheet.text(from_dict(content))

    rows = list(csv.reader(sheet.splitlines()))
    assert len(rows) == 21 and len({len(row) for row in rows}) == 1
    assert not any(cell.startswith(("=", "+", "@")) for row in rows for cell in row)
    assert "'=cmd" in sheet
    assert rows[1][12] == "0.953"
