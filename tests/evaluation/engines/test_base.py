"""Units of work: written, read, and how they end."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from seedlock.evaluation.engines.base import (
    EXIT_STATUSES,
    Unit,
    read_unit,
    unit_of,
    words,
    write_unit,
)
from seedlock.evaluation.recording import record
from seedlock.evaluation.sealing.limits import Limits

SEED = 12345678901234567890

UNIT = Unit(
    "sample", f"sha256:{'0' * 64}", f"sha256:{'1' * 64}", "mine", "/handed-in/mine", 3, 2, SEED,
    "strict", Limits().as_dict(), "/round/runs/mine/3-2", "/round/runs/mine/3-2.json",
    accept=("memory",), metrics=(("loss", "min", ""),), variables={"CUDA_VISIBLE_DEVICES": "1"},
    cpus=(0, 1), gpus=("1",),
)  # fmt: skip


def test_a_unit_is_read_as_it_was_written(tmp_path: Path) -> None:
    """By its owner only, and its name and its command say nothing of the seed."""
    path = write_unit(tmp_path / "units", UNIT)

    assert read_unit(path) == UNIT
    assert path.stat().st_mode & 0o777 == 0o600
    assert path.parent.stat().st_mode & 0o777 == 0o700
    assert str(SEED) not in UNIT.title + " ".join(words(str(path)))


@pytest.mark.parametrize("change", [{"more": 1}, {"seed": None, "name": None}])
def test_what_is_no_unit(change: dict[str, object]) -> None:
    """A file of another seedlock is refused."""
    content = {**json.loads(UNIT.as_json()), **change}
    for name in [name for name, value in change.items() if value is None]:
        del content[name]

    with pytest.raises(ValueError, match="no unit"):
        unit_of(content)


def test_each_class_of_an_end_has_a_status() -> None:
    """Only what the supervisor calls a failure of the machine has the status of one."""
    assert set(EXIT_STATUSES) == {"author-failure", record.DONE, *record.EXIT_STATUSES}
    assert [name for name, status in EXIT_STATUSES.items() if status == 75] == ["infrastructure"]
