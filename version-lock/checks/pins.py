"""Find pins without an exact version, a hash or a digest in the files that lock a build.

    python version-lock/checks/pins.py

Prints one line per file that it checked, then the problems; the exit status is 1 if there are any.
"""

from __future__ import annotations

import hashlib
import re
import sys
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from packaging.requirements import InvalidRequirement, Requirement
from packaging.utils import canonicalize_name

if TYPE_CHECKING:
    from collections.abc import Callable

ROOT = Path(__file__).resolve().parents[2]
LOCK = ROOT / "version-lock"

# The machine class that constraints.txt is written for.
CPU_IMAGE = {
    "implementation_name": "cpython",
    "os_name": "posix",
    "platform_machine": "x86_64",
    "platform_python_implementation": "CPython",
    "platform_system": "Linux",
    "python_version": "3.11",
    "sys_platform": "linux",
}

_HASH = re.compile(r"--hash=sha256:[0-9a-f]{64}$")
_IMAGE = re.compile(r"[a-z0-9][a-z0-9./_-]*:[\w][\w.-]*@sha256:[0-9a-f]{64}$")
_DEBIAN = re.compile(r"[0-9a-f]{64}  [a-z0-9][a-z0-9.+-]*_[^_\s]+_(amd64|all)\.deb$")
_CONSTRAINT = re.compile(r"[a-z0-9-]+==\S+$")
_RECORDED = re.compile(r"^# (\S+ sha256:\S+)$", re.MULTILINE)
_BASE_IMAGE = re.compile(r"^ARG BASE_IMAGE=(\S+)$", re.MULTILINE)


class Pin(NamedTuple):
    """One requirement of a lock file, with the words that follow it (its hashes)."""

    requirement: Requirement
    hashes: list[str]

    @property
    def name(self) -> str:
        return canonicalize_name(self.requirement.name)

    @property
    def version(self) -> str | None:
        """The version of an exact pin; None for anything that leaves a choice."""
        specifiers = list(self.requirement.specifier)
        if len(specifiers) != 1 or specifiers[0].operator != "==":
            return None
        version = specifiers[0].version
        return None if version.endswith(".*") else version


class Findings(NamedTuple):
    """What was found in one file: how many pins there are, and what is wrong."""

    pins: int
    problems: list[str]


def lines(text: str) -> list[str]:
    """Return the lines that say something, with continued lines joined."""
    joined = text.replace("\\\n", " ").splitlines()
    return [line.strip() for line in joined if line.strip() and not line.startswith("#")]


def parse_lock(text: str) -> list[Pin]:
    """Return the pins of a requirements file.

    Raises:
        InvalidRequirement: a line is none; an option such as an index is none either.
    """
    pins = []
    for line in lines(text):
        requirement, *hashes = re.split(r"\s+(?=--)", line)
        pins.append(Pin(Requirement(requirement), hashes))
    return pins


def check_lock(text: str) -> Findings:
    """Every pin has an exact version and nothing but sha256 hashes; no name twice for a machine."""
    try:
        pins = parse_lock(text)
    except InvalidRequirement as error:
        return Findings(0, [f"not a pin: {error}"])
    problems = []
    seen: set[tuple[str, str]] = set()
    for pin in pins:
        if pin.version is None:
            problems.append(f"{pin.name}: no exact version")
        if not pin.hashes:
            problems.append(f"{pin.name}: no hash")
        problems += [f"{pin.name}: not a sha256: {h}" for h in pin.hashes if not _HASH.match(h)]
        key = (pin.name, str(pin.requirement.marker))
        if key in seen:
            problems.append(f"{pin.name}: pinned twice")
        seen.add(key)
    return _never_empty(len(pins), problems)


def check_images(text: str) -> Findings:
    """Every line is `name repository:tag@sha256:digest`."""
    problems = []
    for line in lines(text):
        words = line.split()
        if len(words) != 2 or not _IMAGE.match(words[1]):
            problems.append(f"no tag with a sha256 digest: {line}")
    return _never_empty(len(lines(text)), problems)


def check_debian(text: str) -> Findings:
    """Every line is a sha256 and the name of a .deb file."""
    problems = [f"no sha256: {line}" for line in lines(text) if not _DEBIAN.match(line)]
    return _never_empty(len(lines(text)), problems)


def check_base_image(dockerfile: str, images: str) -> Findings:
    """The Dockerfile's default base is the one that images.lock names `base`."""
    locked = dict(line.split(maxsplit=1) for line in lines(images)).get("base")
    given = _BASE_IMAGE.findall(dockerfile)
    problems = [] if given == [locked] else [f"ARG BASE_IMAGE is {given}, images.lock has {locked}"]
    return _never_empty(len(given), problems)


def pins_for(machine: dict[str, str], lock: str) -> dict[str, str]:
    """Return name and version of each pin of the lock that a machine installs."""
    return {
        pin.name: pin.version or "(no exact version)"
        for pin in parse_lock(lock)
        if pin.requirement.marker is None or pin.requirement.marker.evaluate(dict(machine))
    }


def parse_constraints(text: str) -> dict[str, str]:
    """Return name and version of each line of constraints.txt."""
    return dict(line.split("==", 1) for line in lines(text) if "==" in line)


def check_constraints(text: str, lock: str, name: str = "cpu.lock") -> Findings:
    """Constraints have their lock's pins for the image, sorted, and the lock's digest."""
    problems = [f"not name==version: {x}" for x in lines(text) if not _CONSTRAINT.match(x)]
    given, locked = parse_constraints(text), pins_for(CPU_IMAGE, lock)
    for pin in sorted(given.keys() | locked.keys()):
        if given.get(pin) != locked.get(pin):
            problems.append(f"{pin}: {given.get(pin)} here, {locked.get(pin)} in {name}")
    if lines(text) != sorted(lines(text)):
        problems.append("not sorted")
    digest = f"{name} sha256:{hashlib.sha256(lock.encode()).hexdigest()}"
    if _RECORDED.findall(text) != [digest]:
        problems.append(f"records {_RECORDED.findall(text)}, and it is {digest}")
    return _never_empty(len(given), problems)


def differences(cpu: str, gpu: str) -> list[tuple[str, str | None, str | None]]:
    """Return name and both versions of each package that two locks do not pin alike, for the
    README: CUDA's own packages, which only one image has, are left out."""
    here, there = pins_for(CPU_IMAGE, cpu), pins_for(CPU_IMAGE, gpu)
    return [
        (name, here.get(name), there.get(name))
        for name in sorted(here.keys() | there.keys())
        if here.get(name) != there.get(name) and name not in cuda_packages(cpu, gpu)
    ]


def cuda_packages(cpu: str, gpu: str) -> set[str]:
    """Return the names of CUDA's own packages, which only the second lock pins."""
    only = pins_for(CPU_IMAGE, gpu).keys() - pins_for(CPU_IMAGE, cpu).keys()
    return {name for name in only if name.startswith(("nvidia-", "cuda-"))}


def check_overlap(lock: str, other: str, names: tuple[str, str]) -> Findings:
    """What both locks pin has one version, so that both fit into one environment."""
    here, there = pins_for(CPU_IMAGE, lock), pins_for(CPU_IMAGE, other)
    both = sorted(here.keys() & there.keys())
    problems = [
        f"{name}: {here[name]} in {names[0]}, {there[name]} in {names[1]}"
        for name in both
        if here[name] != there[name]
    ]
    return _never_empty(len(both), problems)


def _never_empty(pins: int, problems: list[str]) -> Findings:
    # A file that was cut to nothing has no pin without a hash either.
    return Findings(pins, problems if pins or problems else ["no pin in it"])


def check_all(root: Path = ROOT) -> dict[str, Findings]:
    """Check every file of a checkout; the keys say what was checked."""

    def read(name: str) -> str:
        return (root / name).read_text(encoding="utf-8")

    cpu, images = read("version-lock/cpu.lock"), read("version-lock/images.lock")
    gpu = read("version-lock/gpu.lock")
    dev, programs = read("version-lock/dev.lock"), read("version-lock/programs.lock")
    checks: dict[str, Callable[[], Findings]] = {
        "cpu.lock": lambda: check_lock(cpu),
        "gpu.lock": lambda: check_lock(gpu),
        "dev.lock": lambda: check_lock(dev),
        "programs.lock": lambda: check_lock(programs),
        "crate.lock": lambda: check_lock(read("version-lock/crate.lock")),
        "images.lock": lambda: check_images(images),
        "debian.lock": lambda: check_debian(read("version-lock/debian.lock")),
        "constraints.txt against cpu.lock": lambda: check_constraints(
            read("version-lock/constraints.txt"), cpu
        ),
        "constraints-gpu.txt against gpu.lock": lambda: check_constraints(
            read("version-lock/constraints-gpu.txt"), gpu, "gpu.lock"
        ),
        "dev.lock against cpu.lock": lambda: check_overlap(dev, cpu, ("dev.lock", "cpu.lock")),
        "programs.lock against cpu.lock": lambda: check_overlap(
            programs, cpu, ("programs.lock", "cpu.lock")
        ),
        "programs.lock against dev.lock": lambda: check_overlap(
            programs, dev, ("programs.lock", "dev.lock")
        ),
        "Dockerfile against images.lock": lambda: check_base_image(read("Dockerfile"), images),
        "Dockerfile.gpu against images.lock": lambda: check_base_image(
            read("Dockerfile.gpu"), images
        ),
    }
    return {name: check() for name, check in checks.items()}


def main() -> int:
    results = check_all()
    for name, found in results.items():
        print(f"{name}: {found.pins} pins, {len(found.problems)} problems")
    for name, found in results.items():
        for problem in found.problems:
            print(f"{name}: {problem}", file=sys.stderr)
    return 1 if any(found.problems for found in results.values()) else 0


if __name__ == "__main__":
    sys.exit(main())
