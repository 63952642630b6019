"""The command line: seedlock env and seedlock run."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.interpreter import Done, run

SEEDLOCK = str(Path(sys.executable).parent / "seedlock")


def seedlock(*arguments: str, check: bool = True, **variables: Any) -> Done:
    """Run the installed command."""
    return run([SEEDLOCK, *arguments], check=check, **variables)


@pytest.mark.parametrize("command", [[], ["env"], ["run"], ["diff"], ["data"], ["data", "add"]])
def test_everything_has_help(command: list[str]) -> None:
    """--help tells what a command does, its options and its exit status."""
    done = seedlock(*command, "--help")

    assert done.out.startswith("usage: seedlock")
    assert "--help" in done.out


@pytest.mark.parametrize("command", [[], ["data"], ["round"]])
def test_without_a_command_the_commands_are_shown(command: list[str]) -> None:
    """On stderr, since nothing was done, with status 2."""
    done = seedlock(*command, check=False)

    assert (done.status, done.out) == (2, "")
    assert done.err == seedlock(*command, "--help").out


def test_env_prints_the_derived_values() -> None:
    """The table of a seed holds each stream with the call that sets it by hand."""
    table = seedlock("env", "--seed", "7")
    as_json = json.loads(seedlock("env", "--seed", "7", "--json").out)

    assert "torch.manual_seed(10220720869207537411)" in table.out
    assert "none drifted" in table.out
    assert as_json["streams"]["torch"]["seed"] == 10220720869207537411
    assert as_json["drift"] == []
    assert as_json["packages"]["numpy"]["installed"] == as_json["packages"]["numpy"]["locked"]


def test_env_takes_the_seed_from_the_environment() -> None:
    """Without --seed, REPRO_SEED and REPRO_STREAMS count."""
    content = json.loads(seedlock("env", "--json", REPRO_SEED="9", REPRO_STREAMS="same").out)

    assert content["seed"] == 9
    assert {each["seed"] for each in content["streams"].values()} == {9}


def test_env_names_drift(tmp_path: Path) -> None:
    """A package in another version than the lock's is named, with exit status 1."""
    lock_file = tmp_path / "lock.txt"
    lock_file.write_text("numpy==1.0.0\nnever-installed==3.0\n")

    done = seedlock("env", check=False, REPRO_LOCK_FILE=str(lock_file))

    assert done.status == 1
    assert "2 drifted: never-installed, numpy" in done.out
    assert "DRIFT" in done.out


def test_env_says_when_there_is_no_lock(tmp_path: Path) -> None:
    """An empty lock is not taken for an agreement."""
    lock_file = tmp_path / "lock.txt"
    lock_file.write_text("")

    done = seedlock("env", REPRO_LOCK_FILE=str(lock_file))

    assert "0 packages locked" in done.out


def test_run_locks_the_command(tmp_path: Path) -> None:
    """seedlock run gives what REPRO_SEED gives, without a restart, with a report."""
    code = "import random; print(random.random(), hash('a'))"
    folder = tmp_path / "reports"

    done = seedlock("run", "--seed", "7", "--report", str(folder), "--", sys.executable, "-c", code)
    outside = run([sys.executable, "-c", code], REPRO_SEED="7")

    assert done.out == outside.out
    (report,) = [json.loads(path.read_text()) for path in folder.iterdir()]
    assert report["process"]["restarted_for_hash_seed"] is False


def test_run_passes_level_and_streams() -> None:
    """Options become the variables of the command, over those of the environment."""
    done = seedlock(
        "run", "--seed", "7", "--level", "warn", "--streams", "same",
        "sh", "-c", "echo $REPRO_SEED $REPRO_LEVEL $REPRO_STREAMS $PYTHONHASHSEED",
        REPRO_LEVEL="seed",
    )  # fmt: skip

    assert done.out == "7 warn same 7\n"


@pytest.mark.parametrize(
    ("options", "told"),
    [
        (["--trace", "step"], "step none 9"),
        (["--trace", "op"], "op none 9"),
        (["--steps", "12:14"], "op 12:14 9"),
        (["--steps", "12:14", "--trace", "step"], "step 12:14 9"),
        (["--trace", "off"], "none none none"),
        ([], "step none 9"),
    ],
)
def test_run_traces_what_it_is_asked_to(options: list[str], told: str, tmp_path: Path) -> None:
    """A window of steps is one of operations; options go before the environment, all of which
    `off` takes away."""
    names = ("REPRO_TRACE", "REPRO_TRACE_STEPS", "REPRO_TRACE_VALUES")
    shown = " ".join(f"${{{name}-none}}" for name in names)

    done = seedlock(
        "run", "--seed", "7", "--report", str(tmp_path), *options, "sh", "-c", f"echo {shown}",
        REPRO_TRACE="step", REPRO_TRACE_VALUES="9",
    )  # fmt: skip

    assert done.out == f"{told}\n"


def test_a_window_of_steps_holds_their_operations(tmp_path: Path) -> None:
    """`--steps` is what REPRO_TRACE_STEPS is: the header of the trace has it."""
    done = seedlock(
        "run", "--seed", "7", "--report", str(tmp_path), "--steps", "12:14", "--",
        sys.executable, "-c", "import random; random.seed(3)",
    )  # fmt: skip
    (trace,) = tmp_path.glob("*.trace.jsonl")
    header = json.loads(trace.read_text().splitlines()[0])

    assert done.err == ""
    assert (header["mode"], header["steps"]) == ("op", [12, 14])


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (["--trace", "off", "--steps", "1:2"], "--steps is given with --trace off"),
        (["--record", "run.json", "--steps", "1:2"], "--steps is given with --record"),
    ],
)
def test_a_window_that_nothing_would_be_traced_in(
    options: list[str], said: str, tmp_path: Path
) -> None:
    """Wrong usage, status 2, nothing started."""
    done = run(
        [SEEDLOCK, "run", "--seed", "7", *options, "echo", "started"], cwd=tmp_path, check=False
    )

    assert (done.status, done.out) == (2, "")
    assert said in done.err
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("status", [0, 3, 42])
def test_run_hands_on_the_exit_status(status: int) -> None:
    """The command's status is the status of seedlock run."""
    done = seedlock("run", "--seed", "7", "sh", "-c", f"exit {status}", check=False)

    assert done.status == status


@pytest.mark.parametrize(
    ("arguments", "slug"),
    [
        (["run", "--seed", "1.5", "echo", "started"], "bad-seed"),
        (["run", "--seed", "", "echo", "started"], "bad-seed"),
        (["run", "echo", "started"], "bad-seed"),
        (["run", "--seed", "7", "--level", "tight", "echo", "started"], "bad-level"),
        (["run", "--seed", "7", "--streams", "x", "echo", "started"], "bad-streams"),
        (["run", "--seed", "7", "--report", "/dev/null/x", "echo", "started"], "report-folder"),
        (["run", "--seed", "7", "--trace", "op", "echo", "started"], "bad-trace"),
        (["run", "--seed", "7", "--report", ".", "--steps", "5", "echo", "started"], "bad-trace"),
        (["env", "--seed", "-1"], "bad-seed"),
    ],
)
def test_bad_options_are_refused(arguments: list[str], slug: str) -> None:
    """One line, status 78, nothing started."""
    done = seedlock(*arguments, check=False)

    assert (done.status, done.out, done.err.count("\n")) == (78, "", 1)
    assert done.err.endswith(f"[docs/messages.md#{slug}]\n")


@pytest.mark.parametrize(
    ("arguments", "status"),
    [([], 2), (["no-such-command-here"], 127), (["/"], 127), (["/etc/hostname"], 126)],
)
def test_a_command_that_can_not_start(arguments: list[str], status: int, tmp_path: Path) -> None:
    """The statuses are a shell's: 127 not found, 126 not executable; 2 for none given."""
    done = seedlock("run", "--seed", "7", *arguments, check=False)

    assert done.status == status
    assert done.err.startswith("seedlock run: ")


def test_a_reader_that_stops_reading_is_no_error() -> None:
    """seedlock env | head -1 ends quietly."""
    done = run(["sh", "-c", f"{SEEDLOCK} env --seed 7 | head -n 1"])

    assert done.err == ""


def test_version() -> None:
    """--version names the installed version."""
    import importlib.metadata

    assert seedlock("--version").out == f"seedlock {importlib.metadata.version('seedlock')}\n"
