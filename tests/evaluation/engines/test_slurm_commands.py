"""What is said to Slurm; tests/services/ has a real one that listens."""

from __future__ import annotations

from pathlib import Path

from seedlock.evaluation.engines import slurm_commands as commands
from seedlock.evaluation.sealing.limits import Limits
from tests.evaluation.evaluating.made_round import SEEDLOCK
from tests.interpreter import run


def test_needs() -> None:
    """Fractions are rounded up, and the supervisor has room beside the run."""
    limits = Limits(2**30 + 1, 1.5, 64, 3601.0, 2**20).as_dict()

    assert commands.needs(limits) == commands.Needs(1025 + 512, 2, 61 + 10)


def test_an_array() -> None:
    """The site's options come first, so that none of ours is lost; no more run than there are."""
    words = commands.array("token", 3, 8, commands.Needs(1, 2, 3), ["--partition=gpu"])

    assert words[0] == "--partition=gpu"
    assert "--array=0-2%3" in words and "--requeue" in words and "--job-name=token" in words


def test_the_environment_of_jobs() -> None:
    """It has no setting, seed or passphrase, and nothing of a job that evaluate itself runs in."""
    given = {
        "PATH": "/bin", "SLURM_CONF": "/etc/slurm.conf", "REPRO_LOCK_FILE": "/lock",
        "REPRO_SEED": "7", "REPRO_PASSPHRASE_FILE": "/secret", "SLURM_JOB_ID": "3",
        "_SEEDLOCK_PLACE": "0",
    }  # fmt: skip

    assert set(commands.environment(given)) == {"PATH", "SLURM_CONF", "REPRO_LOCK_FILE"}


def test_the_script() -> None:
    """It names a folder, whatever is in the name, and nothing else that is ours."""
    text = commands.script(Path("/shared/it's a round/.slurm/token"), ["python3"])

    expected = "exec python3 -m seedlock unit '/shared/it'\"'\"'s a round/.slurm/token'\n"
    assert text == "#!/bin/sh\n" + expected


def test_bad_options(tmp_path: Path) -> None:
    """What is not allowed with Slurm, or without it, is said before anything is looked at."""
    for words in (
        ["--throttle", "2"],
        ["--engine", "slurm", "--throttle", "0"],
        ["--engine", "slurm", "--sbatch", "gpu"],
        ["--engine", "slurm", "--gpus", "0"],
    ):
        done = run([SEEDLOCK, "evaluate", str(tmp_path), str(tmp_path), *words], check=False)

        assert done.status == 2
        assert words[-2] in done.err and "allowed" in done.err
