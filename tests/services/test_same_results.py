"""One round on three engines: the records are the same, but for what docs/slurm.md names."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from rich.console import Console

from seedlock.evaluation.engines.slurm_commands import Site
from seedlock.evaluation.evaluating.session import Options, evaluate
from tests.evaluation.evaluating.made_round import SEALED, MadeRound, make
from tests.image import engine
from tests.services.slurm import Slurm

TRAINING = """
import os, random
import numpy, seedlock
order = list({f"sample {number}" for number in range(40)})
random.shuffle(order)
inputs = numpy.random.normal(size=(40, 8))
targets = numpy.random.normal(size=40)
weights = numpy.zeros(8)
for epoch in range(20):
    for name in order:
        at = int(name.split()[1])
        weights -= 0.01 * (inputs[at] @ weights - targets[at]) * inputs[at]
loss = float(numpy.mean((inputs @ weights - targets) ** 2))
seedlock.log_metric("loss", loss)
numpy.save(os.environ["REPRO_OUTPUT"] + "/weights.npy", weights)
print(loss)
"""

OF_EACH_RUN = (
    "usage", "processes.usage",
)  # fmt: skip
"""What no two runs have in common: times and memory."""

OF_CONTAINERS = (
    # the way it was sealed, and how well
    "guarantees.*.by", "guarantees.*.held", "guarantees.*.note",
    # the image, its Python (the wheels are the same), what lies where in it
    "image", "host.engine", "host.python", "processes.machine.python", "processes.lock.file",
    "processes.environment.REPRO_LOCK_FILE", "processes.settings.lock_file",
    "processes.reads.files",
    # process ids in it
    "processes.process.pid", "processes.process.parent",
    # who sets the hash seed, which is the same: its entrypoint, or seedlock
    "environment.PYTHONHASHSEED", "settings.hash_seed",
    # the image has no xxhash, which traces take where it is there
    "trace.algorithm",
)  # fmt: skip
"""What a record of an image's container has of its own besides."""


@pytest.fixture(name="docker", scope="module")
def _docker() -> Iterator[str]:
    """A container engine that has the image."""
    try:
        daemon = engine.up()
    except engine.EngineError as problem:
        pytest.skip(str(problem))
    if engine.docker("image", "inspect", engine.IMAGE, check=False).returncode:
        pytest.skip(f"no {engine.IMAGE}; make image builds it")
    yield engine.client()
    if daemon is not None:
        engine.down(daemon)


def without(content: Any, path: list[str]) -> None:
    """Remove what a path leads to; lists are gone through, `*` is any key."""
    if isinstance(content, list):
        for each in content:
            without(each, path)
    elif isinstance(content, dict):
        for key in list(content) if path[0] == "*" else [path[0]]:
            if len(path) == 1:
                content.pop(key, None)
            else:
                without(content.get(key), path[1:])


def records(made: MadeRound, *own: str) -> dict[str, Any]:
    """Return all records of a round without what is their own, and the bytes of all results."""
    found: dict[str, Any] = {}
    for name in made.submissions:
        found[name] = made.record(name, 0)
        for place in (*OF_EACH_RUN, *own):
            without(found[name], place.split("."))
        results = made.folder / "runs" / name / "0-1" / "run"
        for path in (results / "stdout.txt", *(results / "output").iterdir()):
            found[f"{name}: {path.name}"] = path.read_bytes()
    return found


def copied(made: MadeRound, name: str) -> MadeRound:
    """Return the same round, seeds and all, in another folder."""
    shutil.copytree(made.folder, made.folder.with_name(name))
    return replace(made, folder=made.folder.with_name(name))


def test_the_same_results(slurm: Slurm, docker: str, bwrap: str, tmp_path: Path) -> None:
    """Who carries a round out can't be told from its results, bit for bit."""
    programs = {"training": TRAINING, "failing": "raise SystemExit(3)"}
    here = make(tmp_path, programs, seeds=1, DOCKER=docker)
    cluster, containers = copied(here, "slurm"), copied(here, "docker")

    here.evaluate(*SEALED)
    accepted = frozenset(SEALED[3::2])
    on_slurm = Options(
        cluster.folder, tuple(cluster.submissions.values()), None, "slurm", None, (), accepted,
        True, (), Site(look=0.05, ask=0.3),
    )  # fmt: skip
    evaluate(on_slurm, slurm.environ, Console(quiet=True))
    containers.evaluate("--engine", "docker")

    assert records(here) == records(cluster)
    assert records(here, *OF_CONTAINERS) == records(containers, *OF_CONTAINERS)
    assert records(here)["training"]["outcome"]["class"] == "done"
    assert records(here)["failing"]["outcome"]["class"] == "author-failure"
    assert records(here)["training: weights.npy"]
