"""Generators of the device in `state_dict`, `load_state_dict` and `isolate`."""

from __future__ import annotations

from pathlib import Path

from tests.image.gpu.conftest import Run, last


def test_a_resumed_training_ends_in_the_bits_of_a_whole_one(run: Run, tmp_path: Path) -> None:
    """With the generators' state in the checkpoint; without it, the control, it does not."""
    whole, resumed, forgotten = (
        last(run("resume", str(tmp_path), how)) for how in ("whole", "resumed", "forgotten")
    )

    assert resumed == whole
    assert forgotten["digest"] != whole["digest"]
    assert whole["isolated"] == whole["plain"]
