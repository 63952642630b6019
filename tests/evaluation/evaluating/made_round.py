"""A small round, made by its own steps, for the tests of what trains submissions."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from seedlock.evaluation import process_groups
from seedlock.evaluation.ledger.ledger import Ledger
from seedlock.evaluation.recording import source
from seedlock.evaluation.recording.record import load
from seedlock.evaluation.rounds import steps
from seedlock.evaluation.rounds.canonical import now
from seedlock.evaluation.rounds.ceremony import Round
from seedlock.evaluation.submission import submission_file
from tests.interpreter import Done, environment, run

SEEDLOCK = str(Path(sys.executable).parent / "seedlock")

PATH = f"{Path(sys.executable).parent}:{os.environ['PATH']}"
"""On which `python` is the one of these tests."""

POLICY = """
name = "sample"
seeds = {seeds}
deadline = 2099-01-01T00:00:00Z
retries = {retries}
beacon = "none"
[metrics.loss]
direction = "min"
[limits]
processors = "1"
memory = "1g"
time = "2m"
disk = "100m"
"""

SUBMISSION = """
name = "{name}"
command = ["python", "train.py"]
visibility = "private"
[image]
name = "{image}"
[metrics.loss]
direction = "min"
"""

GOOD = """
import os, numpy, seedlock
weights = numpy.random.rand(10)
seedlock.log_metric("loss", float(weights.mean()))
numpy.save(os.environ["REPRO_OUTPUT"] + "/weights.npy", weights)
"""

ANOTHER = """
import random, seedlock
seedlock.log_metric("loss", random.random())
"""

SEALED = ("--engine", "process", "--accept", "memory", "--accept", "processors")
"""bubblewrap does not keep these two promises."""

UNSEALED = ("--engine", "process", "--unsealed")


@dataclass
class MadeRound:
    """A round that was drawn, with its submissions.

    Attributes:
        folder: the round's.
        submissions: folders by names.
        variables: for the command.
    """

    folder: Path
    submissions: dict[str, Path]
    variables: dict[str, str]

    def words(self, *options: str) -> list[str]:
        """Return the command that evaluates it."""
        folders = [str(each) for each in self.submissions.values()]
        return [SEEDLOCK, "evaluate", str(self.folder), *folders, *options]

    def evaluate(self, *options: str, check: bool = True) -> Done:
        """Evaluate it."""
        return run(self.words(*options), stdin=None, cwd=None, check=check, **self.variables)

    def begin(self, *options: str) -> subprocess.Popen[str]:
        """Begin to evaluate it; its lines come through `stderr`."""
        return subprocess.Popen(
            self.words(*options), env=environment(**self.variables), stdout=subprocess.PIPE,
            stderr=subprocess.PIPE, text=True,
        )  # fmt: skip

    def seeds(self) -> list[int]:
        """Return the hidden seeds."""
        return Round(self.folder).seeds()

    def events(self, kind: str) -> list[dict[str, Any]]:
        """Return the ledger's events of a kind, with the submission's name."""
        with Ledger.open(self.folder, create=False) as ledger:
            found = list(ledger.events())
        names = {
            each["submission"]: each["content"]["name"] for each in found if each["kind"] == "added"
        }
        return [
            {**each, "name": names.get(each["submission"])}
            for each in found
            if each["kind"] == kind
        ]

    def ends(self) -> dict[str, list[tuple[int, int, str]]]:
        """Return seed index, attempt and state of each end, by submission, sorted."""
        found: dict[str, list[tuple[int, int, str]]] = {name: [] for name in self.submissions}
        for each in self.events("ended"):
            state = each["content"]["state"]
            found[each["name"]].append((each["seed_index"], each["attempt"], state))
        return {name: sorted(ends) for name, ends in found.items()}

    def record(self, name: str, seed_index: int, attempt: int = 1) -> dict[str, Any]:
        """Return an attempt's record."""
        return load(self.folder / "runs" / name / f"{seed_index}-{attempt}.json")

    def left(self) -> list[int]:
        """Return processes of runs that have not ended."""
        return process_groups.marked(str(self.folder / "runs"))

    def verify(self) -> None:
        """Make sure that the ledger is whole, and that each end that names a record has it."""
        done = run([SEEDLOCK, "ledger", "verify", str(self.folder)], check=False)
        assert done.status == 0, done.out + done.err
        for each in self.events("ended"):
            content = each["content"]
            if content["record"] is not None:
                path = self.folder / content["record"]
                digest = subprocess.run(["sha256sum", path], capture_output=True, check=True).stdout
                assert digest.decode().split()[0] == content["record_sha256"]
                assert json.loads(path.read_text())["outcome"]["class"] == content["class"]


def make(
    folder: Path,
    programs: dict[str, str],
    seeds: int = 2,
    retries: int = 2,
    more: str = "",
    image: str = "conference/repro-base",
    visibility: str = "private",
    **variables: str,
) -> MadeRound:
    """Make a round and its submissions.

    Args:
        folder: there; gets `round` and `handed-in`.
        programs: Python code by the submissions' names.
        seeds: how many.
        retries: how many.
        more: lines for the end of each submission.toml.
        image: of the submissions.
        visibility: of the submissions.
        variables: for the command.
    """
    handed_in = {}
    entries = []
    for name, program in programs.items():
        place = folder / "handed-in" / name
        place.mkdir(parents=True)
        text = SUBMISSION.replace("private", visibility).format(name=name, image=image)
        (place / "submission.toml").write_text(text + more)
        (place / "train.py").write_text(program)
        handed_in[name] = place
        of = submission_file.read(place)
        digest = source.look(place).digest
        entries.append({"name": name, "digest": digest, "visibility": of.visibility})
    for path in (folder, *folder.rglob("*")):
        os.chmod(path, 0o755 if path.is_dir() else 0o644)  # an image's user reads it
    policy = folder / "policy.toml"
    policy.write_text(POLICY.format(seeds=seeds, retries=retries))
    this = steps.open_round(folder / "round", policy, now())
    steps.freeze_round(this, entries, now(), early=True)
    steps.draw_round(this, None, now())
    return MadeRound(folder / "round", handed_in, {"PATH": PATH, **variables})
