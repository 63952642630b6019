"""The tensorflow adapter, in real processes."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tests.adapters.probe import Run, deaf, same_draws
from tests.interpreter import python

if TYPE_CHECKING:
    from pathlib import Path

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
    "too late": outcome(lambda: tf.config.threading.set_inter_op_parallelism_threads(2)),
}

@tf.function
def traced():
    return tf.random.uniform((3,))

@tf.function(jit_compile=True)
def compiled(values):
    return values * 2 + 1

compiled(tf.ones(3))
dumped = "".join(open(name).read() for name in glob.glob("dump-*/*.debug_options"))
rows = tf.data.Dataset.range(20).shuffle(20).batch(20)
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
    "dataset": next(iter(rows)),
    "generator": tf.random.Generator.from_seed(1).normal((3,)),
}
if tf.config.experimental.tensor_float_32_execution_enabled is None:
    raise AssertionError
print(json.dumps({
    "start": start,
    "draws": {name: digest(each) for name, each in draws.items()},
    "tf32": tf.config.experimental.tensor_float_32_execution_enabled(),
    "operations": {
        "timestamp": outcome(tf.timestamp),
        "global generator": outcome(tf.random.get_global_generator),
        "add": outcome(lambda: tf.ones(3) + 1),
    },
    "xla": sorted({line for line in dumped.splitlines() if "xla_gpu_deterministic_ops" in line
                   or "xla_gpu_autotune_level" in line}),
    "environment": in_c(
        "CUBLAS_WORKSPACE_CONFIG", "NCCL_ALGO", "TF_CUDNN_DETERMINISTIC", "TF_DETERMINISTIC_OPS",
        "TF_ENABLE_ONEDNN_OPTS", "HOROVOD_FUSION_THRESHOLD", "NVIDIA_TF32_OVERRIDE",
    ),
    "XLA_FLAGS": os.environ.get("XLA_FLAGS"),
}))
if "UNDO" in os.environ:
    tf.config.experimental.enable_tensor_float_32_execution(True)
    sys.modules["tensorflow.python.framework.config"].disable_op_determinism()
    os.environ["TF_ENABLE_ONEDNN_OPTS"] = "1"
"""
