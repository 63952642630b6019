"""The command line that trains a submission in an Apptainer image, for sites without Docker.

Options are those of apptainer-run(1). No machine of this project has run them: Apptainer is not in
Debian 12.
"""

from __future__ import annotations

import shlex
from dataclasses import dataclass
from typing import TYPE_CHECKING

from seedlock import settings
from seedlock.errors import BadSetting
from seedlock.evaluation.engines.slurm_commands import Needs, needs
from seedlock.evaluation.runs import OUTPUT_VARIABLE
from seedlock.evaluation.sealing.sealed import DATA, OUTPUT, REPORTS, SOURCE

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

INDEX = '"$SLURM_ARRAY_TASK_ID"'

SEALED = ("--containall", "--cleanenv", "--no-home", "--no-privs", "--net", "--network", "none")
"""Neither files, variables, processes, privileges nor a network of the node. Without root,
`--network none` is the one network that each user may have."""


@dataclass(frozen=True)
class Job:
    """What a site is to run.

    Attributes:
        image: the image's file, absolute.
        source: the submission's folder, absolute.
        command: the submission's; `{output}` in it becomes the run's output folder.
        data: absolute paths of data sets by their names.
        results: folder that gets one folder per index, absolute.
        seeds: folder with `INDEX.env`, mode 0600, each with one line `REPRO_SEED=...`; absolute.
        level: REPRO_LEVEL.
        limits: as `Limits.as_dict` has them.
        indices: how many seeds.
        nvidia: whether the runs need a GPU of NVIDIA.
        options: the site's own for sbatch.
    """

    image: Path
    source: Path
    command: Sequence[str]
    data: Mapping[str, Path]
    results: Path
    seeds: Path
    level: str
    limits: Mapping[str, float]
    indices: int
    nvidia: bool = False
    options: Sequence[str] = ()


def run(job: Job) -> str:
    """Return the command of one index, for a shell in which Slurm has set the index.

    The seed is on no command line: Apptainer reads it from a file.

    Raises:
        BadSetting: Apptainer can't bind a path, for it has a comma or a colon.
    """
    results = f"{_quoted(job.results)}/{INDEX}"
    readable = {job.source: SOURCE, **{path: f"{DATA}/{name}" for name, path in job.data.items()}}
    variables = {OUTPUT_VARIABLE: OUTPUT, settings.REPORT: REPORTS, settings.LEVEL: job.level}
    lines = [f"apptainer run {' '.join(SEALED)}{' --nv' if job.nvidia else ''}"]
    lines += [f"--bind {_quoted(path)}:{shlex.quote(there)}:ro" for path, there in readable.items()]
    lines += [f"--bind {results}/output:{OUTPUT}", f"--bind {results}/reports:{REPORTS}"]
    lines += [f"--env {name}={shlex.quote(value)}" for name, value in variables.items()]
    lines += [f"--env-file {_quoted(job.seeds)}/{INDEX}.env", f"--pwd {SOURCE}"]
    command = [word.replace("{output}", OUTPUT) for word in job.command]
    lines.append(f"{shlex.quote(str(job.image))} {shlex.join(command)}")
    return " \\\n    ".join(lines)


def script(job: Job) -> str:
    """Return the text of a job for sbatch, one index per seed.

    Raises:
        BadSetting: as `run`.
    """
    of: Needs = needs(job.limits)
    options = [
        *job.options, f"--array=0-{job.indices - 1}", "--no-requeue", "--nodes=1", "--ntasks=1",
        f"--cpus-per-task={of.processors}", f"--mem={of.memory}M", f"--time={of.minutes}",
    ]  # fmt: skip
    folders = f"{_quoted(job.results)}/{INDEX}"
    return "\n".join(
        [
            "#!/bin/sh",
            *(f"#SBATCH {option}" for option in options),
            "set -eu",
            "umask 077",
            f"mkdir -p {folders}/output {folders}/reports",
            f"exec {run(job)}",
            "",
        ]
    )


def _quoted(path: Path) -> str:
    text = str(path)
    if any(each in text for each in ",:\n"):
        allowed = "a path without commas, colons and line ends"
        raise BadSetting("--bind", text, allowed, "Apptainer takes no other; move it", "bad-bind")
    return shlex.quote(text)
