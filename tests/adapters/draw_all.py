"""Draw from every library and print what came, as one line of JSON per set of calls.

    python draw_all.py IMPORTS JAX_KEY [CALL ...] [-- JAX_KEY [CALL ...]] ...

IMPORTS is the order in which the libraries are imported, with commas. Each set of calls, those
that `seedlock env` prints, is executed as it stands before its draws; JAX_KEY is what the program
hands to jax.random.key.
"""

import hashlib
import importlib
import json
import os
import sys

WARNED = sys.flags.dev_mode
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")

words = " ".join(sys.argv[2:])
for name in sys.argv[1].split(","):
    importlib.import_module(name)

import random

import numpy


def digest(value):
    return hashlib.sha256(numpy.ascontiguousarray(value).tobytes()).hexdigest()[:16]


def draw_python():
    return [random.random(), random.getrandbits(40), random.sample(range(50), 5), random.gauss(0, 1)]


def draw_numpy():
    return [numpy.random.rand(3).tolist(), numpy.random.permutation(9).tolist()]


def draw_torch():
    import torch

    linear = torch.nn.Linear(3, 2)
    dropped = torch.nn.functional.dropout(torch.ones(20))
    loader = torch.utils.data.DataLoader(list(range(9)), batch_size=9, shuffle=True)
    return [linear.weight.tolist(), dropped.tolist(), next(iter(loader)).tolist()]


def draw_tensorflow():
    import tensorflow as tf

    rows = tf.data.Dataset.range(9).shuffle(9).batch(9)
    return [tf.random.normal((3,)).numpy().tolist(), next(iter(rows)).numpy().tolist()]


def draw_keras():
    import keras

    dense = keras.layers.Dense(2)
    dense.build((None, 3))
    dropped = keras.layers.Dropout(0.5)(numpy.ones((4, 5)), training=True)
    free = keras.random.normal((3,))
    return [digest(keras.ops.convert_to_numpy(each)) for each in (dense.kernel, dropped, free)]


def draw_mxnet():
    import mxnet

    dense = mxnet.gluon.nn.Dense(2, in_units=3)
    dense.initialize(mxnet.init.Xavier())
    with mxnet.autograd.record():
        dropped = mxnet.nd.Dropout(mxnet.nd.ones((20,)))
    free = mxnet.nd.random.normal(shape=(3,))
    return [each.asnumpy().tolist() for each in (dense.weight.data(), dropped, free)]


def draw_jax(key):
    import jax

    keys = jax.random.split(jax.random.key(key))
    order = jax.random.permutation(keys[1], 9)
    return [jax.random.normal(keys[0], (3,)).tolist(), order.tolist()]


def draw(key):
    loaded = [name for name in ("torch", "tensorflow", "keras", "mxnet") if name in sys.modules]
    drawn = {name: globals()[f"draw_{name}"]() for name in ("python", "numpy", *loaded)}
    if "jax" in sys.modules and "jax" in sys.argv[1]:
        drawn["jax"] = draw_jax(key)
    return {"python.hash": hash("text"), **drawn}
