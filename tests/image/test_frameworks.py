"""The image's frameworks: all there, and locked from outside in programs that seed nothing."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pytest

from tests.image import engine

if TYPE_CHECKING:
    from tests.image.tracked import TrackedContainer

PROGRAMS = ("numpy", "torch", "keras", "mxnet", "jax")

IMPORT_ALL = """
import importlib, sys
from importlib import metadata

words = open("/opt/repro/constraints.txt").read().split()
pins = dict(word.split("==") for word in words if "==" in word)
requested = set(sys.stdin.read().split())
assert requested and requested <= set(pins), requested - set(pins)
owners = metadata.packages_distributions()
for name, version in pins.items():
    assert metadata.version(name) == version, (name, metadata.version(name), version)
modules = sorted(
    module
    for module, names in owners.items()
    if module.isidentifier() and {name.lower().replace("_", "-") for name in names} & set(pins)
)
for module in modules:
    importlib.import_module(module)
print(len(pins), "pins", *modules)
"""

COMPLAINTS = {
    engine.CPU: ["mxnet 1.9.1 has requirement numpy<2.0.0,>1.16.0, but you have numpy 2.2.6."],
    engine.GPU: [
        "mxnet 1.9.1 has requirement numpy<2.0.0,>1.16.0, but you have numpy 2.2.6.",
        'torch 2.10.0 has requirement nvidia-nccl-cu12==2.27.5; platform_system == "Linux" and '
        'platform_machine == "x86_64", but you have nvidia-nccl-cu12 2.27.7.',
    ],
}

SEEDS_ITSELF = """
import hashlib, multiprocessing, random, subprocess, sys
import numpy, torch

def task(index):
    return index, random.random(), numpy.random.rand(), numpy.random.default_rng().random()

class Noise(torch.utils.data.Dataset):
    def __len__(self):
        return 8
    def __getitem__(self, index):
        return index + numpy.random.rand() + random.random()

torch.manual_seed(42)
numpy.random.seed(42)
drawn = [torch.rand(3).tolist(), numpy.random.rand(), numpy.random.default_rng(0).random()]
drawn += [torch.rand(1, generator=torch.Generator()).item(), random.Random(1).random()]
drawn += [batch.tolist() for batch in torch.utils.data.DataLoader(Noise(), 2, num_workers=2)]
with multiprocessing.Pool(2) as pool:
    drawn += pool.map(task, range(6))
child = [sys.executable, "-c", "import random; print(random.random())"]
drawn += [subprocess.run(child, capture_output=True, text=True).stdout for _ in range(2)]
assert len({*map(str, drawn)}) == len(drawn)
print("digest", hashlib.sha256(repr(drawn).encode()).hexdigest())
"""


@pytest.mark.parametrize("program", PROGRAMS)
def test_seed_outside_decides_every_bit(container: TrackedContainer, program: str) -> None:
    """Equal seeds end in equal digests, for any user on a root that can't be written as well, and
    another seed in another."""
    mount = f"--volume={engine.ROOT}/examples/train_{program}.py:/submission/train.py:ro"
    mounted = container.using(mount)
    command = ("python", "train.py")

    first = mounted.seeded(7).run(*command).digest()

    assert mounted.seeded(7).run(*command).digest() == first
    bare = mounted.seeded(7).using("--user=12345:0", "--read-only", "--tmpfs=/tmp")
    assert bare.run(*command).digest() == first
    assert mounted.seeded(8).run(*command).digest() != first


def test_seed_outside_wins_over_seeds_inside(container: TrackedContainer) -> None:
    """A program that seeds itself, makes generators without a seed and starts children hears the
    outside seed, and repeats."""
    shared = container.using("--shm-size=256m")
    command = ("python", "-c", SEEDS_ITSELF)

    first = shared.seeded(7).run(*command).digest()

    assert shared.seeded(7).run(*command).digest() == first
    assert shared.seeded(8).run(*command).digest() != first


def test_every_locked_package_imports(container: TrackedContainer, recipe: engine.Recipe) -> None:
    """Each package of the lock, and so each requested one, is there in the locked version and each
    of its modules imports."""
    requirements = (engine.ROOT / "version-lock" / recipe.requirements).read_text()
    requested = re.findall(r"^([\w-]+)(?!.*aarch64)", requirements, re.MULTILINE)
    words = ("python", "-W", "ignore", "-c", IMPORT_ALL)

    modules = container.seeded(7).run(*words, stdin=" ".join(requested)).stdout.split()

    assert {"numpy", "torch", "tensorflow", "keras", "mxnet", "jax", "pytest", "pynvml"} <= {
        *modules
    }


def test_pip_check_has_the_known_complaints(
    container: TrackedContainer, recipe: engine.Recipe
) -> None:
    """The lock is consistent but for its overrides: MXNet's bound on NumPy, which its compatibility
    layer lifts, and in the image with CUDA torch's on NCCL."""
    lines = container.run("pip", "check", status=1).stdout.splitlines()

    assert lines == COMPLAINTS[recipe]
