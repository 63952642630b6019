"""Slurm's commands: what is said to it, and what it answers (man pages of Slurm 22.05)."""

from __future__ import annotations

import math
import re
import shlex
import shutil
import subprocess
import sys
from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

from seedlock.errors import NoSlurm
from seedlock.evaluation.container_engine import EngineError
from seedlock.evaluation.engines.unit import KEPT

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

PATIENCE = 30.0
"""Seconds that one of its commands may take."""

SUPERVISOR = 512
"""MiB that the process needs which watches over a run, besides what the run may take."""

MARGIN = 10
"""Minutes beyond a run's own limit of time, for digests before and after it. The run's own limit
is seedlock's to keep; Slurm's is for a node on which nothing keeps it."""

COLUMNS = ("Name", "ArrayJobID", "ArrayTaskID", "State", "RestartCnt", "NodeList", "Reason")

UNREACHABLE = ("unable to contact", "timed out", "connection refused", "connection timed out",
               "temporarily", "communication", "try again")  # fmt: skip
"""In what its commands say when the controller is away for a while."""


REST = -1
"""In place of an index: all of an array that have no line of their own."""


OWN = ("REPRO_", "_SEEDLOCK", "SLURM_")
"""Beginnings of variables that are of this process's own run or job."""


LOOK = 0.25
"""Seconds between two looks into the folders of batches."""

ASK = 5.0
"""Seconds between two questions to Slurm, whose controller serves all of a site."""

SHOWN = 30.0
"""Seconds until what a node wrote is seen on another one: what NFS knows of a folder may be 30 s
old (nfs(5), "acdirmin")."""


RETRY = 15.0
"""Seconds until what Slurm did not answer is said again."""


@dataclass(frozen=True)
class Site:
    """What a site wants.

    Attributes:
        options: further options for sbatch, as `--partition=gpu`.
        throttle: how many units of an array run at a time; None for as many as there are.
        before: words before `-m seedlock unit`, in place of this interpreter.
        look, ask, shown, retry: seconds, as `LOOK`, `ASK`, `SHOWN` and `RETRY`.
    """

    options: tuple[str, ...] = ()
    throttle: int | None = None
    before: tuple[str, ...] = ()
    look: float = LOOK
    ask: float = ASK
    shown: float = SHOWN
    retry: float = RETRY


class Needs(NamedTuple):
    """What an index of an array gets: MiB, processors, minutes."""

    memory: int
    processors: int
    minutes: int


class Row(NamedTuple):
    """What Slurm says of an index: its job's id, its state, how often it was started again, where,
    and why."""

    job: str
    state: str
    restarts: int
    node: str
    reason: str


class Unreachable(EngineError):
    """The controller does not answer now."""


def needs(limits: Mapping[str, float]) -> Needs:
    """Return what a run with these limits needs of a node."""
    return Needs(
        math.ceil(limits["memory"] / 2**20) + SUPERVISOR,
        math.ceil(limits["processors"]),
        math.ceil(limits["seconds"] / 60) + MARGIN,
    )


def script(folder: Path, before: Sequence[str] = ()) -> str:
    """Return the text of the job's script. The unit is found by the job's index.

    Args:
        folder: of the batch.
        before: words that start the command in something, as in an Apptainer image.
    """
    words = [*(before or (sys.executable,)), "-m", "seedlock", "unit", str(folder)]
    return f"#!/bin/sh\nexec {shlex.join(words)}\n"


def array(token: str, number: int, throttle: int, of: Needs, options: Sequence[str]) -> list[str]:
    """Return the options of sbatch for an array.

    Args:
        token: the job's name.
        number: how many units.
        throttle: how many of them may run at a time.
        of: what each needs.
        options: the site's own; ours come later, and the later counts (sbatch(1)).
    """
    return [
        *options,
        "--parsable",
        f"--job-name={token}",
        f"--array=0-{number - 1}%{min(throttle, number)}",
        "--requeue",
        "--nodes=1",
        "--ntasks=1",
        f"--cpus-per-task={of.processors}",
        f"--mem={of.memory}M",
        f"--time={of.minutes}",
        "--export=ALL",
        "--output=%a.log",
        "--open-mode=append",
    ]


def environment(environ: Mapping[str, str]) -> dict[str, str]:
    """Return what of this process's environment jobs get: a job's own variables, where evaluate
    runs in one, would speak of the wrong job, and settings are the policy's."""
    return {
        name: value for name, value in environ.items()
        if name in (*KEPT, "SLURM_CONF") or not name.startswith(OWN)
    }  # fmt: skip


class Client:
    """Slurm's commands.

    Args:
        environ: this process's environment; `PATH` and `SLURM_CONF` lead to it.

    Raises:
        NoSlurm: there are none.
    """

    def __init__(self, environ: Mapping[str, str]) -> None:
        self._environ = environment(environ)
        for name in ("sbatch", "squeue", "scancel", "scontrol"):
            if shutil.which(name, path=environ.get("PATH")) is None:
                raise NoSlurm(
                    f"--engine slurm: no {name} on PATH; allowed: a login node of a cluster with "
                    "Slurm; load its module or install its client"
                )

    def largest_array(self) -> int:
        """Return how many indices an array may have (`MaxArraySize`)."""
        said = self._asked("scontrol", "show", "config")
        found = re.search(r"^MaxArraySize\s*=\s*(\d+)", said, re.MULTILINE)
        return max(1, int(found[1])) if found else 1000

    def submit(self, folder: Path, options: Sequence[str], name: str) -> str:
        """Hand a script over; return the job's id."""
        said = self._asked("sbatch", f"--chdir={folder}", *options, str(folder / name))
        job = said.strip().partition(";")[0]  # with the cluster's name behind, where there are many
        if not job.isdecimal():
            raise EngineError(f"--engine slurm: sbatch printed '{said.strip()[:200]}', no job's id")
        return job

    def rows(self, tokens: Sequence[str]) -> dict[tuple[str, int], Row]:
        """Return what Slurm knows of the arrays with these names, by name and index or `REST`."""
        shown = ",".join(f"{column}:|" for column in COLUMNS)
        said = self._asked(
            "squeue", "--array", "--states=all", "--noheader", f"--name={','.join(tokens)}",
            f"--Format={shown}",
        )  # fmt: skip
        found = {}
        for line in said.splitlines():
            name, job, index, state, restarts, node, reason = line.split("|", 6)
            # Slurm has one line for all indices that were cancelled before they began.
            number = int(index) if index.isdecimal() else REST
            found[name, number] = Row(
                f"{job}_{index}", state, int(restarts or 0), node.strip(), reason.strip("| ")
            )
        return found

    def cancel(self, *words: str) -> None:
        """End jobs. What can't be ended now, as one that has, shows in `rows`."""
        try:
            self._asked("scancel", "--quiet", *words)
        except EngineError:
            pass

    def _asked(self, *words: str) -> str:
        try:
            done = subprocess.run(
                words, env=self._environ, capture_output=True, text=True, errors="replace",
                check=False, timeout=PATIENCE, stdin=subprocess.DEVNULL,
                start_new_session=True,  # Ctrl-C is for evaluate, not for sbatch in the middle
            )  # fmt: skip
        except OSError as problem:
            raise EngineError(f"--engine slurm: {words[0]}: {problem.strerror}") from problem
        except subprocess.TimeoutExpired:
            raise Unreachable(
                f"--engine slurm: {words[0]} did not answer in {PATIENCE:g} s; is Slurm up?"
            ) from None
        if done.returncode != 0:
            raise _refused(words[0], done)
        return done.stdout


def _refused(name: str, done: subprocess.CompletedProcess[str]) -> EngineError:
    lines = [line.strip() for line in done.stderr.splitlines() if line.strip()]
    said = " / ".join(lines[-3:]) or f"exit status {done.returncode}"
    kind = Unreachable if any(each in said.lower() for each in UNREACHABLE) else EngineError
    return kind(f"--engine slurm: {name} says: {said[:600]}")
