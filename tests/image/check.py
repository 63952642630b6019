"""Build the published image twice, as different as two builds can be, and compare the bytes.

    python3 -m tests.image.check        # `make image-check`; about 10 minutes and 12 GB of disk
    python3 -m tests.image.check gpu    # `make image-check IMAGE=gpu`: the one with CUDA, 55 GB

Both builds take the commit that the tree is at, each in a checkout of its own, with nothing cached:

- the first as it comes;
- the second on another day, host and number of processors, under another umask, at another path,
  with other times and modes of all files that the build takes in.

Equal means: seedlock's wheel, each layer, the configuration and the manifest have equal digests.
What differs is listed file by file, and shown by diffoscope.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.image import elsewhere, engine, layers

SCRATCH = engine.ROOT / "build" / "check"
LISTED = 200  # lines of the list of files
SHOWN = 20  # files that diffoscope is shown
OLD = 981_158_400  # 2001-02-03, the time of all files of the second checkout


@dataclass(frozen=True)
class Surroundings:
    """Where and how one of the builds runs.

    Attributes:
        name: for messages.
        checkout: folder that the commit is checked out into.
        umask: of the checkout and all that follows.
        runtime: OCI runtime of the steps; empty for the release's own choice.
        host: host name of the build; empty for the machine's.
        clock: words in front of what is run outside the steps.
        recipe: name of the image, as in engine.RECIPES.
    """

    name: str
    checkout: Path
    umask: int
    recipe: str
    runtime: str = ""
    host: str = ""
    clock: tuple[str, ...] = ()

    def run(self, *words: str) -> str:
        """Run a command in the checkout and return its standard output.

        Raises:
            EngineError: it failed.
        """
        command = ["unshare", "--uts", "sh", "-c", 'test -z "$0" || hostname "$0"; exec "$@"']
        finished = subprocess.run(
            [*command, self.host, *words],
            cwd=self.checkout,
            umask=self.umask,
            stdout=subprocess.PIPE,
            text=True,
            check=False,
        )
        if finished.returncode != 0:
            raise engine.EngineError(f"{self.name}: {words[0]}: status {finished.returncode}")
        return finished.stdout

    def check_out(self, commit: str) -> None:
        """Check the commit out, with the wheels of the frameworks that are in build/."""
        self.checkout.mkdir(parents=True)
        self.run("git", "clone", "--quiet", "--no-checkout", str(engine.ROOT), ".")
        self.run("git", "checkout", "--quiet", "--detach", commit)
        name = engine.RECIPES[self.recipe].wheels
        wheels = self.checkout / "build" / name
        wheels.mkdir(parents=True, mode=0o777 & ~self.umask)
        for wheel in (engine.ROOT / "build" / name).resolve().iterdir():
            shutil.copyfile(wheel, wheels / wheel.name)
            (wheels / wheel.name).chmod(0o666 & ~self.umask)

    def age(self) -> None:
        """Give all files of the checkout a time that no build has."""
        for folder, folders, files in os.walk(self.checkout):
            if ".git" in folders:
                folders.remove(".git")  # git would have to read all files again
            for name in (*folders, *files):
                os.utime(os.path.join(folder, name), (OLD, OLD))

    def build(self) -> dict[str, Any]:
        """Build wheel and image; return what tests.image.release says, and the wheel's digest."""
        tools = engine.ROOT / "build" / "tools"
        (self.checkout / "build" / "tools").symlink_to(tools.resolve())
        # -o: the tools and the frameworks' wheels are taken as they are, however old they look.
        made = ("-o", "build/tools/.locked", "-o", "build/wheels/.complete")
        self.run(*self.clock, "make", "--silent", *made, f"PYTHON={sys.executable}", "dist")
        words = [sys.executable, "-m", "tests.image.release", str(self.archive())]
        words += [f"--recipe={self.recipe}"]
        words += [f"--runtime={self.runtime}"] if self.runtime else []
        told: dict[str, Any] = json.loads(self.run(*words))
        [wheel] = (self.checkout / "build" / "dist").glob("*.whl")
        told["wheel"] = layers.digest(wheel)
        # Those of CUDA are 5 GB, and the other build needs the room.
        shutil.rmtree(self.checkout / "build" / engine.RECIPES[self.recipe].wheels)
        return told

    def archive(self) -> Path:
        """Return the file that the image is written to."""
        return self.checkout / "build" / "image" / "repro-base.oci.tar"


def main() -> int:
    """Build twice, compare, and say what was found; 0 for equal."""
    parser = argparse.ArgumentParser(prog="python3 -m tests.image.check")
    parser.add_argument("recipe", nargs="?", choices=engine.RECIPES, default="cpu")
    recipe = parser.parse_args().recipe
    try:
        engine.install_missing(("faketime", "faketime"), ("diffoscope", "diffoscope-minimal"))
        return check(recipe)
    except engine.EngineError as problem:
        engine.say(f"tests/image/check.py: {problem}")
        return 2


def check(recipe: str) -> int:
    """Build the image of that recipe twice and compare; 0 for equal, 1 for different.

    Raises:
        EngineError: a build failed, or the second saw the same surroundings as the first.
    """
    shutil.rmtree(SCRATCH, ignore_errors=True)
    commit = engine.revision().removesuffix("-dirty")
    if engine.revision() != commit:
        engine.say("the tree has changes that no commit has: they are not part of what is checked")
    away = SCRATCH / "at another path" / "of-another-length"
    both = (
        Surroundings("first build", SCRATCH / "one", 0o022, recipe),
        Surroundings(
            "second build",
            away,
            0o077,
            recipe,
            runtime=str(away / "tests" / "image" / "elsewhere.py"),
            host=elsewhere.HOST,
            clock=("faketime", "-f", elsewhere.SHIFT),
        ),
    )
    daemon = engine.up()
    try:
        both[0].check_out(commit)
        told = [both[0].build()]
        both[1].check_out(commit)
        both[1].age()
        told.append(both[1].build())
    finally:
        if daemon is not None:
            engine.down(daemon)
    seen = [build.pop("seen") for build in told]
    for build, saw in zip(both, seen, strict=True):
        print(f"{build.name} saw:", *saw)
    if any(one == other for one, other in zip(seen[0], seen[1], strict=True)):
        raise engine.EngineError(
            "the second build's surroundings were not different: nothing shown"
        )
    for name, one in told[0].items():
        print("equal" if told[1][name] == one else "DIFFERENT", name, *listed(one))
    if told[0] == told[1]:
        shutil.rmtree(SCRATCH)
        print(f"commit {commit} gave the same image twice")
        return 0
    with layers.Archive(both[0].archive()) as first, layers.Archive(both[1].archive()) as second:
        show(first, second)
    return 1


def listed(value: object) -> list[str]:
    """Return a digest, or a list of them, as a list."""
    return [str(item) for item in value] if isinstance(value, list) else [str(value)]


def show(first: layers.Archive, second: layers.Archive) -> None:
    """Print the files that differ, and show the configuration and the first files by diffoscope."""
    found = layers.differences(first, second)
    for difference in found[:LISTED]:
        print(difference)
    print(f"{len(found)} files differ, {min(len(found), LISTED)} of them listed")
    folders = [SCRATCH / "difference" / name for name in ("first", "second")]
    chosen = [difference for difference in found if difference.has_two_contents][:SHOWN]
    for folder, archive in zip(folders, (first, second), strict=True):
        folder.mkdir(parents=True)
        (folder / "config.json").write_text(json.dumps(archive.config, indent=1, sort_keys=True))
        for layer in sorted({difference.layer for difference in chosen}):
            names = {difference.name for difference in chosen if difference.layer == layer}
            archive.extract(layer, names, folder / str(layer))
    sys.stdout.flush()
    words = ("--exclude-directory-metadata=yes", "--max-text-report-size=100000")
    subprocess.run(["diffoscope", *words, *map(str, folders)], check=False)
    print(f"both archives stay below {SCRATCH}")


if __name__ == "__main__":
    sys.exit(main())
