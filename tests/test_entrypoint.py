"""entrypoint.sh: the shell's derivation, exit statuses and exec."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import Any

import pytest

from seedlock.hash_seed import hash_seed_variables
from seedlock.settings import Settings
from tests.conftest import PACKAGE
from tests.interpreter import python, run

ENTRYPOINT = str(PACKAGE / "entrypoint" / "entrypoint.sh")
PRINT = ["sh", "-c", 'echo "$PYTHONHASHSEED|$_SEEDLOCK_HASH_SEED"']


@pytest.mark.parametrize("streams", ["derived", "same"])
@pytest.mark.parametrize(
    "seed", ["0", "1", "7", "10", "99999", "2147483648", "4294967295", "18446744073709551615"]
)
def test_shell_and_python_derive_the_same_hash_seed(seed: str, streams: str) -> None:
    """PYTHONHASHSEED and the note from the entrypoint are the ones that Python derives."""
    variables: dict[str, Any] = {"REPRO_SEED": seed, "REPRO_STREAMS": streams}
    if streams == "same" and int(seed) > 4294967295:
        variables["REPRO_STREAMS"] = "derived"
    expected = hash_seed_variables(Settings(variables))

    done = run([ENTRYPOINT, *PRINT], **variables)

    assert done.out == "|".join(expected.values()) + "\n"


def test_no_interpreter_is_started_again_behind_the_entrypoint(tmp_path: Path) -> None:
    """What the entrypoint sets is right from the first interpreter on."""
    code = "import seedlock; print(seedlock.report()['process']['restarted_for_hash_seed'])"

    behind = run([ENTRYPOINT, sys.executable, "-c", code], cwd=tmp_path, REPRO_SEED="7")
    bypassed = python("-c", code, cwd=tmp_path, REPRO_SEED="7")

    assert (behind.out, bypassed.out) == ("False\n", "True\n")


def test_unset_means_untouched() -> None:
    """Without REPRO_SEED the command gets the environment as it was."""
    without = run(["env"])
    behind = run([ENTRYPOINT, "env"])

    assert sorted(behind.lines) == sorted(without.lines)


@pytest.mark.parametrize("status", [0, 1, 42, 75])
def test_the_commands_exit_status_arrives(status: int) -> None:
    """The entrypoint becomes the command."""
    done = run([ENTRYPOINT, "sh", "-c", f"exit {status}"], check=False, REPRO_SEED="7")

    assert done.status == status


def test_arguments_arrive_unchanged() -> None:
    """Spaces, quotes and empty arguments survive the entrypoint."""
    done = run([ENTRYPOINT, "printf", "[%s]", "a b", "", "$x", "'"], REPRO_SEED="7")

    assert done.out == "[a b][][$x][']"


def test_a_report_folder_is_made(tmp_path: Path) -> None:
    """A report folder that can be made is made."""
    folder = tmp_path / "a" / "b"
    run([ENTRYPOINT, "true"], REPRO_SEED="7", REPRO_REPORT=str(folder))

    assert folder.is_dir()


def test_a_signal_ends_the_command_as_ever() -> None:
    """Whatever becomes the command keeps its process: a signal arrives and is its status."""
    done = run([ENTRYPOINT, "sh", "-c", "kill -TERM $$"], check=False, REPRO_SEED="7")

    assert done.status == -15


@pytest.mark.parametrize(("command", "status"), [("no-such-command", 127), ("/tmp", 126)])
def test_a_command_that_cannot_start_is_the_shells_matter(command: str, status: int) -> None:
    """Same status as without a seed, and one line about the command, not about a wrapper."""
    plain = run([ENTRYPOINT, command], check=False)
    seeded = run([ENTRYPOINT, command], check=False, REPRO_SEED="7")

    assert plain.status == seeded.status == status
    assert command in seeded.err
    assert len(seeded.lines) == 0 and len(seeded.err.splitlines()) == 1


def test_where_addresses_cannot_be_fixed_the_command_runs_all_the_same(tmp_path: Path) -> None:
    """A kernel that refuses, as under Docker's default profile, is no reason to stop."""
    (tmp_path / "setarch").write_text("#!/bin/sh\necho refused >&2; exit 1\n")
    (tmp_path / "setarch").chmod(0o755)
    path = f"{tmp_path}:{os.environ['PATH']}"
    done = run([ENTRYPOINT, "sh", "-c", "echo ran"], PATH=path, REPRO_SEED="7")

    assert (done.out, done.err) == ("ran\n", "")
