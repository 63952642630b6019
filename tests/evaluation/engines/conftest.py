"""A unit to be carried out."""

from __future__ import annotations

from pathlib import Path

import pytest

from seedlock.evaluation.engines.base import Unit
from seedlock.evaluation.recording import source
from seedlock.evaluation.sealing.limits import Limits
from tests.evaluation.evaluating.made_round import SUBMISSION

SEED = 12345678901234567890

PROGRAM = """
import os, seedlock
open(os.environ["REPRO_OUTPUT"] + "/variables", "w").write("\\n".join(sorted(os.environ)))
seedlock.log_metric("loss", 1.0)
"""


@pytest.fixture(name="unit")
def unit_fixture(tmp_path: Path) -> Unit:
    """A unit of a submission that is as it was frozen, not sealed."""
    of = tmp_path / "mine"
    of.mkdir()
    (of / "submission.toml").write_text(SUBMISSION.format(name="mine", image="none"))
    (of / "train.py").write_text(PROGRAM)
    return Unit(
        "sample", f"sha256:{'0' * 64}", source.look(of).digest, "mine", str(of), 0, 1, SEED,
        "strict", Limits().as_dict(), str(tmp_path / "runs" / "0-1"),
        str(tmp_path / "runs" / "0-1.json"), metrics=(("loss", "min", ""),), sealed=False,
        variables={"CUDA_VISIBLE_DEVICES": "1"},
    )  # fmt: skip
