"""Who may say how a unit ended, and which record counts."""

from __future__ import annotations

from pathlib import Path

from seedlock.evaluation.engines import slurm_start
from seedlock.evaluation.engines.base import Unit
from seedlock.evaluation.engines.slurm_spool import GIVEN_UP, STARTED, Batch, Exit

ENVIRON = {"SLURM_ARRAY_TASK_ID": "0", "SLURMD_NODENAME": "node7"}


def batch_of(folder: Path, seed: int = 123456789) -> tuple[Batch, Path]:
    """Return the folder of a batch of one unit, and where its record goes."""
    output = folder / "runs" / "mine" / "0-1"
    output.parent.mkdir(parents=True)
    unit = Unit(
        "sample", f"sha256:{'0' * 64}", f"sha256:{'1' * 64}", "mine", str(folder), 0, 1, seed,
        "strict", {}, str(output), f"{output}.json",
    )  # fmt: skip
    batch = Batch(folder / "spool" / "seedlock-1")
    batch.write([unit], "#!/bin/sh\n")
    return batch, Path(unit.record)


def test_files_with_seeds_are_nobody_elses(tmp_path: Path) -> None:
    """Mode 0600 in a folder of mode 0700, and gone with the start that takes the unit."""
    batch, _ = batch_of(tmp_path)
    path = batch.folder / "0.json"
    modes = (path.stat().st_mode & 0o777, batch.folder.stat().st_mode & 0o777)
    taken = batch.take(0, "node7")

    assert modes == (0o600, 0o700)
    assert taken is not None and taken.seed == 123456789
    assert not [each for each in batch.folder.iterdir() if "123456789" in each.read_text()]


def test_a_second_start_runs_nothing(tmp_path: Path) -> None:
    """It says that the first did not end; a first start that ends after that does not count."""
    batch, record = batch_of(tmp_path)
    unit = batch.take(0, "node7, process 1")
    assert unit is not None
    Path(unit.record).write_text("of the first")
    second = slurm_start.carry_out(batch.folder, {**ENVIRON, "SLURMD_NODENAME": "node8"})
    late = batch.settle(0, 0, "", STARTED)
    batch.forget(0)

    assert second[0] == 75
    assert "node8" in second[1] and "node7" in second[1]
    assert late.by != STARTED and late.status == 75
    assert not list(record.parent.glob("*.json*"))


def test_a_second_start_after_an_end(tmp_path: Path) -> None:
    """It says what the first came to."""
    batch, record = batch_of(tmp_path)
    unit = batch.take(0, "node7, process 1")
    assert unit is not None
    Path(unit.record).write_text("of the first")
    batch.settle(0, 42, "", STARTED)

    assert slurm_start.carry_out(batch.folder, ENVIRON) == (42, "")
    assert record.read_text() == "of the first"


def test_a_record_gets_its_name_though_its_start_was_killed(tmp_path: Path) -> None:
    """The engine gives it, also an evaluation that comes later."""
    batch, record = batch_of(tmp_path)
    unit = batch.take(0, "node7, process 1")
    assert unit is not None
    Path(unit.record).write_text("of the first")
    batch._once(0, "exit", {"status": 0, "note": "", "by": STARTED})  # and killed
    batch.remove()

    assert record.read_text() == "of the first"
    assert not batch.folder.exists()


def test_given_up_is_given_up(tmp_path: Path) -> None:
    """What the engine gave up stays so, whatever its start says later."""
    batch, record = batch_of(tmp_path)
    unit = batch.take(0, "node7, process 1")
    assert unit is not None
    batch.settle(0, None, "node failed", GIVEN_UP)
    Path(unit.record).write_text("late")

    assert batch.settle(0, 0, "", STARTED) == Exit(None, "node failed", GIVEN_UP)
    assert not record.exists()


def test_a_start_without_its_folder(tmp_path: Path) -> None:
    """Its evaluation is over, and nothing it leaves could be taken for a result."""
    batch, record = batch_of(tmp_path)
    batch.remove()

    assert not batch.folder.exists()
    assert not list(record.parent.iterdir())
