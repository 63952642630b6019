"""pip install . brings the door, pip uninstall takes it away."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from tests.conftest import interpreter_of, make_environment
from tests.interpreter import REPOSITORY, python, run


@pytest.fixture(scope="module", name="wheel")
def _wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("wheel")
    subprocess.run(
        [
            sys.executable, "-m", "pip", "wheel", "-q", "--no-deps", "--no-index",
            "--no-build-isolation", "-w", str(folder), str(REPOSITORY),
        ],
        check=True,
    )  # fmt: skip
    (wheel,) = folder.glob("seedlock-*.whl")
    return wheel


def test_pip_installs_the_door_and_removes_it(wheel: Path, tmp_path: Path) -> None:
    """After pip install an interpreter is locked, after pip uninstall nothing is left."""
    site_packages = make_environment(tmp_path / "venv")
    executable = interpreter_of(site_packages)
    pip = [sys.executable, "-m", "pip", "--python", executable]  # its own takes seconds to make
    (site_packages / "another.py").touch()  # pip removes a folder that it has emptied
    before = sorted(site_packages.iterdir())
    draw = "import random; print(random.random())"

    run([*pip, "install", "-q", "--no-index", "--no-deps", str(wheel)])
    locked = {python("-c", draw, executable=executable, REPRO_SEED="7").out for _ in range(2)}
    command = run([str(tmp_path / "venv" / "bin" / "seedlock"), "env", "--seed", "7"])
    run([*pip, "uninstall", "-q", "-y", "seedlock"])
    unlocked = {python("-c", draw, executable=executable, REPRO_SEED="7").out for _ in range(2)}

    assert locked == {python("-c", draw, REPRO_SEED="7").out}
    assert "no lock file in force" in command.out
    assert len(unlocked) == 2
    assert sorted(site_packages.iterdir()) == before


def test_the_wheel_has_no_dependency(wheel: Path) -> None:
    """What runs inside a submission asks for no package, only the organiser's half does."""
    with zipfile.ZipFile(wheel) as archive:
        (metadata,) = (name for name in archive.namelist() if name.endswith("/METADATA"))
        text = archive.read(metadata).decode()

    needed = [line for line in text.splitlines() if line.startswith("Requires-Dist")]
    assert needed
    extras = tuple(f"extra == '{each}'" for each in ("evaluation", "leaderboard", "postgresql"))
    assert all(line.endswith(extras) for line in needed)
    assert "License-Expression: Apache-2.0" in text


def test_the_wheel_carries_both_doors_and_the_entrypoint(wheel: Path) -> None:
    """The files are those of the checkout, and the .pth line stands at the top."""
    with zipfile.ZipFile(wheel) as archive:
        for name, place in (
            ("a0_seedlock.pth", "a0_seedlock.pth"),
            ("sitecustomize.py", "seedlock/entrypoint/sitecustomize.py"),
            ("entrypoint.sh", "seedlock/entrypoint/entrypoint.sh"),
        ):
            assert archive.read(place) == (REPOSITORY / "entrypoint" / name).read_bytes()


def test_the_wheel_carries_the_page_template(wheel: Path) -> None:
    """seedlock verify writes its page from an installed wheel."""
    template = "seedlock/evaluation/templates/verify.html"

    with zipfile.ZipFile(wheel) as archive:
        assert archive.read(template) == (REPOSITORY / template).read_bytes()


def test_the_door_is_one_line() -> None:
    """Python executes the lines of a .pth file one by one, and only those that begin so."""
    (line,) = (REPOSITORY / "entrypoint" / "a0_seedlock.pth").read_text().splitlines()

    assert line.startswith("import ")


def test_make_dist_gives_the_same_bytes_everywhere(tmp_path: Path) -> None:
    """Neither path, umask, times and modes of the files nor the environment show in the wheel."""
    tools = REPOSITORY / "build" / "tools"
    wheels = []
    for umask, folder, environment in (
        (0o022, tmp_path / "one", {}),
        (0o077, tmp_path / "another path", {"TZ": "Asia/Tokyo", "SOURCE_DATE_EPOCH": "1"}),
    ):
        for name in ("seedlock", "entrypoint"):
            leave_out = shutil.ignore_patterns("__pycache__")
            shutil.copytree(REPOSITORY / name, folder / name, ignore=leave_out)
        for name in ("Makefile", "Dockerfile", "pyproject.toml", "README.md", "LICENSE"):
            shutil.copy(REPOSITORY / name, folder)
        for path in [folder, *folder.rglob("*")] if umask == 0o077 else []:
            path.chmod(path.stat().st_mode & ~umask)
            os.utime(path, (981158400, 981158400))
        words = ["make", "--silent", f"TOOLS={tools}", "-o", f"{tools}/.locked", "dist"]
        variables = {**os.environ, **environment}
        subprocess.run(words, cwd=folder, env=variables, umask=umask, check=True)
        (wheel,) = (folder / "build" / "dist").glob("*.whl")
        wheels.append(wheel.read_bytes())

    assert wheels[0] == wheels[1]
