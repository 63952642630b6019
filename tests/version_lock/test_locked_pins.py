"""Every pin has an exact version and a hash or digest; a pin without one is found."""

from __future__ import annotations

import re
import shutil
from collections.abc import Callable
from typing import TYPE_CHECKING

import pytest
import tomllib

from .conftest import ROOT, Run

if TYPE_CHECKING:
    import subprocess
    from pathlib import Path
    from types import ModuleType

HASH = "--hash=sha256:" + "0" * 64


def test_every_file_of_the_checkout_is_locked(pins: ModuleType) -> None:
    results = pins.check_all()
    assert {name: found.problems for name, found in results.items() if found.problems} == {}
    assert results["cpu.lock"].pins > 40
    assert results["gpu.lock"].pins > 60
    assert results["programs.lock"].pins > 40
    assert results["crate.lock"].pins > 30
    assert results["constraints-gpu.txt against gpu.lock"].pins == results["gpu.lock"].pins
    assert results["dev.lock against cpu.lock"].pins >= 3
    assert results["programs.lock against cpu.lock"].pins >= 10
    assert results["programs.lock against dev.lock"].pins >= 2


@pytest.mark.parametrize(
    ("line", "problem"),
    [
        ("numpy==2.2.6", "numpy: no hash"),
        (f"numpy==2.2.6 --hash=md5:{'0' * 32}", "numpy: not a sha256"),
        (f"numpy==2.2.6 --hash=sha256:{'0' * 63}", "numpy: not a sha256"),
        (f"numpy>=2.2.6 {HASH}", "numpy: no exact version"),
        (f"numpy==2.2.* {HASH}", "numpy: no exact version"),
        (f"numpy {HASH}", "numpy: no exact version"),
        (f"numpy=={'2.2.6'} {HASH}\nnumpy==2.2.5 {HASH}", "numpy: pinned twice"),
        ("--index-url https://example.org/simple", "not a pin"),
        ("", "no pin in it"),
    ],
)
def test_a_planted_fault_in_a_lock_is_found(pins: ModuleType, line: str, problem: str) -> None:
    good = f"six==1.17.0 \\\n    {HASH}\n" if line else ""
    assert good == "" or pins.check_lock(good).problems == []
    (found,) = pins.check_lock(good + line + "\n").problems
    assert found.startswith(problem)


@pytest.mark.parametrize(
    "line",
    [
        "base debian:bookworm",
        f"base debian@sha256:{'0' * 64}",
        f"base debian:bookworm@sha256:{'0' * 63}",
        f"debian:bookworm@sha256:{'0' * 64}",
    ],
)
def test_an_image_without_tag_or_digest_is_found(pins: ModuleType, line: str) -> None:
    good = f"# why\nbase debian:bookworm@sha256:{'0' * 64}\n"
    assert pins.check_images(good).problems == []
    assert pins.check_images(good + line).problems == [f"no tag with a sha256 digest: {line}"]


@pytest.mark.parametrize(
    "line",
    [
        "tini_0.19.0-1_amd64.deb",
        f"{'0' * 63}  tini_0.19.0-1_amd64.deb",
        f"{'0' * 64}  tini",
        f"{'0' * 64}  tini_amd64.deb",
    ],
)
def test_a_debian_package_without_hash_or_version_is_found(pins: ModuleType, line: str) -> None:
    good = f"# why\n{'0' * 64}  tini_0.19.0-1+b3_amd64.deb\n"
    assert pins.check_debian(good).problems == []
    assert pins.check_debian(good + line).problems == [f"no sha256: {line}"]


def test_another_base_image_in_the_dockerfile_is_found(pins: ModuleType) -> None:
    reference = f"debian:bookworm@sha256:{'0' * 64}"
    images = f"base {reference}\n"
    assert pins.check_base_image(f"ARG BASE_IMAGE={reference}\n", images).problems == []
    for dockerfile in ("ARG BASE_IMAGE=debian:bookworm\n", "FROM debian:bookworm\n"):
        assert len(pins.check_base_image(dockerfile, images).problems) == 1


Change = Callable[[str], str]


@pytest.mark.parametrize(
    ("change", "problem"),
    [
        (lambda text: text.replace("numpy==2.2.6", "numpy==2.2.5"), "numpy: 2.2.5 here, 2.2.6"),
        (lambda text: text.replace("numpy==2.2.6\n", ""), "numpy: None here"),
        (lambda text: text + "zzz==1\n", "zzz: 1 here, None"),
        (lambda text: text.replace("six==", "six>="), "not name==version: six>="),
        (lambda text: text.replace("sha256:", "sha256:0"), "records "),
        (lambda text: text + "absl-py==2.5.1\n", "not sorted"),
    ],
)
def test_constraints_that_differ_from_the_lock_are_found(
    pins: ModuleType, lock: Path, change: Change, problem: str
) -> None:
    text = (lock / "constraints.txt").read_text()
    cpu_lock = (lock / "cpu.lock").read_text()
    assert change(text) != text
    assert pins.check_constraints(change(text), cpu_lock).problems[0].startswith(problem)


def test_the_readme_has_every_difference_between_the_images(pins: ModuleType, lock: Path) -> None:
    locks = [(lock / name).read_text() for name in ("cpu.lock", "gpu.lock")]
    found = pins.differences(*locks)
    assert f"besides, {len(pins.cuda_packages(*locks))} packages of CUDA 12" in _section()
    table = [
        tuple(None if cell == "-" else cell for cell in match)
        for match in re.findall(
            r"^\| `([a-z0-9-]+)` \| (\S+) \| (\S+) \|", _section(), re.MULTILINE
        )
    ]
    assert table == found
    assert pins.differences(f"six==1 {HASH}", f"six==2 {HASH}\nnvidia-x==1 {HASH}") == [
        ("six", "1", "2")
    ]


def _section() -> str:
    readme = (ROOT / "README.md").read_text()
    return readme.split("## The image for CUDA\n")[1].split("\n## ")[0]


def test_a_development_tool_that_moves_a_locked_package_is_found(pins: ModuleType) -> None:
    names = ("dev.lock", "cpu.lock")
    assert pins.check_overlap(f"six==1 {HASH}", f"six==1 {HASH}", names).problems == []
    assert pins.check_overlap(f"six==2 {HASH}", f"six==1 {HASH}", names).problems == [
        "six: 2 in dev.lock, 1 in cpu.lock"
    ]


def test_a_library_of_a_program_moves_nothing_that_is_locked(pins: ModuleType, lock: Path) -> None:
    cpu, dev, programs = (
        pins.pins_for(pins.CPU_IMAGE, (lock / name).read_text())
        for name in ("cpu.lock", "dev.lock", "programs.lock")
    )
    wanted = dict(
        line.split("==")
        for line in (lock / "programs.in").read_text().splitlines()
        if line and not line.startswith("#")
    )
    assert wanted.items() <= programs.items()
    assert not wanted.keys() & (cpu.keys() | dev.keys())
    assert "torch" not in programs


def test_the_machine_decides_which_tensorflow_is_meant(pins: ModuleType, lock: Path) -> None:
    text = (lock / "cpu.lock").read_text()
    arm = pins.pins_for(pins.CPU_IMAGE | {"platform_machine": "aarch64"}, text)
    intel = pins.pins_for(pins.CPU_IMAGE, text)
    assert intel.keys() - arm.keys() == {"tensorflow-cpu", "mxnet", "graphviz"}
    assert arm.keys() - intel.keys() == {"tensorflow"}


def test_the_wheel_is_built_with_the_locked_tool(pins: ModuleType, lock: Path) -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())
    locked = pins.pins_for(pins.CPU_IMAGE, (lock / "dev.lock").read_text())
    wanted = dict(line.split("==") for line in project["build-system"]["requires"])
    assert {name: locked.get(name) for name in wanted} == wanted


def test_the_program_fails_on_a_planted_fault(tmp_path: Path, lock: Path, python: Run) -> None:
    shutil.copytree(lock, tmp_path / "version-lock")
    for name in ("Dockerfile", "Dockerfile.gpu"):
        shutil.copy(ROOT / name, tmp_path)

    def check() -> subprocess.CompletedProcess[str]:
        return python(tmp_path / "version-lock" / "checks" / "pins.py")

    assert check().returncode == 0
    with (tmp_path / "version-lock" / "gpu.lock").open("a") as file:
        file.write("planted==1.0\n")
    result = check()
    problems = result.stderr.splitlines()
    assert (result.returncode, problems[0]) == (1, "gpu.lock: planted: no hash")
    assert (
        problems[1] == "constraints-gpu.txt against gpu.lock: planted: None here, 1.0 in gpu.lock"
    )
    assert "gpu.lock: 71 pins, 1 problems" in result.stdout
