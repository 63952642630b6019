"""The numpy adapter, in real processes."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tests.adapters.probe import Run, deaf, locked, same_draws

if TYPE_CHECKING:
    from pathlib import Path

PROGRAM = """
import numpy as np

early = "numpy.random" in sys.modules
print(json.dumps({
    "draws": {
        "rand": np.random.rand(3).tolist(),
        "randn": np.random.randn(3).tolist(),
        "randint": np.random.randint(2**31, size=5).tolist(),
        "permutation": np.random.permutation(20).tolist(),
        "choice": np.random.choice(50, 20).tolist(),
        "bytes": np.random.bytes(8).hex(),
        "mtrand": np.random.mtrand._rand.uniform(size=3).tolist(),
    },
    "environment": in_c("OMP_DYNAMIC", "MKL_DYNAMIC", "CUBLAS_WORKSPACE_CONFIG"),
    "early": early,
}))
if "UNDO" in os.environ:
    os.environ["OMP_DYNAMIC"] = "TRUE"
    del os.environ["MKL_DYNAMIC"]
"""
GIVEN = {"strict": {"OMP_DYNAMIC": "TRUE"}}

LOCKED = {"OMP_DYNAMIC": "FALSE", "MKL_DYNAMIC": "FALSE", "CUBLAS_WORKSPACE_CONFIG": None}
UNLOCKED = dict.fromkeys(LOCKED)


def test_one_seed_gives_the_same_draws_at_every_level(runs: dict[str, Run]) -> None:
    """The global generator comes from the outside seed, not from the level."""
    assert same_draws(runs)


def test_another_seed_gives_other_draws_from_each_generator(runs: dict[str, Run]) -> None:
    """Each function over the global generator hears the outside seed."""
    assert deaf(runs) == []


def test_importing_numpy_alone_does_not_import_its_random(runs: dict[str, Run]) -> None:
    """A program that never draws never pays for numpy.random, which the seed waits for."""
    assert runs["strict"].said["early"] is False


def test_level_seed_leaves_the_environment_as_it_is(runs: dict[str, Run]) -> None:
    """Level seed sets seeds only."""
    assert runs["unlocked"].said["environment"] == UNLOCKED
    assert runs["seed"].said["environment"] == UNLOCKED


def test_levels_warn_and_strict_set_the_environment(runs: dict[str, Run]) -> None:
    """The C half reads the variables that keep a team of threads at its size, and none of CUDA's,
    which NumPy has no use for."""
    assert runs["warn"].said["environment"] == LOCKED
    assert runs["strict"].said["environment"] == LOCKED


def test_an_unsuitable_value_of_the_users_is_replaced_and_recorded(runs: dict[str, Run]) -> None:
    """The report keeps the value that stood there before."""
    assert runs["strict"].library("numpy")["replaced"] == {"OMP_DYNAMIC": "TRUE"}
    assert runs["warn"].library("numpy")["replaced"] == {}


def test_what_user_code_undoes_is_in_the_report(runs: dict[str, Run]) -> None:
    """Variables that changed before the exit are overridden; untouched ones are not."""
    assert runs["other"].library("numpy")["overridden"] == {
        "OMP_DYNAMIC": {"set": "FALSE", "now": "TRUE"},
        "MKL_DYNAMIC": {"set": "FALSE", "now": None},
    }
    assert runs["strict"].library("numpy")["overridden"] == {}


def test_a_program_that_draws_nothing_has_no_numpy_seed_in_its_report(tmp_path: Path) -> None:
    """The report doesn't claim a seed that was never set."""
    run = locked("import numpy\nprint(json.dumps(None))", tmp_path)

    assert run.library("numpy")["seeds"] == {}
