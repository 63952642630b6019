"""reference.toml: what it says, and what it may not say."""

from __future__ import annotations

from pathlib import Path

import pytest

from seedlock.evaluation.reference import models_file
from seedlock.evaluation.reference.reference_errors import BadReference
from tests.evaluation.reference.made_reference import make


def test_what_it_says(tmp_path: Path) -> None:
    """Seeds, level, tasks and models come as they stand there."""
    made = make(tmp_path, 4)
    found = models_file.read(made.reference)
    file = made.reference / models_file.NAME
    file.write_text(file.read_text().replace('"max"', '"min"'))
    least = models_file.read(made.reference)

    assert (found.seeds, found.level) == (4, "portable")
    plain, _, sample = found.models
    assert [each.name for each in found.models] == ["plain-line", "rate-line", "sample-line"]
    assert found.models[0].program == "plain_line.py"
    assert found.models[0].op_steps == 1
    assert found.chosen([sample.name, plain.name]) == (plain, sample)
    assert found.models[0].task.reaches(0.95) and not found.models[0].task.reaches(0.94)
    assert least.models[0].task.reaches(0.95) and not least.models[0].task.reaches(0.96)


@pytest.mark.parametrize(
    ("old", "new", "told"),
    [
        ("format = 1", "format = 2", "format is '2'"),
        ("seeds = 4", "seeds = 0", "seeds is '0'"),
        ("seeds = 4", "seeds = true", "seeds is 'True'"),
        ('"portable"', '"fast"', "level is 'fast'"),
        ('"max"', '"up"', "tasks.line.direction is 'up'"),
        ("target = 0.95", "target = nan", "tasks.line.target is 'nan'"),
        ("target = 0.95", "", "tasks.line.target is missing"),
        ('task = "line"', 'task = "lines"', "models.plain-line.task is 'lines'"),
        ('"rate_line.py"', '"../rate_line.py"', "models.rate-line.command is"),
        ('"rate_line.py"', '"none.py"', "models.rate-line.command is"),
        ('command = ["python", "rate_line.py"]', "command = 7", "models.rate-line.command is '7'"),
        ('task = "line"', "task = []", "models.plain-line.task is '[]'"),
        ("[models.rate-line]", '[models."../x"]', "models is '../x'"),
        ("op_steps = 1", "op_steps = -1", "op_steps is '-1'"),
        ("op_steps = 1", "steps = 1", "models.plain-line.steps is 'there'"),
        ("seeds = 4", "seeds = 4 4", "is not TOML"),
    ],
)
def test_what_it_may_not_say(tmp_path: Path, old: str, new: str, told: str) -> None:
    """A wrong value is named with what is allowed."""
    made = make(tmp_path, 4)
    file = made.reference / models_file.NAME
    file.write_text(file.read_text().replace(old, new, 1))

    with pytest.raises(BadReference, match="allowed:") as raised:
        models_file.read(made.reference)

    assert told in str(raised.value)


def test_names_that_are_none(tmp_path: Path) -> None:
    """A model that is not there is named, with those that are; so is a missing file."""
    found = models_file.read(make(tmp_path, 4).reference)

    with pytest.raises(BadReference, match="there is no model 'other'; allowed: plain-line, "):
        found.chosen(["other"])
    with pytest.raises(BadReference, match="can't be read"):
        models_file.read(tmp_path)
