"""eigen.py: sizes of caches that decide how a sum is divided."""

from __future__ import annotations

from pathlib import Path

from seedlock import eigen
from tests.adapters.probe import locked

PROGRAM = """
import numpy as np
import jax, jax.numpy as jnp
from seedlock import eigen

np.random.seed(1)
images = np.random.standard_normal((4, 14, 14, 64)).astype("float32")
kernel = np.random.standard_normal((3, 3, 64, 96)).astype("float32")
x = np.random.random(5000).astype("float32") + np.float32(0.1)
convolution = jax.jit(lambda a, b: jax.lax.conv_general_dilated(
    a, b, (1, 1), "SAME", dimension_numbers=("NHWC", "HWIO", "NHWC")))
first = digest(convolution(images, kernel))
sizes = eigen._held["libjax_common.so"]
held = list(sizes)
sizes[:] = [48 * 1024, 2 * 1024**2, 480 * 1024**2]
root = np.asarray(jax.jit(lambda a: 1 / jnp.sqrt(a))(x))
print(json.dumps({"held": held, "same": first == digest(convolution(images, kernel)),
    "exact": bool((root == 1 / np.sqrt(x)).all())}))
"""


def test_the_sizes_are_the_same_on_every_processor(tmp_path: Path) -> None:
    """They are in force, other ones give other bits, and the report tells of a change; and JAX's
    reciprocal square root is no approximation of the processor's."""
    run = locked(PROGRAM, tmp_path, REPRO_LEVEL="portable")

    assert run.said == {"held": list(eigen.SIZES), "same": False, "exact": True}
    assert run.library("jax")["overridden"] == {
        "libjax_common.so.caches": {
            "set": list(eigen.SIZES),
            "now": [48 * 1024, 2 * 1024**2, 480 * 1024**2],
        }
    }
    assert not any("caches" in gap for gap in run.library("jax")["gaps"])


def test_a_library_without_them_is_told_apart() -> None:
    """Where the sizes can't be set, the caller is told, and makes a gap of it."""
    assert not eigen.hold("libc.so.6")
    assert not eigen.hold("no library of this name")
