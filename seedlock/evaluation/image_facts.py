"""What an image says of itself: its labels, and its files read in a container without a network."""

from __future__ import annotations

import json
import subprocess
from dataclasses import dataclass
from importlib import resources
from typing import TYPE_CHECKING, Any

from seedlock import settings
from seedlock.errors import NoEngine, NoSuchImage, NotReproBase
from seedlock.evaluation import container_engine

if TYPE_CHECKING:
    from collections.abc import Mapping

LOCK_LABEL = "org.seedlock.lock.sha256"
BASE_LABEL = "org.opencontainers.image.base.name"
REVISION_LABEL = "org.opencontainers.image.revision"

INTERPRETER = "/usr/bin/python3"
"""Debian's, of the image's own packages: an author's environment may stand before it on PATH."""

ALLOWED = "allowed: conference/repro-base and images built on it; say make image"


@dataclass(frozen=True)
class ImageFacts:
    """What is known of an image.

    Attributes:
        name: as given.
        identity: its id.
        labels: its labels.
        layers: digests of its layers' contents, the base's first.
        found: what `manifest_probe.facts` found in it.
    """

    name: str
    identity: str
    labels: dict[str, str]
    layers: list[str]
    found: dict[str, Any]


def image_facts(environ: Mapping[str, str], image: str) -> ImageFacts:
    """Return what is known of an image that the engine holds; nothing is fetched.

    Raises:
        NoEngine: there is no client, or no engine answers it.
        NoSuchImage: the engine does not hold the image.
        NotReproBase: it is not conference/repro-base nor built on it, or can't be read.
    """
    try:
        client = container_engine.find_client(environ)
    except container_engine.EngineError as problem:
        raise NoEngine(str(problem)) from problem
    about = _inspect(client, environ, image)
    config = about.get("Config") or {}
    labels = config.get("Labels") or {}
    if LOCK_LABEL not in labels:
        raise NotReproBase(f"{image} has no label {LOCK_LABEL}; {ALLOWED}")
    variables = dict(each.partition("=")[::2] for each in config.get("Env") or [])
    identity = about["Id"]
    found = _read(client, environ, image, identity, variables.get(settings.LOCK_FILE, ""))
    return ImageFacts(image, identity, labels, about["RootFS"]["Layers"], found)


def _inspect(client: str, environ: Mapping[str, str], image: str) -> dict[str, Any]:
    asked = _run([client, "image", "inspect", "--", image], environ)
    if asked.returncode == 0:
        (about,) = json.loads(asked.stdout)
        assert isinstance(about, dict)
        return about
    # Both have the same exit status, and each engine words of its own.
    answered = _run([client, "version"], environ)
    if answered.returncode != 0:
        raise NoEngine(
            f"{client} says: {_last_line(answered)}; start the engine, or set "
            f"{container_engine.ENGINE} to another one's client"
        )
    raise NoSuchImage(
        f"{client} says of {image}: {_last_line(asked)}; allowed: an image that the engine holds, "
        "or a file or folder that is there; pull or build the image first"
    )


def _read(
    client: str, environ: Mapping[str, str], image: str, identity: str, lock_file: str
) -> dict[str, Any]:
    probe = resources.files("seedlock.evaluation").joinpath("manifest_probe.py").read_text()
    read = _run(reading(client, identity, lock_file), environ, probe)
    try:
        found = json.loads(read.stdout)
    except ValueError:
        found = None
    if read.returncode != 0 or not isinstance(found, dict):
        raise NotReproBase(f"{image} can't be read: {_last_line(read)}; {ALLOWED}")
    return found


def reading(client: str, identity: str, lock_file: str) -> list[str]:
    """Return the command that runs a Python program from standard input over an image's files.

    Args:
        client: the engine's client.
        identity: the image's id.
        lock_file: the program's argument.
    """
    command = [client, "run", "--rm", "--interactive", "--network", "none", "--read-only"]
    # Every folder has to be read, those of others too, and nothing else is to be done.
    command += ["--user", "0", "--cap-drop", "ALL", "--cap-add", "DAC_OVERRIDE"]
    command += ["--security-opt", "no-new-privileges", "--entrypoint", INTERPRETER]
    # Not one line of the image's Python code but the standard library runs: -I -S.
    return [*command, identity, "-I", "-S", "-B", "-", lock_file]


def _run(
    command: list[str], environ: Mapping[str, str], stdin: str = ""
) -> subprocess.CompletedProcess[str]:
    try:
        return subprocess.run(
            command, input=stdin, capture_output=True, text=True, env=environ, check=False
        )
    except OSError as problem:
        raise NoEngine(f"{command[0]}: {problem.strerror}; install an engine's client") from problem


def _last_line(finished: subprocess.CompletedProcess[str]) -> str:
    lines = finished.stderr.strip().splitlines()
    return lines[-1] if lines else f"exit status {finished.returncode}"
