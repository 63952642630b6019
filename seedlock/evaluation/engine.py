"""Command lines for a container engine: start a run in an image, and end it."""

from __future__ import annotations

import os
import shutil
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

ENGINE = "DOCKER"
"""Variable that names the engine's client, as in the Makefile; `docker` on PATH by default."""

OUTPUT = "/output"
REPORTS = "/reports"
"""Where the run's folders are mounted."""


def client(environ: Mapping[str, str]) -> str | None:
    """Return the engine's client as an executable's path, or None where there is none."""
    return shutil.which(environ.get(ENGINE) or "docker", path=environ.get("PATH"))


def start(
    engine: str,
    image: str,
    name: str,
    variables: Mapping[str, str],
    folders: Mapping[Path, str],
    argv: list[str],
    network: bool = False,
) -> list[str]:
    """Return the command that runs `argv` in a container and removes it afterwards.

    The process has this user's ids, so that the organiser can read and remove what it writes;
    the image's entrypoint sets what must stand before Python.

    Args:
        engine: the client.
        image: image to run.
        name: the container's name.
        variables: environment variables for the container, and no others of this process.
        folders: absolute paths here, and where they are mounted.
        argv: the command; the image's own where it is empty.
        network: whether the container has one.
    """
    command = [engine, "run", "--rm", "--name", name, "--user", f"{os.getuid()}:{os.getgid()}"]
    command += ["--network", "bridge" if network else "none"]
    for variable, value in variables.items():
        command += ["-e", f"{variable}={value}"]
    for folder, place in folders.items():
        # --mount would refuse what -v silently makes anew, a folder that is not there.
        command += ["--mount", f"type=bind,source={folder},target={place}"]
    return [*command, image, *argv]


def signal(engine: str, name: str, number: str) -> list[str]:
    """Return the command that sends a signal (`TERM`, `KILL`) to a container's first process."""
    return [engine, "kill", "--signal", number, name]


def remove(engine: str, name: str) -> list[str]:
    """Return the command that ends and removes a container, whatever it does."""
    return [engine, "rm", "--force", name]
