"""Measure imports in the image against the host's, and the image's size against its parts.

`docker run IMAGE python -c 'import X'` is compared with the same import in the running environment
plus an empty container start, once as it is and once with REPRO_SEED set in the container alone.
The size is compared with the sum of what is installed: Debian's packages as dpkg counts them, the
files that the wheels record, and the .pyc files. The exit status is 0 whatever the verdicts, 1 if
something failed to run, 2 if there is no engine or no image.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from functools import partial
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

    from benchmarks import pairs
    from benchmarks.pairs import Figure, Ratio, Sample
else:
    import pairs
    from pairs import Figure, Ratio, Sample

IMAGE = "conference/repro-base"
IMPORT_LIMIT = 1.1
SIZE_LIMIT = 1.05
LIBRARIES = ("torch", "tensorflow", "mxnet", "jax")

PARTS = """
import importlib.metadata, json, os, subprocess, sys
counted = subprocess.check_output(["dpkg-query", "-f", "${Installed-Size}\\n", "-W"])
wheels = compiled = 0
for distribution in importlib.metadata.distributions():
    for file in distribution.files or ():
        path = distribution.locate_file(file)
        if file.suffix != ".pyc" and os.path.isfile(path):
            wheels += os.path.getsize(path)
for root in (sys.prefix, os.path.dirname(os.__file__)):
    for folder, _, names in os.walk(root):
        for name in names:
            path = os.path.join(folder, name)
            if name.endswith(".pyc") and not os.path.islink(path):
                compiled += os.path.getsize(path)
print(json.dumps({"Debian packages": sum(map(int, counted.split())) * 1024, "wheels": wheels,
                  ".pyc files": compiled}))
"""


def main() -> int:
    """Measure and print; return the exit status."""
    parser = pairs.parser(__doc__, pairs=pairs.MIN_PAIRS)
    parser.add_argument("--image", default=IMAGE, help="default: %(default)s")
    parser.add_argument("--only", nargs="+", choices=LIBRARIES, default=LIBRARIES)
    options = parser.parse_args()
    docker = client()
    missing = lacking(docker, options.image)
    if missing or docker is None:
        print(f"{missing}; say `make image` and try again", file=sys.stderr)
        return 2
    figures: list[Figure] = []
    for name in options.only:
        figures += imports(docker, options.image, name, options.pairs)
    row, note = size(docker, options.image)
    figures.append(row)
    inside = run(docker, options.image, {}, ["python", "-V"]).split()[-1]
    notes = [note, f"the image has Python {inside}"]
    pairs.finish(figures, options.pairs, options.json, notes)
    return 0


def client() -> str | None:
    """Return the docker client: Debian's own, or the first on PATH, as `make image` chooses."""
    for path in ("/usr/bin/docker", shutil.which("docker")):
        if path and os.access(path, os.X_OK):
            return path
    return None


def lacking(docker: str | None, image: str) -> str:
    """Return what there is no engine or image for, or nothing."""
    if docker is None:
        return "no docker client found"
    for arguments, text in (
        (["version", "--format", "{{.Server.Version}}"], "no docker engine answers"),
        (["image", "inspect", image], f"the engine has no image {image}"),
    ):
        done = subprocess.run([docker, *arguments], capture_output=True, check=False)
        if done.returncode != 0:
            return text
    return ""


def command(
    docker: str, image: str, environment: dict[str, str], arguments: Sequence[str]
) -> list[str]:
    """Return the command line of a container that is removed when it ends."""
    settings = [f"--env={name}={value}" for name, value in environment.items()]
    return [docker, "run", "--rm", "--network=none", *settings, image, *arguments]


def run(docker: str, image: str, environment: dict[str, str], arguments: Sequence[str]) -> str:
    """Run a container and return what it printed."""
    return pairs.launch(command(docker, image, environment, arguments), os.environ).output


def imports(docker: str, image: str, name: str, rounds: int) -> list[Figure]:
    """Return the figures of one import."""
    quiet = {"TF_CPP_MIN_LOG_LEVEL": "2"}
    script = ["-c", f"import {name}"]
    in_image = ["python", *script]

    def once(argv: list[str], environment: dict[str, str]) -> Sample:
        return {"wall": pairs.launch(argv, environment).wall}

    outside = dict(os.environ)
    measured = pairs.interleave(
        {
            "host": partial(once, [sys.executable, *script], pairs.plain_environment()),
            "empty": partial(once, command(docker, image, quiet, ["true"]), outside),
            "unset": partial(once, command(docker, image, quiet, in_image), outside),
            "set": partial(
                once,
                command(docker, image, quiet | {"REPRO_SEED": pairs.SEED}, in_image),
                outside,
            ),
        },
        rounds,
        f"{name} in {image}",
    )
    host, empty = measured["host"]["wall"], measured["empty"]["wall"]
    against = [a + b for a, b in zip(host, empty, strict=True)]
    return [
        pairs.figure(f"import {name}: REPRO_SEED {key}", against, measured[key]["wall"], limit)
        for key, limit in (("unset", IMPORT_LIMIT), ("set", IMPORT_LIMIT))
    ] + [pairs.figure(f"import {name}: empty start, against host", host, empty)]


def size(docker: str, image: str) -> tuple[Figure, str]:
    """Return the figure of the image's size, and a line with its parts."""
    done = pairs.launch(
        [docker, "image", "inspect", "--format", "{{.Size}}", image], os.environ
    ).output
    whole = int(done)
    parts: dict[str, int] = json.loads(run(docker, image, {}, ["python", "-c", PARTS]))
    together = sum(parts.values())
    one = whole / together
    ratio = Ratio(one, (one, one), (one, one))
    listed = ", ".join(f"{name} {value / 1e9:.3f}" for name, value in parts.items())
    row = Figure("size", together / 1e9, whole / 1e9, ratio, SIZE_LIMIT, unit="GB")
    return (
        row,
        f"the image's {whole / 1e9:.3f} GB against its parts' {together / 1e9:.3f}: {listed}",
    )


if __name__ == "__main__":
    sys.exit(pairs.guarded(main))
