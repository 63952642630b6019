"""Interpreters for the tests, without seedlock and with one door only, and runs that tests of
several modules look at."""

from __future__ import annotations

import importlib.util
import shutil
import signal
import subprocess
import sys
import sysconfig
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.absent import compiled_before, without
from tests.adapters.probe import drawn
from tests.interpreter import REPOSITORY, python
from tests.nvml import build
from tests.once import once

if importlib.util.find_spec("hypothesis"):  # not in the image for CUDA
    from tests import profiles  # noqa: F401 - loads one

if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    # As where a shell started the tests in the background. What they start inherits it, and
    # Ctrl-C would be heard by nobody.
    signal.signal(signal.SIGINT, signal.default_int_handler)

LONGEST = (
    "test_by_hand.py", "test_programs.py", "adapters/test_keras.py", "evaluation/test_faults.py",
    "tracers/test_keras.py", "test_resume.py", "adapters/test_mxnet.py", "test_controls.py",
    "adapters/test_torch_workers.py", "leaderboard/test_serve_command.py", "test_demo_round.py",
    "evaluation/evaluating/test_evaluate_command.py", "evaluation/test_manifest_command.py",
    "adapters/test_together.py", "adapters/test_torch_seeds.py", "adapters/test_torch.py",
    "adapters/test_jax.py", "leaderboard/test_openapi.py", "adapters/test_tensorflow_policies.py",
    "tracers/test_jax.py", "evaluation/test_controls_uncured.py", "tracers/test_torch.py",
    "tracers/test_sklearn.py", "version_lock/test_four_frameworks.py",
    "evaluation/reference/test_framework_release.py",
)  # fmt: skip
"""Files that take longest, which come first: one of them at the end would leave a processor idle.
From `pytest --durations=0`; the order is all that hangs on it."""

PACKAGE = Path(sysconfig.get_paths()["purelib"]) / "seedlock"
"""The installed package: what a user has, not the checkout."""


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Bring the tests of the longest files to the front; xdist hands files out in this order."""
    places = {f"tests/{name}": place for place, name in enumerate(LONGEST)}
    items.sort(key=lambda item: places.get(item.location[0], len(places)))


def make_environment(folder: Path, interpreter: str = sys.executable) -> Path:
    """Make an empty virtual environment and return its site-packages."""
    subprocess.run([interpreter, "-m", "venv", "--without-pip", str(folder)], check=True)
    return next(folder.glob("lib/python*/site-packages"))


def interpreter_of(site_packages: Path) -> str:
    """Return the interpreter that belongs to a site-packages folder."""
    return str(site_packages.parents[2] / "bin" / "python")


@pytest.fixture(scope="session", name="bare")
def _bare(tmp_path_factory: pytest.TempPathFactory) -> str:
    return interpreter_of(make_environment(tmp_path_factory.mktemp("bare") / "venv"))


@pytest.fixture(scope="session", name="door_of_sitecustomize")
def _door_of_sitecustomize(tmp_path_factory: pytest.TempPathFactory) -> str:
    """An interpreter that has never heard of seedlock but for a link to its sitecustomize."""
    site_packages = make_environment(tmp_path_factory.mktemp("door") / "venv")
    link = site_packages / "sitecustomize.py"
    link.symlink_to(PACKAGE / "entrypoint" / "sitecustomize.py")
    return interpreter_of(site_packages)


@pytest.fixture(scope="session")
def demo(tmp_path_factory: pytest.TempPathFactory) -> str:
    """What examples/demo.py prints: each example under 7 twice and under 8."""
    program = str(REPOSITORY / "examples" / "demo.py")
    start = without("sklearn") | compiled_before(tmp_path_factory.mktemp("compiled"))
    return str(once(tmp_path_factory, "demo", lambda: python(program, **start).out))


@pytest.fixture(scope="session")
def locked_draws(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """What a program that seeds nothing draws from each library under REPRO_SEED=7."""
    folder = tmp_path_factory.mktemp("locked")

    def draw() -> Any:
        return drawn("random,numpy,torch,tensorflow,keras,mxnet,jax", folder, REPRO_SEED="7")

    (draws,) = once(tmp_path_factory, "locked_draws", draw)
    return dict(draws)


@pytest.fixture(scope="session")
def draws_by_hand(tmp_path_factory: pytest.TempPathFactory) -> list[dict[str, Any]]:
    """What a program without seedlock draws from each library with all values set by hand that
    `seedlock env --seed 7` prints, then after each library's own seeding with each of `NUMBERS`."""
    from tests.adapters import test_together as together
    from tests.test_by_hand import IMPORTS, ByHand

    def draw() -> Any:
        printed = ByHand(7)
        sets: list[dict[str, Any]] = [{"calls": printed.ordered(*printed.calls), "key": 0}]
        for number in together.NUMBERS:
            calls = [call.format(number) for call in together.BY_HAND]
            sets.append({"calls": [*calls, together.NO_OFFSET], "key": number})
        folder = tmp_path_factory.mktemp("by_hand")
        return drawn(IMPORTS, folder, *sets, **printed.variables)

    return list(once(tmp_path_factory, "draws_by_hand", draw))


@pytest.fixture(name="environment_with_seedlock")
def _environment_with_seedlock(tmp_path: Path) -> Callable[[], Path]:
    """A maker of environments with a copy of seedlock and its .pth door, to be broken at will."""

    def make() -> Path:

        site_packages = make_environment(tmp_path / "venv")
        shutil.copytree(
            PACKAGE, site_packages / "seedlock", ignore=shutil.ignore_patterns("__pycache__")
        )
        shutil.copy(PACKAGE.parent / "a0_seedlock.pth", site_packages)
        return site_packages

    return make


@pytest.fixture(name="nvml", scope="session")
def _nvml(tmp_path_factory: pytest.TempPathFactory) -> str:
    """The folder of an NVML that answers as variables say."""
    return build(tmp_path_factory.mktemp("nvml"), "nvml_devices.c")
