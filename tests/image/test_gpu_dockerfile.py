"""Dockerfile.gpu is Dockerfile but for what is said here, so that both images share their first
layers and a change to one is not forgotten in the other."""

from __future__ import annotations

import difflib
import re

import pytest

from tests.image import engine
from tests.image.test_layout import inspect

REPLACED = {
    "version-lock/cpu.lock": "version-lock/gpu.lock",
    "/dev/cpu.lock": "/dev/gpu.lock",
    "source=build/wheels,": "source=build/wheels-gpu,",
    "build with make image": "build with make image-gpu",
    "/dev/version-lock/constraints.txt": "/dev/version-lock/constraints-gpu.txt",
    'mxnet and jax, locked"': 'mxnet and jax, locked, for CUDA 12"',
}
"""What stands in Dockerfile, and in its place in Dockerfile.gpu."""

ADDED = {
    # Triton's copy of CUPTI, see the comment there.
    "    site=/opt/repro/venv/lib/python3.11/site-packages; \\",
    '    for copy in "$site"/triton/backends/nvidia/lib/cupti/*.so*; do \\',
    '        for own in "$site"/nvidia/cuda_cupti/lib/*.so*; do \\',
    '            if cmp -s "$copy" "$own"; then ln -s -f -r "$own" "$copy"; fi; \\',
    "        done; \\",
    "    done; \\",
    # TensorFlow's libcusolver.so.11, see there too.
    "    printf '%s\\n' \"$site\"/nvidia/*/lib > /etc/ld.so.conf.d/repro-cuda.conf; \\",
    "    ldconfig -X; \\",
    "    rm -f /var/cache/ldconfig/aux-cache; \\",
    "ENV NVIDIA_VISIBLE_DEVICES=all \\",
    "    NVIDIA_DRIVER_CAPABILITIES=compute,utility \\",
    "    REPRO_LEAST_DRIVER=525.60.13 \\",
    "    TORCHINDUCTOR_CACHE_DIR=/tmp/torchinductor",
}
"""Lines that only Dockerfile.gpu has."""


def instructions(recipe: engine.Recipe) -> list[str]:
    """Return a Dockerfile's lines without comments and empty ones."""
    lines = (engine.ROOT / recipe.dockerfile).read_text().splitlines()
    return [line for line in lines if line and not line.startswith("#")]


def first_steps(recipe: engine.Recipe) -> list[str]:
    """Return the instructions up to the one that brings in the lock of the frameworks."""
    lines = instructions(recipe)
    return lines[: lines.index("ARG LOCK_SHA256")]


def layers(image: str) -> list[tuple[str, str]]:
    """Return what made each layer of an image, and the layer's digest, from the base up."""
    words = ("history", "--no-trunc", "--human=false", "--format={{.Size}}\t{{.CreatedBy}}", image)
    steps = [line.split("\t") for line in engine.docker(*words).stdout.splitlines()]
    made = [by for size, by in reversed(steps) if size != "0" or by.startswith("WORKDIR")]
    return list(zip(made, inspect(image)["RootFS"]["Layers"], strict=True))


def test_the_two_differ_in_nothing_else() -> None:
    """With the replacements and the added lines, Dockerfile is Dockerfile.gpu."""
    text = "\n".join(instructions(engine.CPU))
    for old, new in REPLACED.items():
        assert old in text, old
        text = text.replace(old, new)

    changed = [
        line
        for line in difflib.ndiff(text.splitlines(), instructions(engine.GPU))
        if line[0] in "-+" and not (line[0] == "+" and line[2:] in ADDED)
    ]

    assert changed == []


def test_the_first_steps_are_the_same_bytes() -> None:
    """Base and Debian packages: equal instructions, which the engine makes into equal layers."""
    shared = first_steps(engine.CPU)

    assert first_steps(engine.GPU) == shared
    assert any("debian.lock" in line for line in shared)


def test_the_gpu_image_sees_its_own_files_and_no_others() -> None:
    """Dockerfile.gpu.dockerignore lets in what .dockerignore does, of the other lock."""
    ours = (engine.ROOT / "Dockerfile.gpu.dockerignore").read_text().splitlines()[1:]
    theirs = (engine.ROOT / ".dockerignore").read_text().splitlines()[1:]
    other = {
        "!build/wheels/*.whl": "!build/wheels-gpu/*.whl",
        "!version-lock/cpu.lock": "!version-lock/gpu.lock",
        "!version-lock/constraints.txt": "!version-lock/constraints-gpu.txt",
    }

    assert ours == [other.get(line, line) for line in theirs]


@pytest.mark.recipe("gpu")
def test_layers_of_equal_steps_are_shared(image: str) -> None:
    """Where the CPU image is there too, the layers of base and Debian packages are the same."""
    if not engine.exists(engine.CPU.image):
        pytest.skip(f"{engine.CPU.image} is not here: make image")
    cpu, gpu = layers(engine.CPU.image), layers(image)

    shared = [one[1] for one, other in zip(cpu, gpu, strict=False) if one[1] == other[1]]

    assert len(shared) >= 2
    assert re.search("debian.lock", gpu[1][0])
    assert cpu[:2] == gpu[:2], "rebuild both: one of them is older than its Dockerfile"
