"""Interpreters for the tests: without seedlock, and with one door only."""

from __future__ import annotations

import importlib.util
import subprocess
import sys
import sysconfig
from collections.abc import Callable
from pathlib import Path

import pytest

PACKAGE = Path(sysconfig.get_paths()["purelib"]) / "seedlock"
"""The installed package: what a user has, not the checkout."""


if importlib.util.find_spec("hypothesis"):  # the image for CUDA, where `make test-gpu` runs, has none
    from tests import profiles  # noqa: F401 - loads one


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


@pytest.fixture(name="environment_with_seedlock")
def _environment_with_seedlock(tmp_path: Path) -> Callable[[], Path]:
    """A maker of environments with a copy of seedlock and its .pth door, to be broken at will."""

    def make() -> Path:
        import shutil

        site_packages = make_environment(tmp_path / "venv")
        shutil.copytree(
            PACKAGE, site_packages / "seedlock", ignore=shutil.ignore_patterns("__pycache__")
        )
        shutil.copy(PACKAGE.parent / "a0_seedlock.pth", site_packages)
        return site_packages

    return make
