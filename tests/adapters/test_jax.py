"""The jax adapter, in real processes."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from tests.adapters.probe import Run, deaf, locked, same_draws, unlocked

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


SEEDS = """
import jax
import jax.numpy as jnp
import numpy as np
from jax.experimental import random as experimental

import seedlock

GIVEN = (
    "0", "1", "-1", "2**31 + 5", "2**32 + 5", "2**63 - 1", "True", "np.int8(-1)", "np.uint8(3)",
    "np.uint8(250)", "np.int16(3)", "np.int32(-1)", "np.uint32(2**32 - 1)", "np.int64(2**32 + 5)",
    "np.uint64(2**64 - 1)", "np.array(3)", "jnp.array(3)", "jnp.array(3, 'uint8')",
    "jnp.array(3, 'uint32')",
    "2**63", "1.5", "'a'", "None", "np.bool_(True)", "jnp.array(True)", "jnp.array(3, 'int4')",
    "np.array([3])", "jax.random.key(0)",
)

def number(make):
    "A key's words as one number, or what went wrong."
    try:
        words = jax.random.key_data(make())
    except Exception as problem:
        return f"{type(problem).__name__}: {problem}".split("Tracer")[0]
    return int(words[0]) << 32 | int(words[1])

def keys():
    return {given: number(lambda: jax.random.key(eval(given))) for given in GIVEN}

def both():
    with seedlock.fixed():
        fixed = keys()
    return {"mixed": keys(), "fixed": fixed}

before = jax.jit(lambda: jax.random.key(3))
traced = jax.jit(jax.random.key)
compiled = [number(before), number(lambda: traced(3)), number(lambda: traced(np.uint8(3)))]
with seedlock.fixed():
    inside = jax.jit(lambda: jax.random.key(4))
    compiled_fixed = [number(before), number(lambda: traced(3)), number(inside)]
    offset = seedlock.report()["libraries"]["jax"]["flags"]["jax_random_seed_offset"] if (
        "REPRO_SEED" in os.environ) else 0
compiled_after = [number(before), number(lambda: traced(3)), number(inside)]

def other_task():
    "What a task draws while another one of its thread is in a block of fixed()."
    import asyncio
    async def within(entered, left):
        with seedlock.fixed():
            entered.set()
            await left.wait()
            return number(lambda: jax.random.key(3))
    async def beside():
        entered, left = asyncio.Event(), asyncio.Event()
        task = asyncio.create_task(within(entered, left))
        await entered.wait()
        drawn = number(lambda: jax.random.key(3))
        left.set()
        return [drawn, await task]
    return asyncio.run(beside())

print(json.dumps({
    "narrow": both(),
    "tasks": other_task(),
    "others": {
        "rbg": np.asarray(jax.random.key_data(jax.random.key(3, impl="rbg"))).tolist(),
        "vmap": np.asarray(
            jax.random.key_data(jax.vmap(jax.random.key)(np.arange(3, dtype=np.uint8)))
        ).tolist(),
        "raw": number(lambda: jax.random.wrap_key_data(jnp.array([0, 3], jnp.uint32))),
        "stateful": number(lambda: experimental.stateful_rng(3)._base_key),
        "unseeded": number(lambda: experimental.stateful_rng()._base_key),
    },
    "compiled": compiled, "compiled_fixed": compiled_fixed, "compiled_after": compiled_after,
    "offset": offset,
    "wide": [jax.config.update("jax_enable_x64", True), both()][1],
}))
"""


@pytest.fixture(name="seeded", scope="module")
def _seeded(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Run]:
    """Return the runs of SEEDS: unlocked, under seed 7 and under seed 8."""
    folder = tmp_path_factory.mktemp("seeds")
    return {
        "plain": unlocked(SEEDS, folder),
        "locked": locked(SEEDS, folder),
        "other": locked(SEEDS, folder, seed=8),
    }


@pytest.mark.parametrize(("width", "bits"), [("narrow", 32), ("wide", 64)])
def test_each_type_of_seed_is_moved_by_the_offset(
    seeded: dict[str, Run], width: str, bits: int
) -> None:
    """Whatever type an integer has, its key is the one of the value plus the offset: what is equal
    in a plain run stays equal and what is different stays different. Errors are the library's."""
    plain, said = seeded["plain"].said[width]["mixed"], seeded["locked"].said
    offset = said["offset"]

    assert offset != 0
    assert said[width]["mixed"] == {
        given: (key + offset) % 2**bits if isinstance(key, int) else key
        for given, key in plain.items()
    }
    assert sum(isinstance(key, str) for key in plain.values()) == 9


@pytest.mark.parametrize("width", ["narrow", "wide"])
def test_a_block_of_fixed_gives_the_keys_of_a_plain_run(seeded: dict[str, Run], width: str) -> None:
    """In the block the offset is 0, for every type of seed."""
    assert seeded["locked"].said[width]["fixed"] == seeded["plain"].said[width]["mixed"]


def test_what_is_compiled_follows_the_block_it_is_called_in(seeded: dict[str, Run]) -> None:
    """A function compiled outside the block is as written inside, and the other way round."""
    plain, said = seeded["plain"].said, seeded["locked"].said
    offset = said["offset"]

    assert said["compiled_fixed"] == plain["compiled_fixed"] == [3, 3, 4]
    assert said["compiled"] == [3 + offset] * 3
    assert said["compiled_after"] == [3 + offset, 3 + offset, 4 + offset]


def test_a_block_of_fixed_is_its_tasks_own(seeded: dict[str, Run]) -> None:
    """Another task of the same thread goes on hearing the outside seed."""
    said = seeded["locked"].said

    assert said["tasks"] == [3 + said["offset"], 3]


def test_other_ways_to_a_key(seeded: dict[str, Run]) -> None:
    """Other implementations and batches hear the offset, a generator without a seed has another
    one under each root seed, and raw words stay as written."""
    said = seeded["locked"].said
    others, offset = said["others"], said["offset"]

    assert others["rbg"] == [0, 3 + offset] * 2
    assert others["vmap"] == [[0, each + offset] for each in range(3)]
    assert others["stateful"] == 3 + offset
    assert others["raw"] == 3
    assert others["unseeded"] != seeded["other"].said["others"]["unseeded"]
    assert any("raw words" in gap for gap in seeded["locked"].library("jax")["gaps"])


def test_keys_are_in_the_report(tmp_path: Path) -> None:
    """Each line that makes a key is there with the values that it was given, traced ones by their
    type."""
    (tmp_path / "author.py").write_text(
        "import jax, jax.numpy as jnp\n"
        "for seed in (1, jnp.array(2)): jax.random.key(seed)\n"
        "jax.jit(lambda seed: jax.random.PRNGKey(seed))(3)\n"
    )

    sites = locked("import author\nprint(1)", tmp_path, PYTHONPATH=str(tmp_path)).report[
        "user_seeds"
    ]

    found = [(site["where"].rpartition("/")[2], site["given"], site["count"]) for site in sites]
    assert found == [
        ("author.py:2", ["1", "2"], 2),
        ("author.py:3", ["ShapedArray(int32[], weak_type=True)"], 1),
    ]
    assert {site["policy"] for site in sites} == {"mix"}


def test_keep_leaves_keys_and_the_users_own_offset(tmp_path: Path) -> None:
    """Under keep no offset is set, and the one that the user set counts."""
    program = """
import jax
import seedlock
with seedlock.fixed():
    fixed = int(jax.random.key_data(jax.random.key(3))[1])
print(json.dumps([int(jax.random.key_data(jax.random.key(3))[1]), fixed]))
"""
    run = locked(program, tmp_path, REPRO_USER_SEEDS="keep", JAX_RANDOM_SEED_OFFSET="5")

    assert run.said == [8, 8]
    assert run.library("jax")["seeds"] == {}
    assert [site["policy"] for site in run.report["user_seeds"]] == ["fixed", "keep"]
    assert locked(program, tmp_path, REPRO_USER_SEEDS="keep").said == [3, 3]


def test_refuse_raises_where_a_key_is_made(tmp_path: Path) -> None:
    """Under refuse a seed is an error with a cure, compiled code included; blocks of fixed() and
    generators without a seed are not."""
    program = """
import jax
import seedlock
from jax.experimental import random as experimental

def refused(make):
    try:
        make()
    except seedlock.errors.UserSeedRefused as problem:
        return str(problem)

with seedlock.fixed():
    fixed = int(jax.random.key_data(jax.random.key(3))[1])
experimental.stateful_rng()
print(json.dumps({"fixed": fixed, "refused": [
    refused(lambda: jax.random.key(1)), refused(lambda: jax.random.PRNGKey(1)),
    refused(jax.jit(lambda: jax.random.key(1))),
]}))
"""
    said: Any = locked("import seedlock.errors" + program, tmp_path, REPRO_USER_SEEDS="refuse").said

    assert said["fixed"] == 3
    assert all("with seedlock.fixed()" in message for message in said["refused"])


def test_flax_hears_the_outside_seed(tmp_path: Path) -> None:
    """Flax's two ways to initial values go through the same place."""
    pytest.importorskip("flax")
    program = """
import flax.linen
import jax
from flax import nnx
import seedlock

def values():
    linen = flax.linen.Dense(2).init(jax.random.key(0), jax.numpy.ones((1, 3)))
    module = nnx.Linear(3, 2, rngs=nnx.Rngs(0, dropout=1))
    return [digest(linen["params"]["kernel"]), digest(module.kernel[...])]

with seedlock.fixed():
    fixed = values()
print(json.dumps({"drawn": values(), "fixed": fixed}))
"""
    plain, one = unlocked(program, tmp_path).said, locked(program, tmp_path).said
    other = locked(program, tmp_path, seed=8).said

    assert one == locked(program, tmp_path).said
    assert one["fixed"] == plain["drawn"]
    assert not {*one["drawn"]} & {*other["drawn"], *plain["drawn"]}
