"""A round that its authors trained: two submissions, two seeds, four records, all real."""

from __future__ import annotations

import json
import shutil
import sys
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

from seedlock.evaluation.recording import source
from seedlock.evaluation.rounds import steps
from seedlock.evaluation.rounds.ceremony import Round
from seedlock.evaluation.rounds.formats import DRAW
from seedlock.evaluation.spot_checks import keys, signature
from seedlock.evaluation.spot_checks.round_terms import terms
from seedlock.evaluation.spot_checks.terms import Terms
from tests.interpreter import Done, run

SUBMISSION = """\
name = "{name}"
command = ["python", "train.py"]
visibility = "private"
signing_key = "{key}"
[image]
name = "conference/repro-base"
[metrics.loss]
direction = "min"
"""

PROGRAM = """\
import os, numpy, seedlock
weights = numpy.zeros(64)
for step in range(3):
    weights = weights / 2 + numpy.random.rand(64) * {factor}
    seedlock.log_metric("loss", float(weights.mean()), step)
numpy.save(os.environ["REPRO_OUTPUT"] + "/weights.npy", weights)
"""

POLICY = """\
name = "authors-2023"
seeds = 2
deadline = 2023-08-23T15:00:00Z
level = "{level}"
train = "authors"
spot_checks = 0.25
{beacon}
[metrics.loss]
direction = "min"
"""

QUICKNET_1000 = (
    "b44679b9a59af2ec876b1a6b1ad52ea9b1615fc3982b19576350f93447cb1125"
    "e342b73a8dd2bacbe47e4b6b63ed5e39"
)
"""Signature of round 1000 of quicknet, which came on 2023-08-23 at 15:59:24 UTC."""

NAMES = ("mine", "yours")


def seedlock(*words: str | Path, cwd: Path | None = None, **variables: str) -> Done:
    """Call a command."""
    path = f"{Path(sys.executable).parent}:/usr/bin:/bin"
    command = [sys.executable, "-m", "seedlock", *map(str, words)]
    return run(command, cwd=cwd, check=False, PATH=path, **variables)


BEFORE = (
    "format", "version", "seedlock", "submission", "command", "seed", "scheme", "level",
    "settings", "image", "source", "environment", "limits", "artifacts",
)  # fmt: skip
"""Keys of a record whose run goes on, beside `status` and `usage`."""


def unfinished(content: dict[str, Any]) -> None:
    """Make a record what it was while its run went on."""
    kept = {key: content[key] for key in BEFORE}
    kept["usage"] = {"started": content["usage"]["started"]}
    content.clear()
    content.update(kept, status="running")


def at(text: str) -> datetime:
    """A moment on the day of the round."""
    return datetime.fromisoformat(f"2023-08-23T{text}").replace(tzinfo=timezone.utc)


@dataclass
class World:
    """A folder with the round, the submissions, the keys and the records."""

    folder: Path
    names: tuple[str, ...] = NAMES

    @property
    def round(self) -> Path:
        """The round's folder."""
        return self.folder / "round"

    @property
    def this(self) -> Round:
        """The round."""
        return Round(self.round)

    @property
    def submissions(self) -> list[Path]:
        """The submissions' folders."""
        return [self.folder / "submissions" / name for name in self.names]

    @property
    def records(self) -> list[Path]:
        """All records."""
        return sorted((self.folder / "records").glob("*.json"))

    def record(self, name: str, index: int) -> Path:
        """A submission's record for a seed."""
        return self.folder / "records" / f"{name}-{index}.json"

    def terms(self) -> Terms:
        """The round's terms."""
        return terms(self.this, self.submissions, None)

    def edit(self, name: str, index: int, change: Callable[[dict[str, Any]], Any]) -> None:
        """Change what a record says, without signing it."""
        path = self.record(name, index)
        content = json.loads(path.read_text())
        change(content)
        path.write_text(json.dumps(content))

    def sign(self, name: str, index: int, by: str | None = None, draw: str | None = None) -> None:
        """Sign a record with somebody's key, for some draw."""
        path = self.record(name, index)
        key = keys.load(self.folder / f"{by or name}.pem", None)
        drawn = draw or self.this.digest(DRAW)
        signature.sign(path, path.read_bytes(), drawn, self.this.policy.digest, key)

    def copy(self, to: Path) -> World:
        """All of it at another place."""
        shutil.copytree(self.folder, to, symlinks=True)
        return World(to, self.names)

    def check(self, *words: str | Path, sealed: bool = False, **variables: str) -> Done:
        """`seedlock spot-check` over all records."""
        named = [word for each in self.submissions for word in ("--submission", each)]
        named += [] if sealed else ["--unsealed"]
        return seedlock(
            "spot-check", self.round, *self.records, *named, *words, cwd=None, **variables
        )


def open_round(folder: Path, submissions: list[Path], level: str, beacon: bool = True) -> Round:
    """Open, freeze and draw a round on its day."""
    declared = '[beacon]\nnetwork = "quicknet"\nround = 1000' if beacon else 'beacon = "none"'
    policy = folder.parent / f"{folder.name}.toml"
    policy.write_text(POLICY.format(level=level, beacon=declared))
    this = steps.open_round(folder, policy, at("12:00:00"))
    frozen = [
        {"name": each.name, "digest": source.look(each).digest, "visibility": "private"}
        for each in submissions
    ]
    steps.freeze_round(this, frozen, at("15:10:00"))
    steps.draw_round(this, QUICKNET_1000 if beacon else None, at("16:10:00"))
    return this


def make(
    folder: Path,
    level: str = "portable",
    names: tuple[str, ...] = NAMES,
    data: Path | None = None,
    **variables: str,
) -> World:
    """Make it all: keys, submissions, the round, and a run of each submission under each seed.

    Args:
        folder: where, new or empty.
        level: the round's.
        names: of the submissions.
        data: a file that all of them declare as their data.
        variables: for the commands.
    """
    world = World(folder, names)
    folder.mkdir(exist_ok=True)
    for factor, (name, where) in enumerate(zip(names, world.submissions, strict=True), 1):
        where.mkdir(parents=True)
        public = keys.new(folder / f"{name}.pem", None)
        (where / "submission.toml").write_text(SUBMISSION.format(name=name, key=public))
        (where / "train.py").write_text(PROGRAM.format(factor=factor))
        if data is not None:
            add = ("data", "add", "digits", f"file://{data}", "--licence", "CC0-1.0")
            for words in (add, ("data", "fetch")):
                done = seedlock(*words, cwd=where, **variables)
                assert done.status == 0, done.err
            text = (where / "submission.toml").read_text()
            (where / "submission.toml").write_text(f'data = "data.lock"\n{text}')
            with (where / "train.py").open("a") as program:
                program.write('open(os.environ["REPRO_DATA"] + "/digits", "rb").read()\n')
    this = open_round(world.round, world.submissions, level)
    for name, where in zip(names, world.submissions, strict=True):
        for index, seed in enumerate(this.seeds()):
            file = world.record(name, index)
            options = ["--seed", str(seed), "--level", level, "--metric", "loss:min"]
            options += ["--data", "data.lock"] if data is not None else []
            command = ("--", "python", "train.py")
            done = seedlock("run", *options, "--record", file, *command, cwd=where, **variables)
            assert done.status == 0, done.err
            world.sign(name, index)
    return world
