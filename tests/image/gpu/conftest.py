"""A GPU, or the reason why there is none; and programs run under a seed on it.

These tests run inside the environment that they test, the image's or a virtual environment with
gpu.lock and seedlock, and need nothing else: `make test-gpu` starts them in the image. With
--device=cpu the programs themselves are tried, which says nothing about CUDA.
"""

from __future__ import annotations

import importlib.util
import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from seedlock import driver

PROGRAMS = Path(__file__).parent / "programs"
KEPT = ("REPRO_LOCK_FILE", "REPRO_LEAST_DRIVER", "REPRO_LOCK")
"""What the image sets, and what lets other versions than the locked ones pass; every other variable
of seedlock's is the test's own."""

Run = Callable[..., "subprocess.CompletedProcess[str]"]


def pytest_addoption(parser: pytest.Parser) -> None:
    """Let the command line try the programs without a GPU."""
    words = "where the programs run; on the CPU they are only tried"
    parser.addoption("--device", choices=("cuda", "cpu"), default="cuda", help=words)


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Skip what needs a GPU where there is none, and say why."""
    if config.getoption("device") == "cpu":
        return
    try:
        driver.installed()
    except driver.NoGpu as problem:
        for item in items:
            if Path(__file__).parent in item.path.parents:
                item.add_marker(pytest.mark.skip(reason=f"needs a GPU: {problem}"))


@pytest.fixture(name="device", scope="session")
def device_fixture(request: pytest.FixtureRequest) -> str:
    """`cuda`, or `cpu` where the programs are only tried."""
    return str(request.config.getoption("device"))


@pytest.fixture(name="inherited", scope="session")
def inherited_fixture() -> dict[str, str]:
    """This process's environment without what decides how a run is locked."""
    return {
        name: value
        for name, value in os.environ.items()
        if name in KEPT or not name.startswith(("REPRO_", "_SEEDLOCK", "PYTHON"))
    }


@pytest.fixture(name="run", scope="session")
def run_fixture(
    device: str, inherited: dict[str, str], tmp_path_factory: pytest.TempPathFactory
) -> Run:
    """Run one of the programs on the device, under a seed, in an interpreter of its own."""
    folder = tmp_path_factory.mktemp("runs")
    probe = [sys.executable, "-c", "import seedlock; print(seedlock.seed)"]
    environ = {**inherited, "REPRO_SEED": "7"}
    told = subprocess.run(
        probe, cwd=folder, env=environ, capture_output=True, text=True, check=False
    )
    assert told.stdout == "7\n", f"install seedlock into this environment first\n{told.stderr}"

    def run(
        program: str,
        *words: str,
        seed: int | None = 7,
        launch: tuple[str, ...] = (),
        **variables: str,
    ) -> subprocess.CompletedProcess[str]:
        command = [sys.executable, *launch, str(PROGRAMS / f"{program}.py"), device, *words]
        seeded = {} if seed is None else {"REPRO_SEED": str(seed)}
        environ = {**inherited, **seeded, **variables}
        done = subprocess.run(
            command, cwd=folder, env=environ, capture_output=True, text=True, check=False
        )
        assert done.returncode == 0, f"status {done.returncode}\n{done.stdout}\n{done.stderr}"
        return done

    return run


def needs(library: str) -> None:
    """Skip a test of a library that this environment does not have; the image has all."""
    if importlib.util.find_spec(library) is None:
        pytest.skip(f"{library} is not installed here")


def last(done: subprocess.CompletedProcess[str]) -> Any:
    """Return the JSON that a program printed last."""
    return json.loads(done.stdout.splitlines()[-1])
