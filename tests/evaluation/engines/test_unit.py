"""`seedlock unit`: a run carried out, and what it can't be."""

from __future__ import annotations

import sys
from dataclasses import replace
from pathlib import Path

from seedlock.evaluation.engines.base import Unit, write_unit
from seedlock.evaluation.recording.record import load
from seedlock.evaluation.sealing import bubblewrap
from seedlock.evaluation.sealing.limits import Limits
from seedlock.evaluation.sealing.sealed import Order
from tests.evaluation.engines.conftest import SEED
from tests.evaluation.evaluating.made_round import PATH, SEEDLOCK
from tests.interpreter import Done, run


def carry_out(unit: Unit, folder: Path, **variables: str) -> Done:
    """Carry a unit out as an engine's node does."""
    path = write_unit(folder / "units", unit)
    return run(
        [SEEDLOCK, "unit", str(path)], stdin=None, cwd=None, check=False, PATH=PATH, **variables
    )


def test_a_node_has_no_policy_of_its_own(unit: Unit, tmp_path: Path) -> None:
    """What a node's environment says of seeds and levels is the round's all the same; what the
    engine adds is there."""
    done = carry_out(
        unit, tmp_path, REPRO_LEVEL="seed", REPRO_USER_SEEDS="keep", REPRO_PASSPHRASE_FILE="x"
    )

    record = load(Path(unit.record))
    variables = (tmp_path / "runs/0-1/run/output/variables").read_text().split()
    assert (done.status, done.err) == (0, "")
    assert (record["level"], record["settings"]["user_seeds"]) == ("strict", "mix")
    assert record["round"] == {
        "name": "sample", "policy": f"sha256:{'0' * 64}", "seed_index": 0, "attempt": 1,
    }  # fmt: skip
    assert "CUDA_VISIBLE_DEVICES" in variables and "REPRO_PASSPHRASE_FILE" not in variables


def test_what_was_changed_since_the_freeze_is_not_run(unit: Unit, tmp_path: Path) -> None:
    """It is the machine's failure that other files lie there, and nothing was started."""
    Path(unit.folder, "train.py").write_text("raise SystemExit(0)")

    done = carry_out(unit, tmp_path)

    assert done.status == 75
    assert "not-frozen" in done.err and str(SEED) not in done.err
    assert not Path(unit.record).exists()


def test_what_a_try_of_the_same_attempt_left_is_gone(unit: Unit, tmp_path: Path) -> None:
    """A scheduler may start a unit again by itself."""
    (Path(unit.output) / "run" / "output").mkdir(parents=True)
    (Path(unit.output) / "run" / "output" / "stale").touch()

    done = carry_out(unit, tmp_path)

    assert done.status == 0
    assert [each["path"] for each in load(Path(unit.record))["outputs"]] == [
        "metrics.jsonl", "variables",
    ]  # fmt: skip


def test_a_file_that_is_no_unit(unit: Unit, tmp_path: Path) -> None:
    """One line, and the machine's failure."""
    path = write_unit(tmp_path, replace(unit, attempt=2))
    path.write_text("{}")

    done = run([SEEDLOCK, "unit", str(path)], check=False)

    assert done.status == 75
    assert done.err.startswith(f"seedlock unit: {path}: no unit")


def test_no_seed_on_a_sandboxs_command_line(bwrap: str, tmp_path: Path) -> None:
    """Every user of a machine can read command lines; the sandbox's variables come from a file
    that only its owner can read, and that is gone afterwards."""
    (tmp_path / "output").mkdir()
    order = Order(
        [sys.executable, "-c", "import os; assert os.environ['REPRO_SEED']"],
        {"REPRO_SEED": str(SEED)}, {tmp_path / "output": "/output"}, [], Limits(), tmp_path, "x",
    )  # fmt: skip

    sealed = bubblewrap.seal(order, {"PATH": PATH})
    there = (tmp_path / "variables").stat().st_mode & 0o777
    done = run(sealed.argv, check=False)
    sealed.close(done.status, done.err)

    assert done.status == 0, done.err
    assert not any(str(SEED) in word for word in sealed.argv)
    assert there == 0o600
    assert not (tmp_path / "variables").exists()
