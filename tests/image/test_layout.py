"""What lies in the image and what does not: users, folders, tools, byte code, labels, layers."""

from __future__ import annotations

import json
import re
import time
import zipfile
from typing import TYPE_CHECKING, Any

import pytest

from tests.image import engine

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from tests.image.tracked import TrackedContainer

BYTE_CODE = """
import json, os
from importlib.util import cache_from_source

flags, bare, size = set(), [], 0
for root in ("/opt", "/usr"):
    for folder, _, names in os.walk(root):
        for name in names:
            path = os.path.join(folder, name)
            if name.endswith(".pyc"):
                with open(path, "rb") as file:
                    flags.add(int.from_bytes(file.read(8)[4:], "little"))
                size += 0 if os.path.islink(path) else os.path.getsize(path)
            elif (
                name.endswith(".py")
                and "/lib/python3.11/" in path
                and not os.path.exists(cache_from_source(path))
            ):
                bare.append(path)
print(json.dumps({"flags": sorted(flags), "bare": bare, "size": size}))
"""


def inspect(image: str) -> dict[str, Any]:
    """Return what docker knows of an image."""
    found: dict[str, Any] = json.loads(engine.docker("image", "inspect", image).stdout)[0]
    return found


def test_runs_as_a_user_without_rights(container: TrackedContainer) -> None:
    """The image's user is not root and owns nothing of what was installed."""
    script = "id -u; id -un; pwd; for path in /opt /usr /data; do find $path ! -user 0; done"

    assert container.run("sh", "-c", script).stdout == "1000\nrepro\n/submission\n"


def test_uid_is_an_argument_of_the_build(
    image: str, recipe: engine.Recipe, container: TrackedContainer
) -> None:
    """REPRO_UID gives the user another number, without another download or install."""
    tag = recipe.variant("uid")
    engine.build("--build-arg=REPRO_UID=4321", tag=tag, recipe=recipe)
    try:
        script = "id -u; id -un; touch /submission/file /home/repro/file"

        assert type(container)(tag).run("sh", "-c", script).stdout == "4321\nrepro\n"
    finally:
        engine.docker("image", "rm", tag)


@pytest.mark.parametrize("user", ["1000", "12345:12345"])
def test_output_is_writable_and_data_is_not(container: TrackedContainer, user: str) -> None:
    """Any user may write /output and the home folder; nobody but root may write /data."""
    script = (
        "touch /output/a $HOME/a && ! touch /data/a 2>&- && ! touch /opt/repro/a 2>&- && "
        'stat -c "%a %u" /data /output'
    )

    written = container.using(f"--user={user}").run("sh", "-c", script).stdout

    assert written == "755 0\n1777 0\n"


def test_environment_is_neutral(container: TrackedContainer) -> None:
    """Text is UTF-8 and time is UTC, on every machine alike."""
    script = (
        "import sys, time; print(sys.getfilesystemencoding(), sys.stdout.encoding, time.tzname)"
    )

    assert container.run("python", "-c", script).stdout == "utf-8 utf-8 ('UTC', 'UTC')\n"


def test_no_compiler_cache_or_list(container: TrackedContainer) -> None:
    """No compiler is there, no cache, list or log of pip's or apt's, nothing of the build."""
    tools = "for tool in cc gcc g++ clang ld as make; do command -v $tool; done; "
    left = (
        "find /var/lib/apt/lists /var/cache/apt /var/log /tmp /mnt /root /run "
        "/var/cache/ldconfig -type f ! -name lock; find / -xdev -path '*/pip/http*' -o "
        "-name '*.whl' ! -path '/usr/share/python-wheels/*' ! -path '/opt/repro/wheels/*'"
    )

    found = container.using("--user=0").run("sh", "-c", tools + left).stdout.splitlines()

    assert [path for path in found if not path.startswith("/root/.")] == []


def test_byte_code_is_baked_without_time_stamps(container: TrackedContainer) -> None:
    """Every module has a .pyc file that goes by content and is not checked again (flags 0b01)."""
    found = json.loads(container.run("python", "-c", BYTE_CODE).stdout)

    assert found["flags"] == [0b01]
    assert [path for path in found["bare"] if "py312" not in path] == []


@pytest.mark.parametrize("python", ["python", "/usr/bin/python3.11"])
def test_start_compiles_nothing(container: TrackedContainer, python: str) -> None:
    """Not even root's Python writes a .pyc file when it starts and imports the frameworks."""
    script = (
        f"touch /tmp/begin; {python} -c 'import torch, keras, mxnet, jax' && "
        "find /opt /usr /tmp -newer /tmp/begin -name '*.pyc'"
    )

    assert container.seeded(7).using("--user=0").run("sh", "-c", script).stdout == ""


def test_labels_tell_what_it_is(image: str, recipe: engine.Recipe) -> None:
    """The labels hold title, licence, version, revision, base and the digest of the lock."""
    labels = inspect(image)["Config"]["Labels"]

    assert labels["org.opencontainers.image.title"] == "repro-base"
    assert labels["org.opencontainers.image.licenses"] == "Apache-2.0"
    assert labels["org.opencontainers.image.version"] == engine.version()
    assert re.fullmatch(r"([0-9a-f]{40}(-dirty)?)?", labels["org.opencontainers.image.revision"])
    assert labels["org.opencontainers.image.base.name"] == engine.base()
    assert labels["org.opencontainers.image.description"]
    assert labels["org.seedlock.lock.sha256"] == engine.lock_digest(recipe=recipe)


def test_another_lock_than_the_label_says_is_refused(image: str, recipe: engine.Recipe) -> None:
    """A build whose LOCK_SHA256 is not the lock's fails and names both."""
    with pytest.raises(engine.EngineError):
        engine.build("--build-arg=LOCK_SHA256=0", tag=recipe.variant("refused"), recipe=recipe)


def test_seedlock_is_the_last_layer(image: str) -> None:
    """The topmost layer that holds files is seedlock's own, and it is small."""
    words = ("history", "--no-trunc", "--human=false", "--format={{.Size}}\t{{.CreatedBy}}", image)
    layers = [line.split("\t") for line in engine.docker(*words).stdout.splitlines()]

    size, made_by = next((int(size), by) for size, by in layers if size != "0")

    assert "seedlock==$VERSION" in made_by
    assert size < 10_000_000


@pytest.mark.recipe("cpu")  # both end in the same step; another folder of CUDA's wheels is 5 GB
def test_change_to_seedlock_alone_rebuilds_only_that_layer(
    image: str, context: Path, tell: Callable[[str], None]
) -> None:
    """With another seedlock wheel, all layers below are taken as they are, and it takes seconds."""
    [wheel] = (context / "build/dist").glob(f"seedlock-{engine.version()}-*.whl")
    tag = f"{image}:changed"
    # Twice: docker build takes in the frameworks' wheels anew from a folder that it has not seen.
    layers = []
    for change in ("first", "second"):
        with zipfile.ZipFile(wheel, "a") as archive:
            archive.writestr(f"seedlock/{change}_change.py", '"""A change."""\n')
        begin = time.monotonic()
        engine.build("--progress=plain", tag=tag, context=context)
        seconds = time.monotonic() - begin
        layers.append(inspect(tag)["RootFS"]["Layers"])
    engine.docker("image", "rm", tag)
    tell(f"docker build after a change to seedlock alone: {seconds:.1f} s")

    assert layers[0][:-1] == layers[1][:-1]
    assert layers[0][-1] != layers[1][-1]
    assert seconds < 20


def test_size_is_that_of_its_parts(
    image: str, recipe: engine.Recipe, container: TrackedContainer, tell: Callable[[str], None]
) -> None:
    """The image is at most 1.05 times its base, Debian packages, wheels' contents and byte code."""
    names = [
        line.split()[1].partition("_")[0]
        for line in (engine.ROOT / "version-lock/debian.lock").read_text().splitlines()
        if not line.startswith("#")
    ]
    query = ("dpkg-query", "--show", "--showformat=${Installed-Size}\n", *names)
    wheels = [*(engine.ROOT / "build" / recipe.wheels).glob("*.whl")]
    wheels += (engine.ROOT / "build/dist").glob(f"seedlock-{engine.version()}-*.whl")
    parts = {
        "base": inspect(engine.base())["Size"],
        "debian": 1024 * sum(map(int, container.run(*query).stdout.split())),
        "wheels": sum(
            member.file_size for wheel in wheels for member in zipfile.ZipFile(wheel).infolist()
        ),
        "byte code": json.loads(container.run("python", "-c", BYTE_CODE).stdout)["size"],
    }
    size, whole = inspect(image)["Size"], sum(parts.values())
    told = ", ".join(f"{name} {part / 1e6:.1f}" for name, part in parts.items())
    tell(f"image {size / 1e6:.1f} MB = {size / whole:.4f} x {whole / 1e6:.1f} MB ({told})")

    assert size <= 1.05 * whole
