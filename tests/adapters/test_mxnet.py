"""The mxnet adapter, in real processes; MXNet itself says which variables it sees."""

from __future__ import annotations

from tests.adapters.probe import Run, deaf, same_draws

PROGRAM = """
import mxnet as mx
from mxnet import autograd, gluon, nd

dense = gluon.nn.Dense(2, in_units=3)
dense.initialize(mx.init.Xavier())
with autograd.record():
    dropped = nd.Dropout(nd.ones((64,)))
loader = gluon.data.DataLoader(list(range(20)), batch_size=20, shuffle=True)
drawn = {
    "uniform": nd.random.uniform(shape=3),
    "normal": nd.random.normal(shape=3),
    "randint": nd.random.randint(0, 2**30, shape=5),
    "shuffle": nd.random.shuffle(nd.arange(20)),
    "multinomial": nd.random.multinomial(nd.ones(20) / 20, shape=20),
    "gamma": nd.random.gamma(shape=3),
    "symbol": mx.sym.random.normal(shape=3).bind(mx.cpu(), {}).forward()[0],
    "numpy": mx.np.random.uniform(size=3),
    "initial weights": dense.weight.data(),
    "dropout": dropped,
    "shuffling loader": next(iter(loader)),
}
names = (
    "MXNET_ENFORCE_DETERMINISM", "MXNET_CUDNN_AUTOTUNE_DEFAULT", "MXNET_CUDA_ALLOW_TENSOR_CORE",
    "CUBLAS_WORKSPACE_CONFIG", "NCCL_ALGO", "NVIDIA_TF32_OVERRIDE",
)
print(json.dumps({
    "draws": {name: each.asnumpy().tolist() for name, each in drawn.items()},
    "environment": {name: mx.util.getenv(name) for name in names},
}))
if "UNDO" in os.environ:
    os.environ["MXNET_ENFORCE_DETERMINISM"] = "0"
"""
GIVEN = {
    "unlocked": {"MXNET_ENFORCE_DETERMINISM": "0"},
    "strict": {"MXNET_ENFORCE_DETERMINISM": "0"},
}

WARN = {
    "MXNET_ENFORCE_DETERMINISM": None,
    "MXNET_CUDNN_AUTOTUNE_DEFAULT": "0",
    "MXNET_CUDA_ALLOW_TENSOR_CORE": None,
    "CUBLAS_WORKSPACE_CONFIG": ":4096:8",
    "NCCL_ALGO": "Ring",
    "NVIDIA_TF32_OVERRIDE": None,
}
STRICT = {**WARN, "MXNET_ENFORCE_DETERMINISM": "1"}


def test_one_seed_gives_the_same_draws_at_every_level(runs: dict[str, Run]) -> None:
    """Operators, symbols, layers and loaders draw from the outside seed, not from the level."""
    assert same_draws(runs)


def test_another_seed_gives_other_draws_from_each_generator(runs: dict[str, Run]) -> None:
    """Each random operator hears the outside seed, to which MXNet by itself is deaf."""
    assert deaf(runs) == []


def test_level_seed_leaves_the_environment_as_it_is(runs: dict[str, Run]) -> None:
    """Level seed sets seeds only."""
    assert set(runs["seed"].said["environment"].values()) == {None}


def test_level_warn_leaves_the_refusing_flag_unset(runs: dict[str, Run]) -> None:
    """Level warn stops the autotuning, and refuses no operator."""
    assert runs["warn"].said["environment"] == WARN


def test_level_strict_sets_every_variable(runs: dict[str, Run]) -> None:
    """Level strict has every variable in force when MXNet itself is asked."""
    assert runs["strict"].said["environment"] == STRICT


def test_an_unsuitable_value_of_the_users_is_replaced_and_recorded(runs: dict[str, Run]) -> None:
    """The report keeps the value that stood there before, which an unlocked run leaves."""
    assert runs["unlocked"].said["environment"]["MXNET_ENFORCE_DETERMINISM"] == "0"
    assert runs["strict"].library("mxnet")["replaced"] == GIVEN["strict"]


def test_tf32_is_kept_unless_it_is_switched_off(runs: dict[str, Run]) -> None:
    """REPRO_TF32=off keeps MXNet from tensor cores and CUDA's libraries from TensorFloat-32."""
    environment = runs["other"].said["environment"]

    assert environment["MXNET_CUDA_ALLOW_TENSOR_CORE"] == "0"
    assert environment["NVIDIA_TF32_OVERRIDE"] == "0"


def test_what_user_code_undoes_is_in_the_report(runs: dict[str, Run]) -> None:
    """A variable that changed before the exit is overridden; untouched ones are not."""
    assert runs["other"].library("mxnet")["overridden"] == {
        "MXNET_ENFORCE_DETERMINISM": {"set": "1", "now": "0"}
    }
    assert runs["strict"].library("mxnet")["overridden"] == {}


def test_the_report_says_that_the_generators_cannot_be_read(runs: dict[str, Run]) -> None:
    """There is no digest, and a gap says why."""
    library = runs["strict"].library("mxnet")

    assert library["digest_seeded"] is None
    assert library["digest_now"] is None
    assert any("can't be read" in gap for gap in library["gaps"])
