"""`seedlock apptainer`: the form of what it prints. Debian 12 has no Apptainer to run it."""

from __future__ import annotations

import subprocess
from pathlib import Path

from tests.evaluation.evaluating.made_round import GOOD, SEEDLOCK, MadeRound, make
from tests.interpreter import Done, run


def printed(made: MadeRound, folder: Path, *options: str, check: bool = True) -> Done:
    """Return what the command says of the round's only submission."""
    return run(
        [
            SEEDLOCK, "apptainer", str(folder / "image.sif"), str(made.folder),
            *map(str, made.submissions.values()), "--seeds", str(folder / "se'eds"),
            "--results", str(folder / "results"), *options,
        ],
        check=check,
    )  # fmt: skip


def test_the_job(tmp_path: Path) -> None:
    """One index per seed, sealed, with what the limits say; the seed comes from a file, and no
    shell takes a name for more than a name."""
    made = make(tmp_path, {"mine": GOOD}, seeds=3)
    done = printed(
        made, tmp_path, "--nv", "--data", f"digits={tmp_path}/digits", "--sbatch=--gres=gpu:1"
    )
    lines = done.out.splitlines()
    # What Slurm's shell would start, with echo in its place.
    shown = subprocess.run(
        ["sh", "-eu", "-c", done.out.replace("exec apptainer", "exec printf '%s\\n'")],
        env={"SLURM_ARRAY_TASK_ID": "2", "PATH": "/usr/bin:/bin"},
        capture_output=True, text=True, check=True,
    )  # fmt: skip
    words = shown.stdout.splitlines()
    source = made.submissions["mine"]

    assert lines[0] == "#!/bin/sh"
    assert [line.partition(" ")[2] for line in lines if line.startswith("#SBATCH")] == [
        "--gres=gpu:1", "--array=0-2", "--no-requeue", "--nodes=1", "--ntasks=1",
        "--cpus-per-task=1", "--mem=1536M", "--time=12",
    ]  # fmt: skip
    assert words == [
        "run", "--containall", "--cleanenv", "--no-home", "--no-privs", "--net", "--network",
        "none", "--nv",
        "--bind", f"{source}:/submission:ro",
        "--bind", f"{tmp_path}/digits:/data/digits:ro",
        "--bind", f"{tmp_path}/results/2/output:/output",
        "--bind", f"{tmp_path}/results/2/reports:/reports",
        "--env", "REPRO_OUTPUT=/output", "--env", "REPRO_REPORT=/reports",
        "--env", "REPRO_LEVEL=strict",
        "--env-file", f"{tmp_path}/se'eds/2.env", "--pwd", "/submission",
        f"{tmp_path}/image.sif", "python", "train.py",
    ]  # fmt: skip
    assert not [seed for seed in made.seeds() if str(seed) in done.out]
    assert (tmp_path / "results" / "2" / "output").is_dir()


def test_what_apptainer_can_not_bind(tmp_path: Path) -> None:
    """A path that its option would take apart is refused before anything is printed."""
    made = make(tmp_path, {"mine": GOOD}, seeds=1)
    done = printed(made, tmp_path, "--data", f"digits={tmp_path}/a,b", check=False)

    assert done.status == 78
    assert done.out == ""
    assert "[docs/messages.md#bad-bind]" in done.err
