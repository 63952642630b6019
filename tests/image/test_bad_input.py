"""Settings that are not allowed end the container before user code, with one line and status 78."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from tests.image.tracked import TrackedContainer

SEEDS = (
    "",
    "-1",
    "1.5",
    "abc",
    "18446744073709551616",
    " 7",
    "7 ",
    "\N{ARABIC-INDIC DIGIT SEVEN}",
    "07",
)
TABLE = [
    *(pytest.param({"REPRO_SEED": seed}, id=f"seed {seed!r}") for seed in SEEDS),
    pytest.param({"REPRO_SEED": "7", "REPRO_LEVEL": "harsh"}, id="level"),
    pytest.param({"REPRO_SEED": "7", "REPRO_STREAMS": "odd"}, id="streams"),
    pytest.param({"REPRO_SEED": "7", "REPRO_REPORT": "/data/report"}, id="report folder"),
]
USER_CODE = ("python", "-c", "print('started')")
FLAGS = {
    "REPRO_SEED": "--seed",
    "REPRO_LEVEL": "--level",
    "REPRO_STREAMS": "--streams",
    "REPRO_REPORT": "--report",
}


def refused(container: TrackedContainer, *command: str) -> str:
    """Return the one line on stderr that a refused run leaves."""
    finished = container.run(*command, status=78)
    assert finished.stdout == ""
    [line] = finished.stderr.splitlines()
    assert line.startswith("seedlock: ") and "docs/messages.md#" in line
    return line


@pytest.mark.parametrize("settings", TABLE)
def test_each_way_in_refuses_bad_settings_alike(
    container: TrackedContainer, settings: dict[str, str]
) -> None:
    """The entrypoint, the doors and `seedlock run` say the same line, and no user code starts."""
    variables = container.using(*(f"--env={name}={value}" for name, value in settings.items()))
    flags = [f"{FLAGS[name]}={value}" for name, value in settings.items()]

    from_entrypoint = refused(variables, *USER_CODE)
    from_doors = refused(variables.using("--entrypoint=python"), *USER_CODE[1:])
    from_run = refused(container, "seedlock", "run", *flags, "--", *USER_CODE)

    assert next(name for name in reversed(settings)) in from_entrypoint
    assert from_entrypoint == from_doors == from_run


def test_seedlock_run_starts_a_good_one(container: TrackedContainer) -> None:
    """`seedlock run --seed=7` in the image runs the command under the seed."""
    good = container.run("seedlock", "run", "--seed=7", "--", *USER_CODE)

    assert good.stdout == "started\n"
