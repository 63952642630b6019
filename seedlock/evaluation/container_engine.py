"""Containers: what is known of an image, and the engine's commands that start a run and end it."""

from __future__ import annotations

import os
import posixpath
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping, Sequence

ENGINE = "DOCKER"
"""Variable that names the engine's client, as in the Makefile; `docker` on PATH by default."""

OUTPUT = "/output"
REPORTS = "/reports"
"""Where the run's folders are mounted."""

HOSTNAME = "seedlock"
"""An engine's own are random, and programs put them into results and names of files."""

SHARED_MEMORY = "2g"
"""Most that /dev/shm may hold: loaders hand batches over through it, and an engine's 64 MB end
them with a bus error."""

REMOVED = ("--rm", "--shm-size", SHARED_MEMORY)
"""Options of a container that is removed at its end."""

NOBODY = 65534
"""User id for an image that names none, where this process is root."""

MOUNT_ALLOWED = (
    "HOST:CONTAINER, what is there on this machine and an absolute path that is none of "
    f"/, {OUTPUT} and {REPORTS} nor below these"
)


class Mount(NamedTuple):
    """What containers see of this machine and can't write: an absolute path here, and there."""

    here: Path
    there: str


class EngineError(Exception):
    """Why no container can be started: no client, no engine that answers, no such image, or a
    mount that can't be."""


@dataclass(frozen=True)
class Image:
    """An image that the engine holds.

    Attributes:
        client: the engine's client, as an executable's path.
        name: as given.
        digest: its id. Runs go by it, or they could be of two images that have the name in turn.
        user: `--user` of its containers, never root: `1000` or `1000:1000`.
    """

    client: str
    name: str
    digest: str
    user: str

    @property
    def owner(self) -> int:
        """User id of that user."""
        return int(self.user.partition(":")[0])


def find_client(environ: Mapping[str, str]) -> str:
    """Return the path of the engine's client.

    Raises:
        EngineError: there is none.
    """
    given = environ.get(ENGINE) or "docker"
    client = shutil.which(given, path=environ.get("PATH"))
    if client is None:
        raise EngineError(
            f"no container engine: {given} is not an executable on PATH; install one, or set "
            f"{ENGINE} to its client"
        )
    return client


def look_up(environ: Mapping[str, str], image: str) -> Image:
    """Return what the engine knows of an image.

    Raises:
        EngineError: there is no client, the engine does not answer, or does not hold the image.
            Nothing is fetched: which bits a name stands for is not decided during the runs.
    """
    client = find_client(environ)
    words = [client, "image", "inspect", "--format", "{{.Id}} {{.Config.User}}", image]
    try:
        asked = subprocess.run(words, capture_output=True, text=True, env=environ, check=False)
    except OSError as problem:
        raise EngineError(f"no container engine: {client}: {problem.strerror}") from problem
    digest, _, user = asked.stdout.strip().partition(" ")
    if asked.returncode != 0 or not digest:
        said = asked.stderr.strip().splitlines() or [f"exit status {asked.returncode}"]
        raise EngineError(
            f"--container {image}: {client} says: {said[-1]}; allowed: an image that the engine "
            "holds; start the engine, or pull or build the image first"
        )
    return Image(client, image, digest, user_of_runs(user, os.getuid(), os.getgid()))


def user_of_runs(images: str, user: int, group: int) -> str:
    """Return `--user` for a run's containers.

    This process's own ids, so that whoever starts it can read and remove what a run wrote.
    Root, who can do so anyway, takes the image's user where that is a number.

    Args:
        images: the image's user, as its Dockerfile says it; may be empty.
        user, group: this process's ids.
    """
    if user != 0:
        return f"{user}:{group}"
    first, _, second = images.partition(":")
    plain = first.isdecimal() and int(first) != 0 and (second.isdecimal() or not second)
    return images if plain else f"{NOBODY}:{NOBODY}"


def mount(given: str) -> Mount:
    """Return what `HOST:CONTAINER` names.

    Raises:
        EngineError: it is not `MOUNT_ALLOWED`.
    """
    host, _, place = given.rpartition(":")
    here, there = Path(host).resolve(), "/" + posixpath.normpath(place).strip("/")
    taken = any(there == each or there.startswith(f"{each}/") for each in (OUTPUT, REPORTS))
    if not (host and here.exists() and place.startswith("/") and there != "/") or taken:
        raise EngineError(f"--mount {given}: allowed: {MOUNT_ALLOWED}")
    return Mount(here, there)


def mounts(given: Sequence[str]) -> list[Mount]:
    """Return what each `HOST:CONTAINER` names.

    Raises:
        EngineError: one is not `MOUNT_ALLOWED`, or two are at one path.
    """
    found = [mount(each) for each in given]
    places = [each.there for each in found]
    for place in places:
        if places.count(place) > 1:
            raise EngineError(f"--mount: {places.count(place)} at {place}; allowed: one")
    return found


def start(
    image: Image,
    name: str,
    variables: Mapping[str, str],
    folders: Mapping[Path, str],
    argv: list[str],
    mounts: Sequence[Mount] = (),
    network: bool = False,
    options: Sequence[str] = REMOVED,
    unshown: Collection[str] = (),
) -> list[str]:
    """Return the command that runs `argv` in a container.

    The image's entrypoint sets what must stand before Python. What is mounted for reading is so
    for good: what one run wrote there, the next would find.

    Args:
        image: image to run.
        name: the container's name.
        variables: environment variables for the container, and no others of this process.
        folders: absolute paths here that the run may write, and where they are mounted.
        argv: the command; the image's own where it is empty.
        mounts: what it may read besides.
        network: whether the container has one.
        options: further words for the engine; by default it removes the container at its end.
        unshown: variables whose values the client takes from its own environment, so that they are
            not on its command line, which every user of this machine can read.
    """
    command = [image.client, "run", *options, "--name", name, "--user", image.user]
    # A program that becomes root would leave files that nobody else can remove.
    command += ["--security-opt", "no-new-privileges"]
    # Without a network nothing else gives the name an address, and torch.distributed asks for it.
    command += ["--hostname", HOSTNAME, "--add-host", f"{HOSTNAME}:127.0.0.1"]
    command += ["--network", "bridge" if network else "none"]
    for variable, value in variables.items():
        command += ["-e", variable if variable in unshown else f"{variable}={value}"]
    for folder, place in folders.items():
        command += ["--mount", _bind(folder, place)]
    for path, place in mounts:
        command += ["--mount", f"{_bind(path, place)},readonly"]
    return [*command, image.digest, *argv]


def _bind(path: Path, place: str) -> str:
    # --mount would refuse what -v silently makes anew, a folder that is not there. It reads CSV.
    fields = (f"source={path}", f"target={place}")
    quoted = ('"{}"'.format(each.replace('"', '""')) for each in fields)
    return ",".join(("type=bind", *quoted))


def signal(client: str, name: str, number: str) -> list[str]:
    """Return the command that sends a signal (`TERM`, `KILL`) to a container's first process.

    It fails where the container is not there, or not yet, or does not run.
    """
    return [client, "kill", "--signal", number, name]


def remove(client: str, name: str) -> list[str]:
    """Return the command that ends and removes a container, whatever it does, and the volumes that
    its image declares."""
    return [client, "rm", "--force", "--volumes", name]
