"""What bad input gets: one line, exit status 78, no user code, the same through every way in."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from seedlock.trial_imports import LATER
from tests.conftest import PACKAGE
from tests.interpreter import Done, python, run

STARTED = "user code started"
CODE = f"print({STARTED!r})"
ENTRYPOINT = str(PACKAGE / "entrypoint" / "entrypoint.sh")

BAD: dict[str, tuple[dict[str, Any], str]] = {
    "empty seed": ({"REPRO_SEED": ""}, "bad-seed"),
    "negative seed": ({"REPRO_SEED": "-1"}, "bad-seed"),
    "signed seed": ({"REPRO_SEED": "+1"}, "bad-seed"),
    "word": ({"REPRO_SEED": "seven"}, "bad-seed"),
    "float": ({"REPRO_SEED": "1.5"}, "bad-seed"),
    "exponent": ({"REPRO_SEED": "1e3"}, "bad-seed"),
    "hexadecimal": ({"REPRO_SEED": "0x7"}, "bad-seed"),
    "underscore": ({"REPRO_SEED": "1_000"}, "bad-seed"),
    "first seed too large": ({"REPRO_SEED": "18446744073709551616"}, "bad-seed"),
    "much too large": ({"REPRO_SEED": "9" * 400}, "bad-seed"),
    "space before": ({"REPRO_SEED": " 7"}, "bad-seed"),
    "space behind": ({"REPRO_SEED": "7 "}, "bad-seed"),
    "line end": ({"REPRO_SEED": "7\n"}, "bad-seed"),
    "leading zero": ({"REPRO_SEED": "07"}, "bad-seed"),
    "Arabic digit": ({"REPRO_SEED": "\u0667"}, "bad-seed"),
    "superscript digit": ({"REPRO_SEED": "\u00b2"}, "bad-seed"),
    "shell text": ({"REPRO_SEED": "$(touch x)'\"`"}, "bad-seed"),
    "unknown level": ({"REPRO_SEED": "7", "REPRO_LEVEL": "tight"}, "bad-level"),
    "level of another case": ({"REPRO_SEED": "7", "REPRO_LEVEL": "Portable"}, "bad-level"),
    **{
        f"{threads!r} threads": (
            {"REPRO_SEED": "7", "REPRO_LEVEL": "portable", "REPRO_THREADS": threads},
            "bad-threads",
        )
        for threads in ("", "0", "04", "-1", "+4", "4 ", "four", "1025", "9" * 30, "\u0664")
    },
    **{
        f"threads at level {level}": (
            {"REPRO_SEED": "7", "REPRO_LEVEL": level, "REPRO_THREADS": "4"},
            "bad-threads",
        )
        for level in ("seed", "warn", "strict", "watch")
    },
    "threads at the default level": ({"REPRO_SEED": "7", "REPRO_THREADS": "4"}, "bad-threads"),
    "level with a comma": ({"REPRO_SEED": "7", "REPRO_LEVEL": "seed,warn"}, "bad-level"),
    "empty level": ({"REPRO_SEED": "7", "REPRO_LEVEL": ""}, "bad-level"),
    "unknown streams": ({"REPRO_SEED": "7", "REPRO_STREAMS": "shared"}, "bad-streams"),
    "same streams, large seed": (
        {"REPRO_SEED": "4294967296", "REPRO_STREAMS": "same"},
        "bad-streams",
    ),
    "unknown lock mode": ({"REPRO_SEED": "7", "REPRO_LOCK": "no"}, "bad-lock"),
    "unknown TF32 mode": ({"REPRO_SEED": "7", "REPRO_TF32": "yes"}, "bad-tf32"),
    "unknown policy for user seeds": (
        {"REPRO_SEED": "7", "REPRO_USER_SEEDS": "force"},
        "bad-user-seeds",
    ),
    "unknown entropy mode": ({"REPRO_SEED": "7", "REPRO_ENTROPY": "freeze"}, "bad-entropy"),
    "unknown entropy allowance": (
        {"REPRO_SEED": "7", "REPRO_ENTROPY_ALLOW": "ssl,uuid"},
        "bad-entropy",
    ),
    "TF32 off without flags": (
        {"REPRO_SEED": "7", "REPRO_LEVEL": "seed", "REPRO_TF32": "off"},
        "bad-tf32",
    ),
    "TF32 off under watch": (
        {"REPRO_SEED": "7", "REPRO_LEVEL": "watch", "REPRO_TF32": "off"},
        "bad-tf32",
    ),
    "least driver that is a word": (
        {"REPRO_SEED": "7", "REPRO_LEAST_DRIVER": "newest"},
        "bad-driver",
    ),
    "least driver with an empty number": (
        {"REPRO_SEED": "7", "REPRO_LEAST_DRIVER": "525..13"},
        "bad-driver",
    ),
    "empty least driver": ({"REPRO_SEED": "7", "REPRO_LEAST_DRIVER": ""}, "bad-driver"),
    "unknown trace mode": (
        {"REPRO_SEED": "7", "REPRO_TRACE": "all", "REPRO_REPORT": "/tmp/r"},
        "bad-trace",
    ),
    "trace without a folder": ({"REPRO_SEED": "7", "REPRO_TRACE": "op"}, "bad-trace"),
    "steps without an end": ({"REPRO_SEED": "7", "REPRO_TRACE_STEPS": "12"}, "bad-trace"),
    "steps that end before they begin": (
        {"REPRO_SEED": "7", "REPRO_TRACE_STEPS": "12:12"},
        "bad-trace",
    ),
    "steps with two colons": ({"REPRO_SEED": "7", "REPRO_TRACE_STEPS": "1:2:3"}, "bad-trace"),
    "values that are no number": ({"REPRO_SEED": "7", "REPRO_TRACE_VALUES": "-1"}, "bad-trace"),
    "unknown word for reads": (
        {"REPRO_SEED": "7", "REPRO_READS": "all", "REPRO_REPORT": "/tmp/r"},
        "bad-reads",
    ),
    "reads without a folder": ({"REPRO_SEED": "7", "REPRO_READS": "list"}, "bad-reads"),
    "report folder below a file": (
        {"REPRO_SEED": "7", "REPRO_REPORT": "/dev/null/reports"},
        "report-folder",
    ),
    "report folder on a read-only system": (
        {"REPRO_SEED": "7", "REPRO_REPORT": "/proc/reports"},
        "report-folder",
    ),
}


@pytest.mark.parametrize("case", BAD)
def test_bad_input_is_refused_alike_by_every_way_in(
    case: str, door_of_sitecustomize: str, tmp_path: Path
) -> None:
    """The entrypoint, both doors and `seedlock run` print one equal line and start nothing."""
    variables, slug = BAD[case]

    ways = {
        "entrypoint": run([ENTRYPOINT, "sh", "-c", f"echo {STARTED}"], check=False, **variables),
        "pth": python("-c", CODE, check=False, cwd=tmp_path, **variables),
        "sitecustomize": python(
            "-c", CODE, executable=door_of_sitecustomize, check=False, cwd=tmp_path, **variables
        ),
        "seedlock run": run(
            [str(Path(sys.executable).parent / "seedlock"), "run", "--", "echo", STARTED],
            check=False,
            cwd=tmp_path,
            **variables,
        ),
    }

    for way, done in ways.items():
        assert_refused(done, slug, way)
    assert len({done.err for done in ways.values()}) == 1, ways
    assert list(tmp_path.iterdir()) == []


def assert_refused(done: Done, slug: str, way: str = "") -> None:
    """Assert that a process ended as a refused run must."""
    assert done.status == 78, (way, done.status, done.err)
    assert done.out == "", way
    assert done.err.count("\n") == 1, (way, done.err)
    assert done.err.startswith("seedlock: "), way
    assert done.err.endswith(f"[docs/messages.md#{slug}]\n"), (way, done.err)


@pytest.mark.parametrize("seed", ["0", "7", "18446744073709551615"])
def test_allowed_seeds_start_the_program(seed: str, tmp_path: Path) -> None:
    """The ends of the range are in it, at the entrypoint and in Python."""
    through = run(
        [ENTRYPOINT, sys.executable, "-c", CODE], check=False, cwd=tmp_path, REPRO_SEED=seed
    )

    assert (through.status, through.out, through.err) == (0, f"{STARTED}\n", "")


def test_a_framework_outside_its_range_is_refused_before_user_code(
    environment_with_seedlock: Callable[[], Path], tmp_path: Path
) -> None:
    """A torch that no adapter was written for ends the process, unless REPRO_LOCK=warn."""
    site_packages = environment_with_seedlock()
    (site_packages / "torch-1.4.0.dist-info").mkdir()
    executable = str(site_packages.parents[2] / "bin" / "python")

    refused = python("-c", CODE, executable=executable, check=False, REPRO_SEED="7")
    let_pass = python(
        "-c",
        "import seedlock; print(seedlock.report()['gaps'])",
        executable=executable,
        REPRO_SEED="7",
        REPRO_LOCK="warn",
    )

    assert_refused(refused, "unsupported-version")
    assert "torch is 1.4.0" in refused.err
    assert "torch is 1.4.0" in let_pass.out


def test_a_drifted_framework_is_refused_at_strict_only(
    environment_with_seedlock: Callable[[], Path], tmp_path: Path
) -> None:
    """A NumPy that the lock does not name ends a strict process; other levels say so."""
    site_packages = environment_with_seedlock()
    (site_packages / "numpy-2.1.0.dist-info").mkdir()
    executable = str(site_packages.parents[2] / "bin" / "python")
    lock_file = tmp_path / "lock.txt"
    lock_file.write_text("# a lock\nnumpy==2.2.6\n")
    tell = "import seedlock; print(seedlock.report()['gaps'])"

    refused = python(
        "-c",
        CODE,
        executable=executable,
        check=False,
        REPRO_SEED="7",
        REPRO_LOCK_FILE=str(lock_file),
    )

    assert_refused(refused, "drift")
    assert "numpy is 2.1.0 and the lock names 2.2.6" in refused.err
    allowances: tuple[dict[str, Any], ...] = ({"REPRO_LEVEL": "warn"}, {"REPRO_LOCK": "warn"})
    for more in allowances:
        done = python(
            "-c", tell, executable=executable, REPRO_SEED="7",
            REPRO_LOCK_FILE=str(lock_file), **more,
        )  # fmt: skip
        assert "numpy is 2.1.0 and the lock names 2.2.6" in done.out


def test_a_lock_file_that_is_not_there_is_refused(tmp_path: Path) -> None:
    """REPRO_LOCK_FILE that can't be read is no reason to go on without a lock."""
    done = python("-c", CODE, check=False, REPRO_SEED="7", REPRO_LOCK_FILE=str(tmp_path / "no"))

    assert_refused(done, "bad-lock")


@pytest.mark.parametrize("fault", ["raise RuntimeError('broken\\non two lines')", "syntax error("])
def test_a_broken_adapter_is_refused_before_user_code(
    fault: str, environment_with_seedlock: Callable[[], Path], tmp_path: Path
) -> None:
    """An adapter that can't be loaded stops what starts a locked process, by every way in."""
    site_packages = environment_with_seedlock()
    (site_packages / "seedlock" / "adapters" / "torch.py").write_text(fault)
    programs = site_packages.parents[2] / "bin"
    interpreter = str(programs / "python")

    ways = {
        "entrypoint": run(
            [ENTRYPOINT, "sh", "-c", f"echo {STARTED}"],
            check=False, REPRO_SEED="7", PATH=f"{programs}:{os.environ['PATH']}",
        ),
        "pth": python("-c", CODE, executable=interpreter, check=False, REPRO_SEED="7"),
        "seedlock run": python(
            "-m", "seedlock", "run", "--seed", "7", "--", "echo", STARTED,
            executable=interpreter, check=False, cwd=tmp_path,
        ),
    }  # fmt: skip
    (site_packages / "a0_seedlock.pth").unlink()
    (site_packages / "sitecustomize.py").symlink_to(
        site_packages / "seedlock" / "entrypoint" / "sitecustomize.py"
    )
    ways["sitecustomize"] = python(
        "-c", CODE, executable=interpreter, check=False, REPRO_SEED="7"
    )  # fmt: skip

    for way, done in ways.items():
        assert_refused(done, "adapter-failed", way)
    assert len({done.err for done in ways.values()}) == 1, ways


@pytest.mark.parametrize("name", LATER)
def test_what_is_loaded_late_is_tried_before_user_code(
    name: str, environment_with_seedlock: Callable[[], Path]
) -> None:
    """A broken module that only a seeding call would load stops what starts a locked process."""
    site_packages = environment_with_seedlock()
    (site_packages / (name.replace(".", "/") + ".py")).write_text("syntax error(")
    executable = str(site_packages.parents[2] / "bin" / "python")

    done = python("-c", CODE, executable=executable, check=False, REPRO_SEED="7")

    assert_refused(done, "adapter-failed")


def test_an_adapter_that_fails_on_its_library_ends_the_process_at_the_import(
    environment_with_seedlock: Callable[[], Path],
) -> None:
    """A library whose adapter fails never reaches the program that imports it."""
    site_packages = environment_with_seedlock()
    adapter = site_packages / "seedlock" / "adapters" / "python.py"
    adapter.write_text(adapter.read_text().replace("module.seed(seed)", "module.gone(seed)"))
    executable = str(site_packages.parents[2] / "bin" / "python")

    done = python(
        "-c", "import random; print(random.random())",
        executable=executable, check=False, REPRO_SEED="7",
    )  # fmt: skip

    assert_refused(done, "adapter-failed")


@pytest.mark.parametrize("missing", ["startup.py", "registry.py", "settings.py"])
def test_a_broken_installation_is_refused(
    missing: str, environment_with_seedlock: Callable[[], Path]
) -> None:
    """A door that can't import seedlock ends the process, since Python would go on unseeded."""
    site_packages = environment_with_seedlock()
    (site_packages / "seedlock" / missing).unlink()
    executable = str(site_packages.parents[2] / "bin" / "python")

    done = python("-c", CODE, executable=executable, check=False, REPRO_SEED="7")
    unset = python("-c", CODE, executable=executable)

    assert_refused(done, "broken-install")
    assert unset.out == f"{STARTED}\n"


def test_a_module_of_the_users_that_hides_seedlock_is_refused(tmp_path: Path) -> None:
    """A seedlock.py on PYTHONPATH does not make an unseeded run look like a seeded one."""
    (tmp_path / "seedlock.py").write_text("")

    done = python("-c", CODE, check=False, REPRO_SEED="7", PYTHONPATH=str(tmp_path))

    assert_refused(done, "broken-install")
