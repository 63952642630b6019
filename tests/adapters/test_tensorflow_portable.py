"""TensorFlow at level portable: operations whose bits elsewhere are the processor maker's."""

from __future__ import annotations

from pathlib import Path

from seedlock import eigen
from tests.adapters.probe import locked

PROGRAM = """
import numpy as np
import tensorflow as tf

x = np.random.RandomState(0).random_sample(5000).astype("float32") * np.float32(3) + np.float32(0.1)
wide = x.astype("float64")
EXPECTED = {
    "rsqrt": 1 / np.sqrt(wide), "reciprocal": 1 / wide, "atan": np.arctan(wide),
    "divided by a root": x / np.sqrt(x), "one divided": np.float32(1) / x,
}
WAYS = {
    "rsqrt": tf.math.rsqrt, "reciprocal": tf.math.reciprocal, "atan": tf.atan,
    "divided by a root": lambda v: v / tf.sqrt(v), "one divided": lambda v: tf.ones_like(v) / v,
}
wrong = {}
for name, way in WAYS.items():
    for kind, function in (("eager", way), ("graph", tf.function(way))):
        found = function(tf.constant(x)).numpy()
        wrong[f"{name}, {kind}"] = int((found != EXPECTED[name].astype("float32")).sum())
with tf.GradientTape() as tape:
    variable = tf.Variable(x[:4])
    odds = tf.nn.softmax(variable)
    first = odds[0]
slope = tape.gradient(first, variable)
others = {
    "softmax": [odds.dtype.name, slope.dtype.name, bool(abs(tf.reduce_sum(odds) - 1) < 1e-6)],
    "half": tf.math.rsqrt(tf.constant([4.0], tf.float16)).dtype.name,
    "double": tf.math.rsqrt(tf.constant([4.0], tf.float64)).dtype.name,
    "list": tf.math.erfc([0.0, 0.0]).numpy().tolist(),
    "ragged": tf.math.rsqrt(tf.ragged.constant([[1.0, 4.0], [0.25]])).to_list(),
    "integers": outcome(lambda: tf.math.rsqrt(tf.constant([4])))[0],
    "name": tf.math.rsqrt(x=tf.constant([4.0]), name="root").numpy().tolist(),
}
print(json.dumps({"wrong": wrong, "others": others}))
"""


def test_reciprocals_are_the_correctly_rounded_ones(tmp_path: Path) -> None:
    """In eager mode and in graphs, which grappler may not turn back into approximations."""
    run = locked(PROGRAM, tmp_path, REPRO_LEVEL="portable")
    library = run.library("tensorflow")
    flags = library["flags"]

    assert not any(run.said["wrong"].values()), run.said["wrong"]
    assert run.said["others"] == {
        "softmax": ["float32", "float32", True],
        "half": "float16",
        "double": "float64",
        "list": [1.0, 1.0],
        "ragged": [[1.0, 0.5], [2.0]],
        "integers": "InvalidArgumentError",
        "name": [0.5],
    }
    assert flags["optimizer.arithmetic_optimization"] is False
    assert flags["libtensorflow_cc.so.2.caches"] == list(eigen.SIZES)
    assert library["overridden"] == {}
    assert any("fused_batch_norm" in gap for gap in library["gaps"])
