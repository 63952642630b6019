"""Build the image that is published: one commit, the same bytes, wherever and whenever.

    python3 -m tests.image.release ARCHIVE                # an OCI archive; its digests on stdout
    python3 -m tests.image.release ARCHIVE --load TAG     # and into the engine, to be tested there
    python3 -m tests.image.release ARCHIVE --recipe gpu   # the image with CUDA

The same Dockerfiles as `make image` and `make image-gpu` use, built by buildah as root: its
`--timestamp` sets the times of all files of a layer and of the configuration, which Debian's docker
can't. Nothing is cached, and the machine's own settings of container tools are left out.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import os
import re
import shlex
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from tests.image import engine, layers

if TYPE_CHECKING:
    from collections.abc import Iterator

# What a step can tell of the machine and the time that it runs in.
SURROUNDINGS = "date -u +%F; hostname; getconf _NPROCESSORS_ONLN"


@dataclass(frozen=True)
class Builder:
    """buildah with a storage of its own.

    Attributes:
        folder: holds the storage; several gigabytes while a build runs.
        runtime: OCI runtime that the steps run in.
    """

    folder: Path
    runtime: str

    def call(self, *words: str, show: bool = False) -> str:
        """Run a buildah command.

        Args:
            words: the command.
            show: its standard output is for a person to follow.

        Returns:
            Its standard output, unless that was shown.

        Raises:
            EngineError: it failed.
        """
        # In a mount namespace of its own: buildah leaves mounts in its storage.
        command = ["unshare", "--mount", "buildah"]
        command += [f"--root={self.folder}/storage", f"--runroot={self.folder}/run", *words]
        output = sys.stderr if show else subprocess.PIPE
        # A site's containers.conf may add variables, volumes and options to every build.
        variables = dict(os.environ, CONTAINERS_CONF="/dev/null", TMPDIR=str(self.folder))
        finished = subprocess.run(command, env=variables, stdout=output, text=True, check=False)
        if finished.returncode != 0:
            raise engine.EngineError(f"{shlex.join(command)}: exit status {finished.returncode}")
        return finished.stdout or ""

    def steps(self) -> list[str]:
        """Return the options of commands that run steps."""
        # The host's network: with it, buildah needs no network plug-ins.
        return ["--isolation=oci", f"--runtime={self.runtime}", "--network=host"]

    def take_in(self, reference: str) -> str:
        """Copy an image of the engine's into the storage and return its identifier there."""
        # As a file: buildah's own way to the engine speaks an interface that new engines refuse.
        file = self.folder / "base.tar"
        engine.docker("save", f"--output={file}", reference)
        taken = self.call("pull", "--quiet", f"docker-archive:{file}")
        file.unlink()
        return taken.split()[-1]

    def surroundings(self, base: str) -> list[str]:
        """Return day, host name and number of processors as a step sees them."""
        container = self.call("from", "--quiet", base).strip()
        try:
            return self.call("run", *self.steps(), container, "sh", "-c", SURROUNDINGS).split()
        finally:
            self.call("rm", container)


def epoch(context: Path = engine.ROOT) -> int:
    """Return the time that all files of the image get, in seconds since 1970."""
    text = (context / "Dockerfile").read_text()
    found = re.search(r"^ARG SOURCE_DATE_EPOCH=(\d+)$", text, re.MULTILINE)
    if found is None:
        raise engine.EngineError("Dockerfile has no SOURCE_DATE_EPOCH")
    return int(found[1])


@contextlib.contextmanager
def builder(folder: Path, runtime: str) -> Iterator[Builder]:
    """Make a Builder whose storage is gone afterwards.

    Raises:
        EngineError: this is not root, or buildah can't be installed.
    """
    if os.geteuid() != 0:
        raise engine.EngineError("only root can build the image that is published")
    engine.install_missing(("buildah", "buildah"), ("runc", "runc"))
    folder.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=folder, prefix="buildah-") as storage:
        yield Builder(Path(storage), runtime)


def build(
    archive: Path, runtime: str = "runc", load: str = "", recipe: engine.Recipe = engine.CPU
) -> dict[str, object]:
    """Build the image from the wheels in build/ into an OCI archive.

    Args:
        archive: file to write.
        runtime: OCI runtime that the steps run in.
        load: name under which the engine gets the image too; empty for no.
        recipe: which image.

    Returns:
        `seen` (what a step saw of the machine), `manifest`, `config` and `layers` (digests), and
        `sizes` (bytes of each layer as a registry keeps it, compressed).

    Raises:
        EngineError: the tree has changes that no commit has, the wheels are not there, or the build
            failed.
    """
    revision = engine.revision()
    if not re.fullmatch("[0-9a-f]{40}", revision):
        raise engine.EngineError(
            f"a published image is of a commit, and this tree is '{revision}': commit first"
        )
    engine.check_wheels(engine.ROOT, recipe)
    with builder(archive.parent, runtime) as buildah:
        base = buildah.take_in(engine.base())
        seen = buildah.surroundings(base)
        # Without a tag: the engine would take it in beside the one that is asked for.
        named = buildah.folder / "image"
        # --from goes by content; the build argument is what the label says.
        # Without an identity label: it would hold buildah's version.
        words = ["--format=oci", "--layers", "--no-cache", "--identity-label=false"]
        words += [f"--timestamp={epoch()}", f"--from={base}", f"--iidfile={named}"]
        words += [f"--file={engine.ROOT / recipe.dockerfile}"]
        # What docker finds by itself beside the Dockerfile, buildah 1.28 has to be told.
        ignore = engine.ROOT / f"{recipe.dockerfile}.dockerignore"
        words += [f"--ignorefile={ignore}"] if ignore.exists() else []
        given = engine.settings(engine.ROOT, recipe)
        words += [f"--build-arg={name}={value}" for name, value in given.items()]
        engine.say(shlex.join(["buildah", "build", *words]))
        buildah.call("build", *buildah.steps(), *words, str(engine.ROOT), show=True)
        image = named.read_text().strip()
        fresh = archive.with_name(archive.name + ".new")
        fresh.unlink(missing_ok=True)
        buildah.call("push", "--quiet", image, f"oci-archive:{fresh}")
        fresh.replace(archive)
        if load:
            file = buildah.folder / "image.tar"
            buildah.call("push", "--quiet", image, f"docker-archive:{file}:{load}")
            engine.docker("load", f"--input={file}")
    with layers.Archive(archive) as written:
        return {
            "seen": seen,
            "manifest": written.manifest_digest,
            "config": written.config_digest,
            "layers": written.contents,
            "sizes": written.sizes,
        }


def main() -> int:
    """Do what the command line asks for."""
    parser = argparse.ArgumentParser(prog="python3 -m tests.image.release")
    parser.add_argument("archive", type=Path, help="OCI archive to write")
    parser.add_argument("--load", default="", metavar="TAG", help="load it into the engine as TAG")
    parser.add_argument("--runtime", default="runc", help="OCI runtime that the steps run in")
    parser.add_argument("--recipe", choices=engine.RECIPES, default="cpu", help="which image")
    words = parser.parse_args()
    daemon = None
    try:
        daemon = engine.up()
        told = build(
            words.archive.absolute(), words.runtime, words.load, engine.RECIPES[words.recipe]
        )
    except engine.EngineError as problem:
        engine.say(f"tests/image/release.py: {problem}")
        return 1
    finally:
        if daemon is not None:
            engine.down(daemon)
    print(json.dumps(told, indent=1))
    return 0


if __name__ == "__main__":
    sys.exit(main())
