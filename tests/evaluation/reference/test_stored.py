"""A stored measurement is read with distrust."""

from __future__ import annotations

import copy
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from seedlock.evaluation.reference import check_text, lock_page, show_text, stored
from seedlock.evaluation.reference.reference_errors import BadReference
from tests.evaluation.made_traces import step
from tests.evaluation.reference.made_measurement import measurement, model, plain, run, side

CONTENT = measurement(numpy_line=plain())


def mutations() -> Iterator[tuple[str, dict[str, Any]]]:
    """Yield measurements in each of which one thing is missing or wrong."""
    paths: list[tuple[Any, ...]] = [
        (),
        ("models", "numpy-line"),
        ("models", "numpy-line", "runs", 0),
    ]
    for path in paths:
        for key in _at(CONTENT, path):
            for what, value in (("missing", None), ("wrong", {"no": ["such"]})):
                content = copy.deepcopy(CONTENT)
                target = _at(content, path)
                if what == "missing":
                    del target[key]
                elif key in ("host", "packages", "lock"):
                    target[key] = "text"
                else:
                    target[key] = value
                yield f"{'/'.join(map(str, (*path, key)))} {what}", content


def _at(content: Any, path: tuple[Any, ...]) -> Any:
    for key in path:
        content = content[key]
    return content


def test_there_and_back(tmp_path: Path) -> None:
    """What is written is read again."""
    assert side(tmp_path, CONTENT).content == CONTENT


def test_a_failed_run_has_no_value_that_counts() -> None:
    """Whatever it logged before it ended; nor has one that came to no finite number. So are its
    epochs, and so are means in what a person reads."""
    runs = [
        run(1, 0.5, converged=2), run(2, 0.9, outcome="limit", reasons=["time"], converged=1),
        run(3, "NaN", converged=1), run(4, 0.7, converged=None), run(5, 0.3, converged=5),
    ]  # fmt: skip
    made = model(runs)
    (row,) = (
        line.split() for line in show_text.lines(measurement(numpy_line=made))
        if line.startswith("numpy-line ")
    )  # fmt: skip

    assert stored.values(made) == {1: 0.5, 4: 0.7, 5: 0.3}
    assert stored.epochs(made) == [2, 5]
    assert check_text.mean(made, 4) == pytest.approx(0.6)
    assert check_text.mean(model(runs[1:3]), 4) is None
    assert row[2] == "0.5000" and row[6] == "3.5"
    told = lock_page.model(made)
    assert (told["failed"], told["epochs"], told["reached"]) == ([2, 3], 3.5, 2)


def test_each_mutation_is_refused(tmp_path: Path) -> None:
    """Whatever is missing or of another kind, the error names the file and the cure."""
    number = 0
    for name, content in mutations():
        (tmp_path / stored.NAME).write_text(json.dumps(content))
        with pytest.raises(BadReference, match=r"reference\.json.*make reference"):
            stored.read(tmp_path)
            pytest.fail(name)
        number += 1

    assert number > 60


@pytest.mark.parametrize(
    "text", ["", "[]", "null", "{", '{"format": "seedlock-reference"}', '{"a": 1, "a": 2}', "NaN"]
)
def test_what_is_none(tmp_path: Path, text: str) -> None:
    """Any other file is refused."""
    (tmp_path / stored.NAME).write_text(text)

    with pytest.raises(BadReference, match="make reference"):
        stored.read(tmp_path)


def test_seeds_that_are_not_the_first_ones(tmp_path: Path) -> None:
    """A seed that is missing, or stands twice, is named."""
    content = copy.deepcopy(CONTENT)
    content["models"]["numpy-line"]["runs"][3]["seed"] = 3
    (tmp_path / stored.NAME).write_text(json.dumps(content))

    with pytest.raises(BadReference, match="has seeds"):
        stored.read(tmp_path)


def test_traces_belong_to_their_file(tmp_path: Path) -> None:
    """A trace that was changed, or is not there, is no trace of it."""
    of = side(tmp_path, CONTENT, step=("numpy-line", [step(0)]))
    kept = of.kept("numpy-line", "step")
    assert kept is not None
    path = tmp_path / kept["file"]

    path.write_bytes(path.read_bytes() + b"\0")
    with pytest.raises(BadReference, match=r"line\.step\.gz is sha256:"):
        stored.trace(tmp_path, kept)
    path.unlink()
    with pytest.raises(BadReference, match="can't be read"):
        stored.trace(tmp_path, kept)


def test_traces_of_models_that_are_no_more_go(tmp_path: Path) -> None:
    """The folder holds what the last measurement names."""
    side(tmp_path, CONTENT, step=("numpy-line", [step(0)]))
    assert list((tmp_path / "traces").iterdir())

    side(tmp_path, CONTENT)

    assert not list((tmp_path / "traces").iterdir())
