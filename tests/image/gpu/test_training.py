"""On the device, one seed gives one result and another seed another, in each framework."""

from __future__ import annotations

import pytest

from tests.image.gpu.conftest import Run, needs


@pytest.mark.parametrize("framework", ["torch", "keras", "jax"])
def test_the_seed_decides_every_bit_of_a_training(run: Run, device: str, framework: str) -> None:
    """Two runs under seed 7 end in equal weights, one under seed 8 in others, all on the device."""
    needs(framework)
    program = f"train_{framework}"

    first, again, other = (run(program, seed=seed).stdout.split() for seed in (7, 7, 8))

    assert first[:2] == ["device", device]
    assert first == again
    assert first != other
