"""The jax adapter, in real processes."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tests.adapters.probe import Run, deaf, locked, same_draws

if TYPE_CHECKING:
    from pathlib import Path

PROGRAM = """
import glob
import jax

jax.jit(lambda value: value * 2 + 1)(1.0)
dumped = "".join(open(name).read() for name in glob.glob(f"{os.environ['DUMP']}/*.debug_options"))
flags = dict(line.split(": ") for line in dumped.splitlines() if line.startswith("xla_gpu"))
key = jax.random.key(0)
draws = {
    "key": jax.random.key_data(key),
    "PRNGKey": jax.random.PRNGKey(0),
    "another literal": jax.random.key_data(jax.random.key(42)),
    "large literal": jax.random.key_data(jax.random.key(2**31 + 5)),
    "another implementation": jax.random.key_data(jax.random.key(0, impl="rbg")),
    "normal": jax.random.normal(key, (3,)),
    "permutation": jax.random.permutation(key, 20),
    "compiled": jax.jit(lambda: jax.random.uniform(jax.random.key(3), (3,)))(),
}
print(json.dumps({
    "draws": {name: digest(each) for name, each in draws.items()},
    "config": {
        "offset": jax.config.jax_random_seed_offset,
        "partitionable": jax.config.jax_threefry_partitionable,
        "precision": jax.config.jax_default_matmul_precision,
    },
    "xla": [flags.get("xla_gpu_deterministic_ops"), flags.get("xla_gpu_autotune_level")],
    "environment": in_c(
        "JAX_THREEFRY_PARTITIONABLE", "CUBLAS_WORKSPACE_CONFIG", "NCCL_ALGO",
        "NVIDIA_TF32_OVERRIDE",
    ),
}))
if "UNDO" in os.environ:
    jax.config.update("jax_random_seed_offset", 0)
    jax.config.update("jax_threefry_partitionable", False)
    os.environ["XLA_FLAGS"] = ""
"""

# XLA writes the options that it took, where they are not its defaults, beside each program that it
# compiles.
GIVEN = {
    name: {"DUMP": f"dump-{name}", "XLA_FLAGS": f"--xla_dump_to=dump-{name}"}
    for name in ("unlocked", "seed", "warn", "strict", "other")
}
GIVEN["warn"]["JAX_THREEFRY_PARTITIONABLE"] = "0"

LOCKED = {
    "JAX_THREEFRY_PARTITIONABLE": "1",
    "CUBLAS_WORKSPACE_CONFIG": ":4096:8",
    "NCCL_ALGO": "Ring",
    "NVIDIA_TF32_OVERRIDE": None,
}
XLA_DEFAULT = [None, None]
XLA_LOCKED = ["true", "0"]


def test_one_seed_gives_the_same_draws_at_every_level(runs: dict[str, Run]) -> None:
    """Keys come from the outside seed, not from the level."""
    assert same_draws(runs)


def test_another_seed_gives_other_draws_from_each_key(runs: dict[str, Run]) -> None:
    """Every integer that becomes a key hears the outside seed, compiled code included."""
    assert deaf(runs) == []


def test_equal_literals_stay_equal_and_others_stay_different(runs: dict[str, Run]) -> None:
    """Two ways to write one key still agree, and other literals still give other keys."""
    draws = runs["strict"].said["draws"]

    assert draws["key"] == draws["PRNGKey"]
    assert len({draws["key"], draws["another literal"], draws["large literal"]}) == 3


def test_the_offset_in_force_is_the_derived_seed(runs: dict[str, Run]) -> None:
    """JAX's own configuration has the number that `seedlock env` prints."""
    report = runs["strict"].report

    assert runs["strict"].said["config"]["offset"] == report["seeds"]["jax"]
    assert runs["unlocked"].said["config"]["offset"] == 0


def test_level_seed_leaves_flags_and_environment_as_they_are(runs: dict[str, Run]) -> None:
    """Level seed moves the keys and nothing else."""
    seed, unlocked = runs["seed"].said, runs["unlocked"].said

    assert {**seed["config"], "offset": 0} == unlocked["config"]
    assert set(seed["environment"].values()) == {None}
    assert seed["xla"] == unlocked["xla"] == XLA_DEFAULT


def test_level_warn_pins_the_streams(runs: dict[str, Run]) -> None:
    """The user's older form of the streams is replaced and recorded; XLA has no warning form,
    which is a gap."""
    library = runs["warn"].library("jax")

    assert runs["warn"].said["environment"] == LOCKED
    assert runs["warn"].said["config"]["partitionable"] is True
    assert runs["warn"].said["xla"] == XLA_DEFAULT
    assert library["replaced"] == {"JAX_THREEFRY_PARTITIONABLE": "0"}
    assert any("no warning form" in gap for gap in library["gaps"])


def test_level_strict_sets_every_flag_beside_the_users(runs: dict[str, Run]) -> None:
    """What XLA wrote where the user's own flag told it to names the flags of level strict."""
    assert runs["strict"].said["environment"] == LOCKED
    assert runs["strict"].said["xla"] == XLA_LOCKED
    assert runs["strict"].library("jax")["replaced"] == {}


def test_xla_flags_in_a_users_file_are_kept(tmp_path: Path) -> None:
    """XLA reads its flags from a file where XLA_FLAGS names one; they are merged from there."""
    (tmp_path / "flags.txt").write_text("--xla_dump_to=from-file\n--xla_gpu_autotune_level=3\n")

    run = locked(PROGRAM, tmp_path, XLA_FLAGS="flags.txt", DUMP="from-file")

    assert run.said["xla"] == XLA_LOCKED
    assert run.library("jax")["replaced"] == {"XLA_FLAGS": "flags.txt"}


def test_tf32_is_kept_unless_it_is_switched_off(runs: dict[str, Run]) -> None:
    """REPRO_TF32=off asks JAX for full float32 products and switches CUDA's libraries."""
    assert runs["strict"].said["config"]["precision"] is None
    assert runs["other"].said["config"]["precision"] == "float32"
    assert runs["other"].said["environment"]["NVIDIA_TF32_OVERRIDE"] == "0"


def test_what_user_code_undoes_is_in_the_report(runs: dict[str, Run]) -> None:
    """Flags and variables that changed before the exit are overridden; untouched ones are not."""
    overridden = runs["other"].library("jax")["overridden"]

    assert sorted(overridden) == [
        "XLA_FLAGS",
        "jax_random_seed_offset",
        "jax_threefry_partitionable",
    ]
    assert overridden["jax_random_seed_offset"]["now"] == 0
    assert overridden["XLA_FLAGS"]["now"] == ""
    assert runs["strict"].library("jax")["overridden"] == {}
