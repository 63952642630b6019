"""What can be seen in minutes of an image that is the same bytes each time; `make image-check` sees
all of it, by building twice."""

from __future__ import annotations

import os
import re
import time
import uuid
from typing import TYPE_CHECKING

import pytest

from tests.image import engine, release
from tests.image.tracked import TrackedContainer

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

# Files that changed since a time, with all that a layer holds of them but times: Debian's docker
# can't set those. Left out is what the engine puts into each container.
CHANGED = """
cd /
changed() {
    find . -xdev -newerct "@$BEGIN" ! -name .dockerenv ! -path './etc/host*' \
        ! -path ./etc/resolv.conf "$@"
}
changed -printf '%y %m %U:%G %p %l\\n' | sort
changed -type f -print0 | sort -z | xargs -0 sha256sum
"""

WITHOUT_ORIGIN = """
import csv, os, subprocess
from pathlib import Path

site = Path("/opt/repro/venv/lib/python3.11/site-packages")
known = set()
info = Path("/var/lib/dpkg/info")
known.update(map(str, info.iterdir()))
for listed in info.glob("*.list"):
    known.update(map(os.path.realpath, listed.read_text().splitlines()))
diverted = subprocess.run(["dpkg-divert", "--list"], capture_output=True, text=True).stdout
known.update(line.split(" to ")[1].split(" by ")[0] for line in diverted.splitlines())
for record in site.glob("*.dist-info/RECORD"):
    with record.open() as rows:
        known.update(os.path.normpath(site / row[0]) for row in csv.reader(rows))
paths = subprocess.run(["find", "/", "-xdev", "!", "-type", "d"], capture_output=True, text=True)
for path in paths.stdout.splitlines():
    place = os.path.join(os.path.realpath(os.path.dirname(path)), os.path.basename(path))
    if place not in known and os.path.realpath(path) not in known and not path.endswith(".pyc"):
        print(path)
"""

# By the Dockerfile, and by a package's own script at its installation.
MADE = """
/etc/ca-certificates.conf
/etc/inputrc
/etc/pip.conf
/etc/python3/debian_config
/home/repro/.bash_logout
/home/repro/.bashrc
/home/repro/.profile
/opt/repro/constraints.txt
/opt/repro/entrypoint.sh
/opt/repro/locks/debian.lock
/opt/repro/locks/{lock}
/opt/repro/venv/bin/Activate.ps1
/opt/repro/venv/bin/activate
/opt/repro/venv/bin/activate.csh
/opt/repro/venv/bin/activate.fish
/opt/repro/venv/lib/python3.11/site-packages/mxnet/_cy3/ndarray.py
/opt/repro/venv/lib64
/opt/repro/venv/pyvenv.cfg
/opt/repro/wheels/seedlock-{version}-py3-none-any.whl
/usr/local/lib/python3.11/dist-packages/repro.pth
/var/cache/apt/archives/lock
/var/lib/apt/extended_states
/var/lib/dpkg/triggers/update-ca-certificates
/var/lib/dpkg/triggers/update-ca-certificates-fresh
/var/lib/python/python3.11_installed
"""

MADE_FOR_CUDA = ["/etc/ld.so.conf.d/repro-cuda.conf"]


@pytest.fixture(name="salted")
def salted_fixture(context: Path) -> Iterator[Path]:
    """The context with a Dockerfile that makes all above the frameworks anew for each SALT."""
    dockerfile = context / "Dockerfile"
    right = dockerfile.read_text()
    before, found, after = right.partition("ARG REPRO_UID=1000\n")
    assert found
    dockerfile.write_text(f"{before}ARG SALT\n{found}{after}")
    yield context
    dockerfile.write_text(right)


def built(context: Path) -> str:
    """Build what lies above the frameworks and return a list of its files and their contents."""
    # Docker drops its cache where the disk is short; frameworks made anew are in the list, and in
    # the cache for the next try.
    for _ in range(3):
        found = built_once(context)
        if "/site-packages/tensorflow/" not in found:
            break
    return found


def built_once(context: Path) -> str:
    """Build and list, whatever had to be made anew."""
    container = TrackedContainer(f"seedlock/salted-{uuid.uuid4().hex[:12]}")
    begin = time.time()
    engine.build(f"--build-arg=SALT={begin}", tag=container.image, context=context)
    try:
        root = container.using("--user=0", f"--env=BEGIN={begin}", "--entrypoint=sh")
        return root.run("-c", CHANGED).stdout
    finally:
        engine.docker("image", "rm", container.image)


# The steps are the same in both; of CUDA's 16 GB docker was seen to drop what the next build needs.
@pytest.mark.recipe("cpu")
def test_layers_above_the_frameworks_are_the_same_each_time(salted: Path) -> None:
    """Built twice, of files with other modes and times, they have equal files with equal bytes."""
    first = built(salted)
    for folder in (salted / "version-lock", salted / "build" / "dist"):
        for path in (folder, *folder.iterdir()):
            path.chmod(0o700 if path.is_dir() else 0o600)
            os.utime(path, (981158400, 981158400))
    second = built(salted)

    assert second.splitlines() == first.splitlines()
    names = re.findall(r"^f .* \./(\S+) $", first, re.MULTILINE)
    assert {"etc/shadow", "opt/repro/entrypoint.sh", "opt/repro/constraints.txt"} <= {*names}


def test_users_are_as_old_as_the_image(container: TrackedContainer) -> None:
    """The day on which the user's password was set, field 3 of shadow(5), is the image's day."""
    shadow = container.using("--user=0").run("grep", "^repro:", "/etc/shadow").stdout

    assert shadow.split(":")[2] == str(release.epoch() // 86400)


def test_every_file_has_an_origin(
    image: str, recipe: engine.Recipe, container: TrackedContainer
) -> None:
    """Each file is the base's, of a Debian package, of a wheel, or one of a short list."""
    listed = TrackedContainer(engine.base()).run("find", "/", "-xdev", "!", "-type", "d").stdout
    found = container.using("--user=0").run("python", "-c", WITHOUT_ORIGIN).stdout

    new = {*found.splitlines()} - {*listed.splitlines()}
    made = MADE.format(version=engine.version(), lock=recipe.lock).split()
    assert sorted(new) == sorted(made + (MADE_FOR_CUDA if recipe is engine.GPU else []))
