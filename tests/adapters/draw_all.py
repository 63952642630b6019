"""A program that draws from every library it imports and prints what came, a line of JSON.

    python draw_all.py IMPORTS [SETS]

IMPORTS: names with commas, in the order of the imports. SETS: a JSON list of
`{"calls": [...], "key": 0}`; each set's calls are executed as they stand before its draws, and
`key` is what the program hands to jax.random.key. Default: no calls, key 0.
"""

from __future__ import annotations

import hashlib
import importlib
import json
import sys
from typing import Any

ALIASES = {"tensorflow": "tf"}


def digest(array: Any) -> str:
    """Return a digest of the bits of what NumPy can read."""
    import numpy

    array = numpy.asarray(array)
    return f"{array.dtype}{array.shape}:{hashlib.sha256(array.tobytes()).hexdigest()[:16]}"


def draw_random(random: Any, key: int) -> list[object]:
    return [random.random(), random.getrandbits(40), random.sample(range(50), 5), random.gauss()]


def draw_numpy(numpy: Any, key: int) -> list[object]:
    return [digest(numpy.random.rand(3)), digest(numpy.random.permutation(9))]


def draw_torch(torch: Any, key: int) -> list[object]:
    loader = torch.utils.data.DataLoader(list(range(9)), batch_size=9, shuffle=True)
    dropped = torch.nn.functional.dropout(torch.ones(20))
    weight = torch.nn.Linear(3, 2).weight.detach()
    return [digest(each) for each in (weight, dropped, next(iter(loader)))]


def draw_tensorflow(tf: Any, key: int) -> list[object]:
    rows = tf.data.Dataset.range(9).shuffle(9).batch(9)
    return [digest(tf.random.normal((3,))), digest(next(iter(rows)))]


def draw_keras(keras: Any, key: int) -> list[object]:
    dense = keras.layers.Dense(2)
    dense.build((None, 3))
    dropped = keras.layers.Dropout(0.5)(keras.ops.ones((4, 5)), training=True)
    drawn = (dense.kernel, dropped, keras.random.normal((3,)))
    return [digest(keras.ops.convert_to_numpy(each)) for each in drawn]


def draw_mxnet(mxnet: Any, key: int) -> list[object]:
    dense = mxnet.gluon.nn.Dense(2, in_units=3)
    dense.initialize(mxnet.init.Xavier())
    with mxnet.autograd.record():
        dropped = mxnet.nd.Dropout(mxnet.nd.ones((20,)))
    drawn = (dense.weight.data(), dropped, mxnet.nd.random.normal(shape=(3,)))
    return [digest(each.asnumpy()) for each in drawn]


def draw_jax(jax: Any, key: int) -> list[object]:
    first, second = jax.random.split(jax.random.key(key))
    return [digest(jax.random.normal(first, (3,))), digest(jax.random.permutation(second, 9))]


def main() -> None:
    """Import, execute each set's calls, draw."""
    names = sys.argv[1].split(",")
    modules = {name: importlib.import_module(name) for name in names}
    importlib.import_module("numpy.random")
    called = {ALIASES.get(name, name): module for name, module in modules.items()}
    drawn = []
    sets: Any = json.loads(sys.argv[2]) if len(sys.argv) > 2 else [{"calls": [], "key": 0}]
    for each in sets:
        for call in each["calls"]:
            exec(call, called)
        draws: dict[str, object] = {"hash": hash("text")}
        for name in sorted(names):
            draws[name] = globals()[f"draw_{name}"](modules[name], each["key"])
        drawn.append(draws)
    json.dump(drawn, sys.stdout)


if __name__ == "__main__":
    main()
