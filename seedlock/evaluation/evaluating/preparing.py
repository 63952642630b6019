"""What has to be there before the first run starts: the round's lock here, images, a seal."""

from __future__ import annotations

import fcntl
import json
import os
import platform
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING

from seedlock.errors import BadRound, NoSuchImage, printable
from seedlock.evaluation import container_engine, full_disk
from seedlock.evaluation.evaluating.results import RUNS
from seedlock.evaluation.rounds.formats import REVEAL
from seedlock.evaluation.sealing.seal import seal
from seedlock.evaluation.sealing.sealed import Order
from seedlock.evaluation.submission import images
from seedlock.evaluation.writing import write_json

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from seedlock.evaluation.container_engine import Image
    from seedlock.evaluation.evaluating.entries import Entry
    from seedlock.evaluation.rounds.ceremony import Round
    from seedlock.evaluation.rounds.policy import Policy
    from seedlock.evaluation.sealing.limits import Limits

PATIENCE = 60.0
"""Seconds to wait for the workers of an evaluation that was killed: they end their runs first."""

IMAGE_FILE = "image.json"


def refuse_revealed(this: Round) -> None:
    """Refuse a round whose seeds are public: its reveal names the ledger's last event, and each
    later one would make its verification say WRONG for good.

    Raises:
        BadRound: it was revealed.
    """
    if this.has(REVEAL):
        raise BadRound(
            f"{printable(str(this.folder), 200)} was revealed; allowed: to evaluate before that, "
            "under seeds that nobody knows; seedlock status says how it stands"
        )


def take_lock(folder: Path, tell: Callable[[str], None]) -> int:
    """Make the folder for runs, readable by its owner only, and keep other evaluations of this
    round on this machine away; return the lock's file descriptor.

    Workers inherit it: as long as one of them lives, nobody else begins.

    Raises:
        BadRound: another one is going on here.
        OSError: the folder can't be made.
    """
    runs = folder / RUNS
    with full_disk.naming(runs):
        runs.mkdir(mode=0o700, exist_ok=True)
        runs.chmod(0o700)
        number = os.open(runs / f".{platform.node()}.lock", os.O_RDWR | os.O_CREAT, 0o600)
    end = time.monotonic() + PATIENCE
    told = False
    while True:
        try:
            fcntl.flock(number, fcntl.LOCK_EX | fcntl.LOCK_NB)
            return number
        except BlockingIOError:
            if time.monotonic() > end:
                os.close(number)
                raise BadRound(
                    f"{folder} is being evaluated on this machine; allowed: one evaluation of a "
                    "round per machine; wait for its end, or end it"
                ) from None
        if not told:
            told = True
            tell("waiting for another evaluation of this round here to end")
        time.sleep(0.1)


def prepare_image(entry: Entry, policy: Policy, folder: Path, environ: Mapping[str, str]) -> str:
    """Build or find a submission's image, once for all its runs; return a line about it.

    The image's id is noted beside the runs: as long as the engine holds it, each later evaluation
    takes the same one, for a Dockerfile built again may give another.

    Args:
        entry: gets its image, or why its runs all count as failed.
        policy: the round's.
        folder: the round's, absolute.
        environ: this process's environment, for the engine's client.

    Raises:
        NoSuchImage: there is none, and it could not be built.
        OSError: what was printed can't be written.
    """
    of = entry.submission
    beside = folder / RUNS / of.name
    beside.mkdir(exist_ok=True)
    image = _noted(beside / IMAGE_FILE, environ)
    how = "as before"
    if image is None:
        how = "built" if of.dockerfile is not None else "found"
        tag = f"seedlock-round/{policy.name.lower()}/{of.name.lower()}"
        log = beside / "build.txt"
        try:
            image = images.image_of(of, environ, log, tag)
        except images.ImageProblem as problem:
            last = f" ({problem.printed[-1]})" if problem.printed else ""
            raise NoSuchImage(
                f"no image for {of.name}: {problem}{last}; allowed: one that the engine holds or "
                f"can build; {log} has what it printed; mend that and say the same again, or "
                f"--reject {of.name}, and all its runs count as failed"
            ) from problem
        write_json(str(beside / IMAGE_FILE), {"id": image.digest, "name": image.name})
    entry.image = image
    entry.refused = entry.refused or images.another_base(image, policy.image)
    return f"{of.name}: image {image.digest[:19]} ({how})"


def prove_seal(
    limits: Limits, image: Image | None, accept: frozenset[str], environ: Mapping[str, str]
) -> None:
    """Make sure that runs can be sealed here, before one of them fails for it.

    Raises:
        NotSealed: a promise can't be kept that is not among `accept`.
    """
    with tempfile.TemporaryDirectory(prefix="seedlock-") as name:
        folder = Path(name)
        order = Order(["true"], {}, {}, [], limits, folder, f"seedlock-probe-{os.getpid()}")
        seal(order, environ, image, accept)


def _noted(path: Path, environ: Mapping[str, str]) -> Image | None:
    try:
        noted = json.loads(path.read_text())
        held = container_engine.look_up(environ, noted["id"])
    except (OSError, ValueError, KeyError, container_engine.EngineError):
        return None
    return container_engine.Image(held.client, noted["name"], held.digest, held.user)
