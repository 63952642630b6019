"""The image of a submission: built from its Dockerfile, or named, and on the conference's base."""

from __future__ import annotations

import os
import subprocess
from typing import TYPE_CHECKING

from seedlock.evaluation import container_engine, lifeline
from seedlock.evaluation.recording.host import lock_of_image

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from seedlock.evaluation.container_engine import Image
    from seedlock.evaluation.submission.submission_file import Submission


class ImageProblem(Exception):
    """Why there is no image to run in, with the end of what the engine printed."""

    def __init__(self, said: str, printed: str = "") -> None:
        super().__init__(said)
        self.printed = printed.strip().splitlines()[-10:]


def image_of(
    submission: Submission, environ: Mapping[str, str], log: Path, tag: str | None = None
) -> Image:
    """Return the submission's image, built if it has a Dockerfile.

    Args:
        submission: what was handed in.
        environ: this process's environment, for the engine's client.
        log: file for what the engine prints as it builds.
        tag: what a built image is called; by default a name of `seedlock check`'s.

    Raises:
        ImageProblem: there is no engine, the build failed, or the engine holds no such image.
    """
    name = submission.image
    try:
        if submission.dockerfile is not None:
            name = tag or f"seedlock-check/{submission.name.lower()}"
            _build(container_engine.find_client(environ), submission, name, log)
        assert name is not None
        return container_engine.look_up(environ, name)
    except container_engine.EngineError as problem:
        raise ImageProblem(str(problem)) from problem


def base_lock(image: Image) -> str | None:
    """Return the SHA-256 of the base image's lock, which its children inherit as a label; None for
    an image that is not built on it."""
    return lock_of_image(image)


def another_base(image: Image, of_round: Mapping[str, str | None] | None) -> str:
    """Return why an image is not built on a round's; empty where it is, or may be any.

    Args:
        image: the submission's.
        of_round: `name` and `lock` as the policy has them; None where any image will do.
    """
    if of_round is None:
        return ""
    found, wanted = base_lock(image), of_round["lock"]
    if found is None:
        return f"its image is not built on {of_round['name']}"
    if wanted is not None and found.removeprefix("sha256:") != wanted.removeprefix("sha256:"):
        return f"its image is built on a base with lock {found}; the round's policy has {wanted}"
    return ""


def _build(client: str, submission: Submission, name: str, log: Path) -> None:
    # BuildKit, which an old engine does not use by itself; without colours, for the log.
    environ = {**os.environ, "DOCKER_BUILDKIT": "1", "BUILDKIT_PROGRESS": "plain"}
    words = [client, "build", "--file", str(submission.dockerfile), "--tag", name]
    with log.open("wb") as file:
        building = subprocess.Popen(
            lifeline.words([*words, str(submission.folder)]), env=environ,
            stdin=subprocess.DEVNULL, stdout=file, stderr=file, start_new_session=True,
        )  # fmt: skip
        try:
            status = building.wait()
        except KeyboardInterrupt:
            building.terminate()
            building.wait()
            raise
    if status != 0:
        printed = log.read_text(errors="replace")
        raise ImageProblem(f"the build ended with status {status}", printed)
