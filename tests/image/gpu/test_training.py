"""On the device, one seed gives one result and another seed another, in each framework."""

from __future__ import annotations

import pytest

from tests.image.gpu.conftest import Run, needs

PROGRAMS = {
    "torch": ("torch", {}),
    "jax": ("jax", {}),
    "keras on tensorflow": ("tensorflow", {"KERAS_BACKEND": "tensorflow"}),
    "keras on torch": ("torch", {"KERAS_BACKEND": "torch"}),
    "keras on jax": ("jax", {"KERAS_BACKEND": "jax"}),
}
"""What computes on the device, and the variables that choose it."""


@pytest.mark.parametrize("framework", PROGRAMS)
def test_the_seed_decides_every_bit_of_a_training(run: Run, device: str, framework: str) -> None:
    """Two runs under seed 7 end in equal weights, one under seed 8 in others, all on the device."""
    name = framework.split()[0]
    computes, variables = PROGRAMS[framework]
    needs(name)
    needs(computes)

    first, again, other = (
        run(f"train_{name}", seed=seed, **variables).stdout.split() for seed in (7, 7, 8)
    )

    assert first[:2] == ["device", device]
    assert first == again
    assert first != other
