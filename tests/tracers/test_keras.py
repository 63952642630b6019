"""Keras's tracer on its three backends, in real processes."""

from __future__ import annotations

import json
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from seedlock.evaluation.divergence import first_divergence
from seedlock.evaluation.traces import Run
from tests.absent import compiled_before, without
from tests.tracers.recorded import Recorded, first_difference, line_of, record

PROGRAM = """
import hashlib, json, os, threading
import keras
import numpy as np

backend = keras.backend.backend()
rows = np.linspace(0, 1, 192, dtype="float32").reshape(48, 4)

def build(kind=keras.Sequential, *more, **compiled):
    layers = [keras.layers.Dense(3), keras.layers.BatchNormalization(), keras.layers.Dropout(0.5)]
    model = kind([keras.Input((4,)), *layers, *more, keras.layers.Dense(1)])
    model.compile(**{"optimizer": "adam", "loss": "mse", "run_eagerly": False, **compiled})
    return model

class Noise(keras.callbacks.Callback):
    seen = 0

    def on_train_batch_begin(self, batch, logs=None):
        if self.seen == 37 and "FAULT" in os.environ:
            weights = self.model.get_weights()
            weights[0][0, 0] += os.urandom(1)[0] + 1  # noise
            self.model.set_weights(weights)
        self.seen += 1

model = build()
model.fit(rows, rows[:, :1], batch_size=12, epochs=10, verbose=0, callbacks=[Noise()])  # fit
held = [model]
model = build()
model.train_on_batch(rows[:4], rows[:4, :1])  # one
model.evaluate(rows[:8], rows[:8, :1], verbose=0)  # evaluate
model.predict(rows[:4], verbose=0)  # predict

class Sheets(keras.utils.PyDataset):
    def __len__(self):
        return 3

    def __getitem__(self, at):
        return rows[at : at + 2], rows[at : at + 2, :1]

model.fit(Sheets(), shuffle=False, verbose=0)  # sheets
model.fit(keras.tree.map_structure(lambda each: each, rows[:6]), rows[:6, :1], verbose=0)

class Twice(keras.Sequential):
    def train_step(self, *args):
        result = super().train_step(*args)
        logs = dict(result[0] if backend == "jax" else result)
        logs["more"] = logs["loss"] * 2
        return (logs, result[1]) if backend == "jax" else logs

twice = build(Twice)
twice.fit(rows[:8], rows[:8, :1], batch_size=4, verbose=0)  # twice
held += [model, twice]

def drawn():
    for at in range(4):
        yield rows[at : at + 8], rows[at : at + 8, :1]  # drawn

model.fit(drawn(), verbose=0)  # generator
thread = threading.Thread(target=lambda: model.fit(rows[:6], rows[:6, :1], verbose=0))
thread.start()
thread.join()
model.fit(rows[6:12], rows[6:12, :1], verbose=0)  # after
if backend != "torch":
    grain = []
    if backend == "tensorflow":
        import tensorflow as tf

        class Grain(keras.layers.Layer):
            def call(self, given):  # seeded by its place in the graph
                return given + tf.random.normal(tf.shape(given))

        grain = [Grain()]
    several = build(keras.Sequential, *grain, optimizer="sgd", steps_per_execution=3)
    several.fit(rows, rows[:, :1], batch_size=12, shuffle=False, verbose=0)  # several
    several.evaluate(rows, rows[:, :1], batch_size=12, verbose=0)  # evaluates
    held.append(several)
if backend == "tensorflow":
    xla = build(jit_compile=True)
    eager = build(run_eagerly=True)
    with tf.distribute.MirroredStrategy(["CPU:0"]).scope():
        mirrored = build()
    for special in (xla, eager, mirrored):
        special.fit(rows[:8], rows[:8, :1], batch_size=4, verbose=0)  # special
        held.append(special)

layer = keras.layers.Dense(1)
layer.build((None, 4))
optimizer = keras.optimizers.Adam(0.1)
if backend != "jax":
    optimizer = keras.optimizers.LossScaleOptimizer(optimizer)
ones = [keras.ops.ones(each.shape) for each in layer.trainable_variables]
for _ in range(2):
    optimizer.apply(ones, layer.trainable_variables)  # apply
if backend == "jax":
    import jax

    def update(state, gradients):
        return optimizer.stateless_apply(state[1], gradients, state[0])

    state = [each.value for each in layer.trainable_variables], [
        each.value for each in optimizer.variables
    ]
    state = update(state, ones)  # stateless
    state = jax.jit(update)(state, ones)
    with keras.StatelessScope():
        optimizer.apply(ones, layer.trainable_variables)  # nowhere
bits = b"".join(each.tobytes() for one in (*held[1:], layer) for each in one.get_weights())

from seedlock.digests import digest
variable = model.trainable_variables[0]
like = [digest(variable.value), digest(keras.ops.convert_to_numpy(variable))]
slices = [slice(at, at + 12) for at in range(0, 48, 12)]
print(json.dumps({
    "slices": [[digest(rows[at]), digest(rows[at, :1])] for at in slices],
    "bits": hashlib.sha256(bits).hexdigest(), "like": like,
    "models": [digest(each) for each in (held[0], held[0], held[1])],
}))
"""
READING = """
import os
import keras
import numpy as np
import tensorflow as tf

FAULT = os.environ["FAULT"]
rows = np.linspace(0, 1, 160, dtype="float32").reshape(40, 4)
order = list(range(40))
if FAULT == "order":
    order[20:24], order[28:32] = order[28:32], order[20:24]
seen = 0

def augment(row):
    global seen
    seen += 1
    if FAULT == "augmentation" and seen == 30:
        row = row + np.float32(1 + os.urandom(1)[0])  # augmentation
    return row

data = tf.data.Dataset.from_tensor_slices(rows[order])
data = data.map(lambda row: tf.ensure_shape(tf.numpy_function(augment, [row], tf.float32), [4]))
data = data.map(lambda row: (row, row[:1])).batch(4).prefetch(4)
model = keras.Sequential([keras.Input((4,)), keras.layers.Dense(1)])
model.compile(optimizer="sgd", loss="mse")
model.fit(data, verbose=0)  # fit
"""
WINDOW = {"REPRO_TRACE_STEPS": "2:3", "FAULT": "1"}
RUNS: dict[str, dict[str, str]] = {"plain": {}, "one": WINDOW, "two": WINDOW}
BACKENDS = ("tensorflow", "jax", "torch")
Runs = dict[str, dict[str, Recorded]]


@pytest.fixture(scope="module", name="all_runs")
def _all_runs(tmp_path_factory: pytest.TempPathFactory) -> Runs:
    folder = tmp_path_factory.mktemp("keras")
    program = folder / "program" / "program.py"
    program.parent.mkdir()
    program.write_text(PROGRAM)
    pairs = [(backend, name) for backend in BACKENDS for name in RUNS]
    start = {
        "tensorflow": without("jax", "sklearn"),
        "torch": without("jax", "sklearn"),
        "jax": without("sklearn") | compiled_before(folder / "compiled"),
    }

    def run(pair: tuple[str, str]) -> Recorded:
        backend, name = pair
        given = {"KERAS_BACKEND": backend, "REPRO_ENTROPY": "count", **start[backend], **RUNS[name]}
        mode = "op" if RUNS[name] else None
        return record(program, folder / f"{backend}-{name}", mode, **given)

    with ThreadPoolExecutor(2) as pool:
        made = dict(zip(pairs, pool.map(run, pairs), strict=True))
    return {backend: {name: made[backend, name] for name in RUNS} for backend in BACKENDS}


@pytest.fixture(name="runs", params=BACKENDS)
def _runs(request: pytest.FixtureRequest, all_runs: Runs) -> dict[str, Recorded]:
    return all_runs[request.param]


def at(text: str) -> str:
    """Return the place of a line in the program, as an event has it."""
    return line_of(text, PROGRAM, "program.py")


def steps_at(run: Recorded, text: str) -> list[dict[str, Any]]:
    """Return the steps of a line of the program."""
    return [each for each in run.of("step") if each["at"] == at(text)]


def test_a_trace_changes_no_bits(runs: dict[str, Recorded]) -> None:
    """Weights end in the same bits with a trace; those of the first model had noise."""
    assert runs["plain"].said["bits"] == runs["one"].said["bits"] == runs["two"].said["bits"]


def test_each_batch_of_fit_is_a_step(runs: dict[str, Recorded]) -> None:
    """A step has the line of fit(), the loss, and all variables by their paths: those of the
    generator behind a Dropout too."""
    steps = steps_at(runs["one"], "# fit")

    assert [each["step"] for each in steps] == list(range(40))
    assert {each["op"] for each in steps} == {"Sequential.train_step"}
    assert steps[0]["names"][:2] == ["sequential/dense/kernel", "sequential/dense/bias"]
    assert any("seed_generator" in each for each in steps[0]["names"])
    assert len(steps[0]["names"]) == len(steps[0]["parts"].split()) == 9
    assert len({each["digest"] for each in steps}) == 40
    assert all(float.fromhex(each["loss"]) > 0 for each in steps)


def test_other_ways_to_train(runs: dict[str, Recorded]) -> None:
    """train_on_batch, a PyDataset, a model's own train_step, several steps per execution and an
    optimizer alone: one step per call from Python."""
    run = runs["one"]

    assert len(steps_at(run, "# one")) == 1
    assert len(steps_at(run, "# sheets")) == 3
    assert [each["op"] for each in steps_at(run, "# twice")] == ["Twice.train_step"] * 2
    assert len(steps_at(run, "# several")) in (0, 2)
    alone = steps_at(run, "# apply")
    assert len(alone) == 2
    assert alone[0]["op"].endswith(".apply")
    assert len(alone[0]["parts"].split()) == 2


def test_backends_differ_where_they_must(all_runs: Runs) -> None:
    """Four batches at three per execution are two steps, which torch does not have; what only
    JAX has is a step of its own, but not where no variable changes or in a compiled function; an
    optimizer around another is one."""
    several = {name: len(steps_at(runs["one"], "# several")) for name, runs in all_runs.items()}
    alone = {name: steps_at(runs["one"], "# apply")[0]["op"] for name, runs in all_runs.items()}

    assert several == {"tensorflow": 2, "jax": 2, "torch": 0}
    assert alone == {
        "tensorflow": "LossScaleOptimizer.apply",
        "jax": "Adam.apply",
        "torch": "LossScaleOptimizer.apply",
    }
    assert steps_at(all_runs["jax"]["one"], "# nowhere") == []
    stateless = all_runs["jax"]["one"].of("step", op="Adam.stateless_apply")
    assert [each["at"] for each in stateless] == [at("return optimizer.stateless_apply")]


def test_evaluation_and_prediction_are_calls(runs: dict[str, Recorded]) -> None:
    """evaluate() and predict() are no steps; their results are events."""
    calls = runs["one"].of("call")

    tested = [each for each in calls if each["op"] == "Sequential.test_step"]
    assert [each["at"] for each in tested][:1] == [at("# evaluate")]
    assert {each["at"] for each in tested} <= {at("# evaluate"), at("# evaluates")}
    assert tested[0]["names"] == ["loss"]
    predicted = [each for each in calls if each["op"] == "Sequential.predict_step"]
    assert [(each["at"], each["what"]) for each in predicted] == [(at("# predict"), "float32[4,1]")]


def batches_at(run: Recorded, text: str) -> list[dict[str, Any]]:
    """Return the batches of a line of the program."""
    return [each for each in run.of("batch") if each["at"] == at(text)]


def test_each_batch_is_seen_before_its_step(runs: dict[str, Recorded]) -> None:
    """Once each, on every backend, inside a compiled fit() and outside of one, in the window and
    behind it; also those of evaluate() and predict()."""
    run = runs["one"]
    kinds = [
        each["kind"] for each in run.of("batch", "step", "call")
        if each["step"] < 40 and each["at"] == at("# fit")
    ]  # fmt: skip

    assert kinds == ["batch", "step"] * 40
    assert {each["what"] for each in batches_at(run, "# fit")} == {"float32[12,4] float32[12,1]"}
    assert [each["what"] for each in batches_at(run, "# one")] == ["float32[4,4] float32[4,1]"]
    assert len(batches_at(run, "# evaluate")) == len(batches_at(run, "# predict")) == 1
    assert len(batches_at(run, "# twice")) == 2
    assert len(batches_at(run, "# after")) == 1


def test_batches_stand_at_the_line_that_makes_them(runs: dict[str, Recorded]) -> None:
    """A generator that ran ahead in another thread, and a PyDataset: the batch has its line, the
    step that of fit()."""
    run = runs["one"]

    assert len(batches_at(run, "# drawn")) == len(steps_at(run, "# generator")) == 4
    assert len(batches_at(run, "def __getitem__")) == len(steps_at(run, "# sheets")) == 3
    assert batches_at(run, "# generator") == batches_at(run, "# sheets") == []


def test_several_steps_per_execution_have_their_batches_in_order(all_runs: Runs) -> None:
    """Three and one, before the step that they are part of."""
    for backend in ("tensorflow", "jax"):
        run = all_runs[backend]["one"]
        slices = [" ".join(each[-32:-24] for each in pair) for pair in run.said["slices"]]
        found = [each for each in run.of("batch", "step") if each["at"] == at("# several")]

        assert [each["kind"] for each in found] == [*["batch"] * 3, "step", "batch", "step"]
        assert [each["parts"] for each in found if each["kind"] == "batch"] == slices
        assert [each["parts"] for each in batches_at(run, "# evaluates")] == slices


def test_batches_of_other_ways_to_run_a_step_on_tensorflow(all_runs: Runs) -> None:
    """Compiled by XLA, run eagerly, and under a strategy with variables of its own."""
    run = all_runs["tensorflow"]["one"]
    special = [each for each in run.of("batch", "step") if each["at"] == at("# special")]
    found = [each for each in special if each["op"] != "tf.data"]  # which builds a model

    assert [each["kind"] for each in found] == ["batch", "step"] * 2 * 3
    assert len({each["digest"] for each in found if each["kind"] == "batch"}) == 2


def test_a_window_has_the_operations_of_its_step_only(all_runs: Runs) -> None:
    """On TensorFlow a compiled fit() runs operation by operation for the length of the window."""
    operations = all_runs["tensorflow"]["one"].of("op")
    names = [each["op"] for each in operations]

    assert {(each["step"], each["at"]) for each in operations} == {(2, at("# fit"))}
    assert "IteratorGetNext" in names[:2]
    assert names.count("MatMul") == 2 + 3
    assert names.count("StatelessRandomUniformV2") == 1


def test_noise_is_first_seen_where_it_is(runs: dict[str, Recorded]) -> None:
    """Two runs have equal lines, byte for byte, until a callback changes a weight by noise at
    step 37; after that model's training they have equal lines again."""
    one, two = first_difference(runs["one"].comparable, runs["two"].comparable)

    for event in (one, two):
        assert (event["step"], event["kind"], event["at"]) == (37, "entropy", at("# noise"))
    first = [
        mine["step"] for mine, its in zip(*(run.of("step") for run in runs.values() if run.events),
                                          strict=True)
        if mine["digest"] != its["digest"]
    ]  # fmt: skip
    assert first == [37, 38, 39]
    later = [
        [line for line in run.comparable if json.loads(line).get("step", 40) >= 40]
        for run in (runs["one"], runs["two"])
    ]
    assert later[0] == later[1]
    assert len(later[0]) > 10


def test_keras_has_the_digests_of_numpy(runs: dict[str, Recorded]) -> None:
    """A variable's value is digested like its array, a model by its weights."""
    said = runs["plain"].said

    assert said["like"][0] == said["like"][1]
    assert said["models"][0] == said["models"][1] != said["models"][2]


def test_a_fault_in_the_batches_is_found_at_its_batch(tmp_path: Path) -> None:
    """An augmentation inside tf.data draws from the system for one row of the eighth batch, or
    the sixth and the eighth have changed places: diff names the batch that holds it, and
    not only the step that it leads to."""
    program = tmp_path / "program" / "program.py"
    program.parent.mkdir()
    program.write_text(READING)
    names = ("none", "augmentation", "order")
    start = without("jax", "sklearn")

    def run(name: str) -> Run:
        folder = tmp_path / name
        record(program, folder, "step", REPRO_ENTROPY="count", FAULT=name, **start)
        return Run(folder)

    with ThreadPoolExecutor(2) as pool:
        clean, augmented, ordered = pool.map(run, names)
    found = [first_divergence(clean, other) for other in (augmented, ordered)]

    line = line_of("# fit", READING, "program.py")
    assert [each and (each.kind, each.step, each.at) for each in found] == [
        ("batch", 7, line),
        ("batch", 5, line),
    ]
    texts = [each.causes[0].text for each in found if each is not None]
    assert "was made from something else than the process's generators" in texts[0]
    assert "another order" in texts[1]
