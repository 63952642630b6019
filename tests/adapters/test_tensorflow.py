"""The tensorflow adapter, in real processes."""

from __future__ import annotations

import pytest

from tests.absent import without
from tests.adapters.probe import Run, deaf, same_draws

PROGRAM = """
import glob
import tensorflow as tf

tf.config.threading.set_inter_op_parallelism_threads(1)
processor, *_ = tf.config.list_physical_devices("CPU")
tf.config.set_visible_devices(processor)
tf.config.set_logical_device_configuration(processor, [tf.config.LogicalDeviceConfiguration()] * 2)
start = {
    "threads": tf.config.threading.get_inter_op_parallelism_threads(),
    "devices": len(tf.config.list_logical_devices("CPU")),
    "second time": outcome(lambda: tf.config.threading.set_inter_op_parallelism_threads(2)),
}

@tf.function
def traced():
    return tf.random.uniform((3,))

@tf.function(jit_compile=True)
def compiled(values):
    return values * 2 + 1

compiled(tf.ones(3))
dumped = "".join(open(name).read() for name in glob.glob(f"{os.environ['DUMP']}/*.debug_options"))
flags = dict(line.split(": ") for line in dumped.splitlines() if line.startswith("xla_gpu"))
draws = {
    "normal": tf.random.normal((3,)),
    "uniform": tf.random.uniform((3,)),
    "truncated": tf.random.truncated_normal((3,)),
    "integers": tf.random.uniform((5,), maxval=2**31 - 1, dtype=tf.int32),
    "shuffle": tf.random.shuffle(tf.range(20)),
    "categorical": tf.random.categorical(tf.zeros((1, 50)), 10),
    "gamma": tf.random.gamma((3,), 2.0),
    "dropout": tf.nn.dropout(tf.ones((64,)), 0.5),
    "traced": traced(),
    "dataset": next(iter(tf.data.Dataset.range(20).shuffle(20).batch(20))),
}
said["tensorflow"] = {
    "start": start,
    "draws": {name: digest(each) for name, each in draws.items()},
    "tf32": tf.config.experimental.tensor_float_32_execution_enabled(),
    "operations": {
        "timestamp": outcome(tf.timestamp),
        "global generator": outcome(tf.random.get_global_generator),
        "add": outcome(lambda: tf.ones(3) + 1),
    },
    "xla": [flags.get("xla_gpu_deterministic_ops"), flags.get("xla_gpu_autotune_level")],
    "XLA_FLAGS": os.environ["XLA_FLAGS"].split(),
    "environment": in_c(
        "CUBLAS_WORKSPACE_CONFIG", "NCCL_ALGO", "TF_CUDNN_DETERMINISTIC", "TF_DETERMINISTIC_OPS",
        "TF_ENABLE_ONEDNN_OPTS", "HOROVOD_FUSION_THRESHOLD", "NVIDIA_TF32_OVERRIDE",
    ),
}
"""
UNDO = """
if "UNDO" in os.environ:
    tf.config.experimental.enable_tensor_float_32_execution(True)
    sys.modules["tensorflow.python.framework.config"].disable_op_determinism()
    os.environ["TF_ENABLE_ONEDNN_OPTS"] = "1"
"""

# XLA writes the options that it took, where they are not its defaults, beside each program that it
# compiles.
GIVEN = {
    name: {"DUMP": f"dump-{name}", "XLA_FLAGS": f"--xla_dump_to=dump-{name}"}
    for name in ("unlocked", "seed", "warn", "strict", "other")
}
GIVEN["other"]["XLA_FLAGS"] += " --xla_gpu_autotune_level=3"
ONEDNN = {"TF_ENABLE_ONEDNN_OPTS": "1", "TF_CPP_MIN_LOG_LEVEL": "0"}
ONEDNN_LINE = "oneDNN custom operations are on"
for each in ("unlocked", "strict"):
    GIVEN[each].update(ONEDNN)
for each in ("unlocked", "seed", "warn"):
    GIVEN[each].update(without("jax", "sklearn"))


@pytest.fixture(scope="module", name="runs")
def _runs(keras_at_every_level: dict[str, Run]) -> dict[str, Run]:
    return {
        name: Run(run.said["tensorflow"], run.errors, run.report)
        for name, run in keras_at_every_level.items()
    }


WARN = {
    "CUBLAS_WORKSPACE_CONFIG": ":4096:8",
    "NCCL_ALGO": "Ring",
    "TF_CUDNN_DETERMINISTIC": "1",
    "TF_DETERMINISTIC_OPS": None,
    "TF_ENABLE_ONEDNN_OPTS": None,
    "HOROVOD_FUSION_THRESHOLD": "0",
    "NVIDIA_TF32_OVERRIDE": None,
}
STRICT = {**WARN, "TF_DETERMINISTIC_OPS": "1", "TF_ENABLE_ONEDNN_OPTS": "0"}
XLA_DEFAULT = [None, None]
XLA_LOCKED = ["true", "0"]


def test_one_seed_gives_the_same_draws_at_every_level(runs: dict[str, Run]) -> None:
    """Operations, traced functions and datasets draw from the outside seed, not from the level."""
    assert same_draws(runs)


def test_another_seed_gives_other_draws_from_each_generator(runs: dict[str, Run]) -> None:
    """Each random operation hears the outside seed."""
    assert deaf(runs) == []


def test_the_lock_does_not_start_the_run_time(runs: dict[str, Run]) -> None:
    """The user's own threads and devices can still be set after the import; they could not be
    once TensorFlow had started."""
    for run in runs.values():
        assert run.said["start"] == {"threads": 1, "devices": 2, "second time": ["RuntimeError"]}


def test_level_seed_leaves_flags_and_environment_as_they_are(runs: dict[str, Run]) -> None:
    """Level seed sets seeds only."""
    for part in ("tf32", "operations", "xla"):
        assert runs["seed"].said[part] == runs["unlocked"].said[part]
    assert set(runs["seed"].said["environment"].values()) == {None}
    assert runs["seed"].said["xla"] == XLA_DEFAULT


def test_level_warn_sets_the_environment_and_refuses_nothing(runs: dict[str, Run]) -> None:
    """TensorFlow and XLA have no warning form, which is a gap at this level."""
    gaps = " ".join(runs["warn"].library("tensorflow")["gaps"])

    assert runs["warn"].said["environment"] == WARN
    assert runs["warn"].said["xla"] == XLA_DEFAULT
    assert runs["warn"].said["operations"] == runs["unlocked"].said["operations"]
    assert "no warning form" in gaps
    assert "num_parallel_calls" in gaps


def test_level_strict_sets_the_environment_before_the_import(runs: dict[str, Run]) -> None:
    """Level strict has every variable in the environment that TensorFlow's C half reads."""
    assert runs["strict"].said["environment"] == STRICT


def test_an_operation_without_a_deterministic_form_raises_at_level_strict(
    runs: dict[str, Run],
) -> None:
    """A clock passes elsewhere and raises at level strict. The global generator, which TensorFlow
    itself refuses there, is seeded and works."""
    passed = {"timestamp": ["done"], "global generator": ["done"], "add": ["done"]}

    assert runs["unlocked"].said["operations"] == passed
    assert runs["strict"].said["operations"] == {
        **passed,
        "timestamp": ["FailedPreconditionError"],
    }


def test_xla_itself_took_the_flags_and_the_users_beside_them(runs: dict[str, Run]) -> None:
    """What XLA wrote where the user's own flag told it to names the flags of level strict."""
    assert runs["unlocked"].said["xla"] == XLA_DEFAULT
    assert runs["strict"].said["xla"] == XLA_LOCKED
    assert runs["strict"].library("tensorflow")["replaced"] == {"TF_ENABLE_ONEDNN_OPTS": "1"}


def test_a_users_xla_flag_that_undoes_the_lock_is_replaced_and_recorded(
    runs: dict[str, Run],
) -> None:
    """The other flag of the user's is kept, and the report has the line as it was."""
    other = runs["other"]

    assert other.said["xla"] == XLA_LOCKED
    assert "--xla_gpu_autotune_level=3" not in other.said["XLA_FLAGS"]
    assert other.library("tensorflow")["replaced"] == {"XLA_FLAGS": GIVEN["other"]["XLA_FLAGS"]}


def test_onednn_is_off_though_the_user_wants_it(runs: dict[str, Run]) -> None:
    """TensorFlow says at its import that oneDNN is on; locked, it has nothing to say."""
    assert ONEDNN_LINE in runs["unlocked"].errors
    assert ONEDNN_LINE not in runs["strict"].errors


def test_tf32_is_kept_unless_it_is_switched_off(runs: dict[str, Run]) -> None:
    """REPRO_TF32=off switches TensorFloat-32 off in TensorFlow and in CUDA's libraries."""
    assert runs["strict"].said["tf32"] is True
    assert runs["other"].said["tf32"] is False
    assert runs["other"].said["environment"]["NVIDIA_TF32_OVERRIDE"] == "0"


def test_what_user_code_undoes_is_in_the_report(runs: dict[str, Run]) -> None:
    """Flags and variables that changed before the exit are overridden; untouched ones are not."""
    assert runs["other"].library("tensorflow")["overridden"] == {
        "op_determinism": {"set": True, "now": False},
        "tensor_float_32_execution": {"set": False, "now": True},
        "TF_ENABLE_ONEDNN_OPTS": {"set": "0", "now": "1"},
    }
    assert runs["strict"].library("tensorflow")["overridden"] == {}
