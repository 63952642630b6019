"""Make what pages about rounds begin with, by the commands that an organiser types: a folder of
submissions, and a round that came so far. For set-ups of pages: python sample_round.py ROUND.

Standard library only: a page's set-up calls it with the Python that has seedlock.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
from pathlib import Path

POLICY = """\
name = "{name}"
seeds = {seeds}
deadline = 2099-01-01T00:00:00Z
beacon = "none"
train = "{train}"
{level}
[metrics.{metric}]
direction = "{direction}"

[limits]
processors = "1"
memory = "1g"
time = "2m"
disk = "100m"
"""

SUBMISSION = """\
name = "{name}"
command = ["python", "train.py"]
visibility = "{visibility}"

[image]
name = "conference/repro-base"

[metrics.{metric}]
direction = "{direction}"
"""

PROGRAM = """\
import os

import numpy

import seedlock

weights = numpy.random.normal({place}, 0.1, 4)
seedlock.checkpoint("weights", weights)
seedlock.log_metric("{metric}", float(abs(weights).mean()))
numpy.save(os.path.join(os.environ["REPRO_OUTPUT"], "weights.npy"), weights)
"""

STEPS = ("written", "opened", "drawn", "evaluated", "revealed")


def main() -> None:
    """Make it; a command that fails ends the program with its status."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("round", metavar="ROUND", help="the round's folder, to be made")
    parser.add_argument("--until", choices=STEPS, default="drawn")
    parser.add_argument("--submissions", default="submissions", help="folder for them")
    parser.add_argument("--names", nargs="*", default=["mine", "yours"])
    parser.add_argument("--private", nargs="*", default=[])
    parser.add_argument("--name", default="sample-2026", help="of the round")
    parser.add_argument("--metric", default="accuracy:max")
    parser.add_argument("--seeds", default=2, type=int)
    parser.add_argument("--authors", action="store_true", help="they train")
    options = parser.parse_args()
    metric, _, direction = options.metric.partition(":")
    for place, name in enumerate(options.names):
        folder = Path(options.submissions) / name
        folder.mkdir(parents=True)
        visibility = "private" if name in options.private else "public"
        words = {"name": name, "visibility": visibility, "metric": metric, "direction": direction}
        (folder / "submission.toml").write_text(SUBMISSION.format(**words))
        (folder / "train.py").write_text(PROGRAM.format(place=0.5 + place / 5, metric=metric))
    policy = POLICY.format(
        name=options.name, seeds=options.seeds, metric=metric, direction=direction,
        train="authors" if options.authors else "organiser",
        level='level = "portable"' if options.authors else "",
    )  # fmt: skip
    Path("policy.toml").write_text(policy)
    until = STEPS.index(options.until)
    at, handed_in = options.round, [str(Path(options.submissions) / each) for each in options.names]
    if until >= STEPS.index("opened"):
        seedlock("round", "open", "--policy", "policy.toml", at)
    if until >= STEPS.index("drawn"):
        seedlock("round", "freeze", "--early", "--submissions", options.submissions, at)
        seedlock("round", "draw", at)
    if until >= STEPS.index("evaluated"):
        seedlock("evaluate", at, *handed_in, "--engine", "process", "--unsealed")
    if until >= STEPS.index("revealed"):
        seedlock("round", "reveal", at)


def seedlock(*words: str) -> None:
    """Carry a command out."""
    status = subprocess.run(
        [sys.executable, "-m", "seedlock", *words], env=os.environ, check=False
    ).returncode
    if status != 0:
        sys.exit(status)


if __name__ == "__main__":
    main()
