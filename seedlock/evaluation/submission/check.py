"""`seedlock check`: what a conference will do with a submission, small.

The way of the data: `Submission` -> a round's policy -> image and data -> three sealed runs with
their records (seed A twice, then B) -> points. A point that depends on one that failed is not
looked at.
"""

from __future__ import annotations

import os
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from seedlock import __version__
from seedlock.errors import SeedlockError
from seedlock.evaluation.divergence_text import plain
from seedlock.evaluation.plan import WORKPLACE, Plan
from seedlock.evaluation.recording import recorded_run, source
from seedlock.evaluation.recording.record import DONE, INTERRUPTED
from seedlock.evaluation.replaying.likeness import compare
from seedlock.evaluation.submission import handed_files, images, of_round
from seedlock.evaluation.submission.points import (
    FAILED,
    PASSED,
    SKIPPED,
    Point,
    failed,
    passed,
    skipped,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from pathlib import Path

    from seedlock.evaluation.container_engine import Image
    from seedlock.evaluation.rounds.policy import Policy
    from seedlock.evaluation.runs import Run
    from seedlock.evaluation.sealing.limits import Limits
    from seedlock.evaluation.submission.submission_file import Submission

SCHEMA = 1
"""Version of the result's schema."""

READY, NOT_READY = "READY", "NOT READY"
NO_FAULT = "NO FAULT FOUND, but its image was not looked at"

RUNS = ("A-1", "A-2", "B-1")

STEPS = 1 + len(RUNS)
"""The image, and each run."""

CURES = {
    "author-failure": "mend the program; its output is in the run's folder",
    "metrics": "log each declared metric once (seedlock.log_metric), as a finite number",
    "not-locked": "start every Python process with seedlock; run seedlock verify",
    "changed": "write to $REPRO_OUTPUT only, and declare what is read in data.lock",
    "limit": "make the program smaller, or ask for more in [limits]",
    "infrastructure": "look at the machine, and check again",
}
"""What to do about each class of an end."""


@dataclass
class Check:
    """A submission under examination.

    Attributes:
        submission: what was handed in.
        folder: absolute path for the runs, new or empty.
        seeds: A and B.
        accept: promises of the seal that the runs can do without.
        tell: called with a line when a step begins; there are `STEPS` of them.
        show: called with the run under way from time to time.
        here: whether the runs are in this environment, without the submission's image.
        sealed: whether they are sealed; False only with `here`.
        policy: of the round that it is meant for, or None; the runs have its level and limits.
        points: what was found so far.
    """

    submission: Submission
    folder: Path
    seeds: tuple[int, int]
    accept: frozenset[str]
    tell: Callable[[str], None]
    show: Callable[[Sequence[Run]], None] = lambda _: None
    here: bool = False
    sealed: bool = True
    policy: Policy | None = None
    points: list[Point] = field(default_factory=list)
    _records: dict[str, dict[str, Any]] = field(default_factory=dict)

    def result(self, environ: Mapping[str, str]) -> dict[str, Any]:
        """Examine the submission; return the result, JSON-ready.

        Raises:
            BadSetting: a setting of this environment is not allowed.
            BadSubmission: a limit is not allowed.
            BadDataLock: with a policy, data.lock can't be read.
            KeyboardInterrupt: Ctrl-C or TERM; nothing that was started goes on.
        """
        limits = of_round.limits(self.submission, self.policy)
        self.folder.mkdir(parents=True, exist_ok=True)
        self._look_at_files()
        if self.policy is not None:
            self.points.append(of_round.point(self.policy, self.submission))
            if self.points[-1].status == FAILED:
                # What mends it makes another submission, which has to be run anew.
                points = ("image", "runs", "repeatable")
                self.points += [skipped(name, "the round would not take it") for name in points]
                return self._described()
        image = None if self.here else self._image(environ)
        if self.here:
            os.chdir(self.submission.folder)  # a program finds its files by relative names
            self.points.append(skipped("image", "the runs are in this environment, not in it"))
        if image is None and not self.here:
            self.points += [skipped(name, "there is no image") for name in ("runs", "repeatable")]
        elif self._run_all(image, limits, environ):
            self._compare()
        return self._described()

    def _look_at_files(self) -> None:
        """Say what is handed in: a folder of results is no fault, and seldom meant."""
        folder = self.submission.folder
        names = source.look(folder, (self.folder,)).files
        said, details, cure = handed_files.told(
            {name: (folder / name).stat().st_size for name in names}
        )
        self.points.append(Point("handed in", PASSED, said, cure, details))

    def _image(self, environ: Mapping[str, str]) -> Image | None:
        self.tell("building the image" if self.submission.dockerfile else "looking for the image")
        try:
            image = images.image_of(self.submission, environ, self.folder / "build.txt")
        except images.ImageProblem as problem:
            cure = (
                "mend the Dockerfile, or start the engine; build.txt has all that it printed; "
                "--engine process looks at the rest without an image"
            )
            self.points.append(failed("image", str(problem), cure, problem.printed))
            return None
        lock = images.base_lock(image)
        if lock is None:
            said = f"{image.name} is not built on the conference's base image"
            cure = "begin the Dockerfile with FROM conference/repro-base"
            self.points.append(failed("image", said, cure))
            return None
        another = "" if self.policy is None else images.another_base(image, self.policy.image)
        if another:
            self.points.append(failed("image", another, "build it on the round's image"))
            return None
        self.points.append(passed("image", f"{image.name}, on the base with lock {lock[:12]}"))
        return image

    def _run_all(self, image: Image | None, limits: Limits, environ: Mapping[str, str]) -> bool:
        for name, seed in zip(RUNS, (self.seeds[0], *self.seeds), strict=True):
            self.tell(f"run {name} under seed {seed}")
            try:
                self._records[name] = self._record(name, seed, image, limits, environ)
            except SeedlockError as problem:
                # Data that is not there, a promise that can't be kept: said in one line.
                self.points.append(failed("runs", str(problem), "see the page that the line names"))
                return False
            outcome = self._records[name]["outcome"]
            if outcome["class"] == INTERRUPTED:
                raise KeyboardInterrupt  # the run and its container have ended
            if outcome["class"] != DONE:
                self._ended_badly(name, outcome)
                return False
        took = max(record["usage"]["wall_s"] for record in self._records.values())
        kind = "sealed" if self.sealed else "unsealed"
        self.points.append(passed("runs", f"{len(RUNS)} {kind} runs, the longest {took:.1f} s"))
        self._sound(self._records[RUNS[0]])
        return True

    def _record(
        self, name: str, seed: int, image: Image | None, limits: Limits, environ: Mapping[str, str]
    ) -> dict[str, Any]:
        submission = self.submission
        plan = Plan(
            list(submission.command), self.folder / name, (seed, seed), 1, container=image,
            timeout=None if self.sealed else limits.seconds,
            level=None if self.policy is None else self.policy.level,
        )  # fmt: skip
        request = recorded_run.Request(
            plan, self.folder / f"{name}.json", submission.folder, submission.data,
            list(submission.metrics), self._identity(), True, (self.folder,),
            limits=limits if self.sealed else None, accept=self.accept,
        )  # fmt: skip
        return recorded_run.carry_out(request, environ, self.show)

    def _identity(self) -> dict[str, Any]:
        of = self.submission
        digest = source.look(of.folder, (self.folder,)).digest
        return {"name": of.name, "digest": digest, "visibility": of.visibility}

    def _ended_badly(self, name: str, outcome: dict[str, Any]) -> None:
        said = f"{name} ended as {outcome['class']}"
        printed = (self.folder / name / WORKPLACE / "stderr.txt").read_text(errors="replace")
        details = [*outcome["reasons"], *outcome["notes"], *printed.strip().splitlines()[-10:]]
        self.points.append(failed("runs", said, CURES[outcome["class"]], details))
        self.points.append(skipped("repeatable", "a run failed"))

    def _sound(self, record: dict[str, Any]) -> None:
        final = record["metrics"]["final"]
        values = ", ".join(f"{each.name} {final[each.name]}" for each in self.submission.metrics)
        self.points.append(passed("metrics", values))
        self.points.append(_data(record))
        if not self.sealed:
            self.points.append(skipped("sealed", "the runs had all rights of this user"))
            return
        held = [name for name, each in record["guarantees"].items() if each["held"]]
        self.points.append(passed("sealed", f"{len(held)} of {len(record['guarantees'])} promises"))

    def _compare(self) -> None:
        first, again, other = (self._records[name] for name in RUNS)
        folders = [self.folder / name / WORKPLACE for name in RUNS]
        found = compare(first, again, folders[0], folders[1], {})
        if found.empty:
            cure = "log a metric, or write the result into $REPRO_OUTPUT"
            self.points.append(failed("repeatable", "there is nothing to compare", cure))
        elif found.identical:
            results = f", {found.results} results" if found.results else ""
            said = f"{found.files} files{results} and all metrics equal"
            self.points.append(passed("repeatable", f"two runs under seed {self.seeds[0]}: {said}"))
        else:
            self.points.append(failed("repeatable", *_differing(found)))
        if _deaf(first, other, folders[0], folders[2]):
            said = f"seeds {self.seeds[0]} and {self.seeds[1]} give the same bits"
            cure = "seedlock verify names the constant seed that decides instead"
            self.points.append(failed("hears the seed", said, cure))
        elif not found.identical:  # what differs at every run differs under another seed, too
            self.points.append(skipped("hears the seed", "two runs under one seed differ"))
        else:
            said = f"seeds {self.seeds[0]} and {self.seeds[1]} give different results"
            self.points.append(passed("hears the seed", said))

    def _described(self) -> dict[str, Any]:
        good = all(each.status != FAILED for each in self.points)
        verdict = NOT_READY if not good else NO_FAULT if self.here else READY
        return {
            "schema": SCHEMA,
            "seedlock": __version__,
            "submission": self._identity(),
            "ready": verdict == READY,
            "verdict": verdict,
            "exit_status": 0 if good else 1,
            "seeds": list(self.seeds),
            "policy": self.policy and {"round": self.policy.name, "digest": self.policy.digest},
            "points": [each.as_dict() for each in self.points],
            "runs": [_took(name, record) for name, record in self._records.items()],
            "folder": os.path.relpath(self.folder, self.submission.folder),
        }


def _deaf(first: Mapping[str, Any], other: Mapping[str, Any], before: Path, after: Path) -> bool:
    """Tell whether nothing differs that counts, as a time in a file does not, under two seeds."""
    if first["trace"] != other["trace"]:
        return False
    same = all(first[key] == other[key] for key in ("outputs", "metrics"))
    return same or compare(first, other, before, after, {}).identical


def _took(name: str, record: Mapping[str, Any]) -> dict[str, Any]:
    usage = record["usage"]
    return {
        "name": name,
        "seed": record["seed"],
        "class": record["outcome"]["class"],
        "wall_s": usage["wall_s"],
        "processors_s": round(usage["user_s"] + usage["system_s"], 3),
        "peak_memory_bytes": usage["peak_memory_bytes"],
    }


def _data(record: Mapping[str, Any]) -> Point:
    """Say which data was read; what a sealed run would not have is no pass."""
    sets = ", ".join(each["name"] for each in record["data"]) or "none declared"
    reads = record["reads"]
    number = len(reads["files"]) + reads["more"]
    if number:
        said = f"{sets}; {number} files were read that are no part of it, as {reads['files'][0]}"
        cure = "declare them (seedlock data add), or put them beside the program: the conference's"
        return Point("data", SKIPPED, said, f"{cure} sealed runs have no others", reads["files"])
    seen = "" if reads["complete"] else f", as far as it was seen: {reads['by']}"
    return passed("data", f"{sets}; nothing else was read or changed{seen}")


def _differing(found: Any) -> tuple[str, str, list[str]]:
    names = [each.file for each in found.counting]
    names += [each["name"] for each in found.metrics if not each["equal"]]
    said = f"two runs under one seed differ: {', '.join(dict.fromkeys(names)) or 'their traces'}"
    details = []
    if found.divergence is not None:
        parting = found.divergence.as_dict()
        details.append(plain(f"first at step {parting['step']}, {parting['op']}, {parting['at']}"))
    return said, "seedlock verify finds the line and says what to change", details
