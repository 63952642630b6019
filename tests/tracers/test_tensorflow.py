"""TensorFlow's tracer, in real processes."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import pytest

from tests.absent import without
from tests.tracers.recorded import Recorded, first_difference, line_of, record

PROGRAM = """
import hashlib, json, os, threading
import keras
import numpy as np
import tensorflow as tf

said = {}
[processor] = tf.config.list_physical_devices("CPU")
tf.config.set_logical_device_configuration(processor, [tf.config.LogicalDeviceConfiguration()] * 2)

def rows():
    for number in range(40):
        row = np.linspace(0, 1 + number % 3, 12, dtype="float32").reshape(3, 4)
        if number == 37 and "FAULT" in os.environ:
            row[0, 0] += os.urandom(1)[0] + 1
        yield row

weight = tf.Variable(tf.ones((4, 1)), name="weight")
target = tf.Variable(tf.ones((4, 1)), name="target")

unchanged = tf.Variable(1.0, name="unchanged")

@tf.function
def descend(row):
    with tf.GradientTape() as tape:
        loss = tf.reduce_mean((row @ weight - 0.3) ** 2)  # forward
    weight.assign_sub(0.1 * tape.gradient(loss, weight))
    return loss

@tf.function
def follow(rate):
    target.assign(rate * target + (1 - rate) * weight)  # assign

for row in tf.data.Dataset.from_generator(rows, output_signature=tf.TensorSpec((3, 4))):  # read
    descend(row)  # step
    follow(0.5)

layer = keras.layers.Dense(2)
layer.build((None, 4))
adam = keras.optimizers.Adam(0.01)
data = tf.data.Dataset.from_tensor_slices(np.eye(8, 4, dtype="float32"))
data = data.batch(2, drop_remainder=True)

def eager_step(row):
    with tf.GradientTape() as tape:
        loss = tf.reduce_mean(tf.nn.dropout(layer(row), 0.5) ** 2)
    gradients = tape.gradient(loss, layer.trainable_variables)
    adam.apply(gradients, layer.trainable_variables)  # eager
    return {"loss": loss, "extra": row}

graph_step = tf.function(eager_step)

@tf.function
def epoch(dataset):
    for row in dataset:
        graph_step(row)

with tf.GradientTape() as tape:
    loss = tf.reduce_sum(weight)
    keras.optimizers.SGD(0.5).apply([tf.ones((4, 1)), None], [target, unchanged])
said["watched"] = [each.name for each in tape.watched_variables()]

legacy = tf.compat.v1.train.MomentumOptimizer(0.1, 0.9)

def legacy_step(row):
    with tf.GradientTape() as tape:
        loss = tf.reduce_mean((row @ weight) ** 2)
    legacy.apply_gradients([(tape.gradient(loss, weight), weight)])

for row in data:
    eager_step(row)
for row in data:
    graph_step(row)  # compiled
epoch(data)
legacy_step(row)
tf.function(legacy_step)(row)
tf.function(lambda row: (row, {"dataset": tf.data.experimental.Optional.from_value(row)}))(row)

@tf.function
def square(row):
    return tf.reduce_sum(row) ** 2

@tf.function
def outer(row):
    return square(row) + 1

outer(row)
square(row)
tf.config.run_functions_eagerly(True)
outer(row)
descend(tf.ones((3, 4)))
tf.config.run_functions_eagerly(False)

def elements():
    for number, row in enumerate(np.eye(4, dtype="float32").repeat(4, 0)):
        if number == 9 and "FAULT" in os.environ:
            row[0] += os.urandom(1)[0] + 1
        yield row

shuffled = tf.data.Dataset.from_tensor_slices({"row": np.eye(12, 4), "number": range(12)})
shuffled = shuffled.shuffle(12).batch(2, drop_remainder=True)
drawn = tf.data.Dataset.from_generator(elements, output_signature=tf.TensorSpec((4,)))
drawn = drawn.batch(2, drop_remainder=True)
inward = tf.Variable(tf.ones((4, 1)), name="inward")
noisy = tf.Variable(tf.ones((4, 1)), name="noisy")

def learn(row, variable):
    with tf.GradientTape() as tape:
        row = tf.nn.dropout(tf.cast(row, "float32"), 0.25)
        loss = tf.reduce_mean((row @ variable - tf.random.normal((2, 1))) ** 2)
    variable.assign_sub(0.1 * tape.gradient(loss, variable))
    return loss

learn_fast = tf.function(learn, jit_compile=True)
learn_once = tf.function(learn)

@tf.function
def through(dataset, variable, most):
    count = 0
    for batch in dataset:  # through
        if count == most:
            break
        learn_fast(batch, variable)
        count += 1
    return count

@tf.function
def onward(iterator):
    count = 0
    for batch in iterator:  # onward
        learn_once(batch["row"], inward)
        count += 1
    return count

@tf.function
def pair(one, two):
    a = next(one)["row"]  # one
    b = next(two)  # two
    return learn(a - tf.cast(b, a.dtype), inward)

@tf.function
def nothing_left(iterator):
    optional = iterator.get_next_as_optional()  # perhaps
    return tf.cond(optional.has_value(), optional.get_value, lambda: tf.zeros((2, 4)))

@tf.function
def prepared():
    def total(count):
        found = tf.constant(0, tf.int64)
        for number in tf.data.Dataset.range(count):
            found += number
        return found

    found = tf.constant(0, tf.int64)
    for number in tf.data.Dataset.range(4).map(total, num_parallel_calls=2):  # prepared
        found += number
    return found

said["counts"] = [int(through(drawn, noisy, 6)), int(onward(iter(shuffled)))]
one, two = iter(shuffled), iter(data)
for _ in range(2):
    pair(one, two)  # pair
for _ in range(3):
    nothing_left(two)  # left
said["prepared"] = int(prepared())
learn_once(row, inward)  # alone
through.get_concrete_function(data, inward, 6)(data, inward, 6)  # concrete
perhaps = iter(data).get_next_as_optional()
perhaps.get_value()  # optional

one = tf.distribute.MirroredStrategy(["CPU:0"])

@tf.function
def distributed(dataset):
    for batch in dataset:  # distributed
        one.run(learn, (batch, inward))

distributed(one.experimental_distribute_dataset(data))

several = tf.distribute.MirroredStrategy(["CPU:0", "CPU:1"])

@tf.function
def replicas():
    several.run(lambda: iter(data).get_next())

@tf.function
def windows():
    count = 0
    for _ in data.window(2):  # windows
        count += 1
    return count

def converted():
    count = 0
    for _ in data:
        count += 1
    return count

replicas()  # apart
windows()  # called
tf.autograph.to_graph(converted)()

class Saved(tf.Module):
    @tf.function
    def train(self, dataset):
        for batch in dataset:  # saved
            inward.assign_add(0.01 * tf.transpose(batch[:1]))

module = Saved()
module.inward = inward
module.train(data)  # first
tf.saved_model.save(module, os.environ["SAVED"])
again = tf.saved_model.load(os.environ["SAVED"])
said["saved"] = [name for name in ("train",) if b"seedlock" not in open(
    os.environ["SAVED"] + "/saved_model.pb", "rb").read() and hasattr(again, name)]
module.train(data)  # again

thread = threading.Thread(target=lambda: [square(row), next(iter(data))])
thread.start()
thread.join()

held = [*layer.trainable_variables, *adam.variables, inward]
digest = hashlib.sha256(b"".join(np.asarray(each).tobytes() for each in held))
said["bits"] = digest.hexdigest()

from seedlock.digests import digest
other = np.arange(6).reshape(2, 3)
kinds = ["bool", "int8", "uint8", "int32", "int64", "float16", "bfloat16", "float32", "float64",
         "complex64"]
said["unlike"] = [
    kind for kind in kinds
    if not digest(tf.cast(other, kind)) == digest(tf.Variable(tf.cast(other, kind)))
    == digest(tf.cast(other, kind).numpy())
]
texts = tf.constant([b"one", b"two"])
said["texts"] = digest(texts) == digest(texts.numpy())
ragged = [tf.ragged.constant(rows) for rows in ([[1], [2, 3]], [[1], [2, 3]], [[1, 2], [3]])]
sparse = [tf.sparse.from_dense(rows) for rows in ([0, 1], [0, 1], [1, 0])]
said["composite"] = [[digest(each) for each in values] for values in (ragged, sparse)]
print(json.dumps(said))
"""
WINDOW = {"REPRO_TRACE_STEPS": "2:3", "FAULT": "1"}
RUNS: dict[str, dict[str, str]] = {"plain": {}, "window": WINDOW, "again": WINDOW}


@pytest.fixture(scope="module", name="runs")
def _runs(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Recorded]:
    folder = tmp_path_factory.mktemp("tensorflow")
    program = folder / "program" / "program.py"
    program.parent.mkdir()
    program.write_text(PROGRAM)

    def run(name: str) -> Recorded:
        mode = "op" if RUNS[name] else None
        given = {**without("jax", "sklearn"), "REPRO_ENTROPY": "count", **RUNS[name]}
        given["SAVED"] = str(folder / f"{name}-saved")
        return record(program, folder / name, mode, **given)

    with ThreadPoolExecutor(2) as pool:
        return dict(zip(RUNS, pool.map(run, RUNS), strict=True))


def at(text: str) -> str:
    """Return the place of a line in the program, as an event has it."""
    return line_of(text, PROGRAM, "program.py")


def test_a_trace_changes_no_bits(runs: dict[str, Recorded]) -> None:
    """Variables end in the same bits with a trace, and behind a window of operations; no variable
    is taken for one that a tape has seen."""
    assert len({run.said["bits"] for run in runs.values()}) == 1
    assert [run.said["watched"] for run in runs.values()] == [["weight:0", "target:0"]] * 3


def test_a_function_that_takes_a_gradient_and_assigns_is_a_step(runs: dict[str, Recorded]) -> None:
    """A compiled loop without an optimizer has steps; what assigns without a gradient has none."""
    steps = runs["window"].of("step", op="descend")

    assert [each["step"] for each in steps] == [*range(40), steps[-1]["step"]]
    assert steps[0]["names"] == ["weight"]
    assert steps[0]["what"] == "float32[4,1]"
    assert steps[0]["at"] == at("# step")
    assert float.fromhex(steps[0]["loss"]) > 0
    assert len({each["digest"] for each in steps[:40]}) == 40
    assert len(runs["window"].of("call", op="follow")) == 40


def test_optimizers_step_eagerly_and_compiled(runs: dict[str, Recorded]) -> None:
    """Keras's optimizers and those of tf.compat.v1 have one step per outermost call, with the
    author's line: that of the optimizer, or that of the function that holds it."""
    steps = runs["window"].of("step", op="Adam.apply")

    assert [each["at"] for each in steps] == (
        [at("# eager")] * 4 + [at("# compiled")] * 4 + [at("epoch(data)")]
    )
    assert steps[0]["names"] == ["dense/kernel", "dense/bias"]
    assert "loss" not in steps[0]
    assert "loss" in steps[4]
    assert "tensorflow" in runs["window"].of("step")[0]["rng"]
    legacy = runs["window"].of("step", op="MomentumOptimizer.apply_gradients")
    assert [each["names"] for each in legacy if "names" in each] == [["weight"]]
    assert len(legacy) == 2


def test_calls_from_outside_are_noted(runs: dict[str, Recorded]) -> None:
    """A tf.function called by another is part of that one, compiled or not; what has no content
    is left out of the outputs."""
    calls = [each for each in runs["window"].of("call") if each["op"] != "follow"]

    assert [each["op"] for each in calls[:4]] == ["<lambda>", "outer", "square", "outer"]
    assert calls[0]["what"] == "float32[2,4]"
    assert calls[1]["text"] == (1.0).hex()
    assert calls[1]["digest"] == calls[3]["digest"]


def test_what_other_threads_do_is_counted(runs: dict[str, Recorded]) -> None:
    """A call and a batch of another thread have no order: the last line says how many there were,
    with the two generators' draws."""
    assert runs["window"].end["left_out"] == 4


def test_batches_of_tf_data_are_noted(runs: dict[str, Recorded]) -> None:
    """Each element that Python gets is an event, with the line of its loop; an Optional's when it
    is taken out. What a function that runs eagerly reads is none of it alone."""
    batches = runs["window"].of("batch", op="tf.data")

    assert [each["step"] for each in batches[:40]] == list(range(40))
    assert {each["at"] for each in batches[:40]} == {at("# read")}
    assert len([each for each in batches if each["at"] == at("eager_step(row)")]) == 0
    assert len([each for each in batches if each["at"] == at("# optional")]) == 1


def test_batches_that_functions_read_are_noted(runs: dict[str, Recorded]) -> None:
    """A compiled function's batches come in order before the event that they are part of, with
    the line that reads them: a loop over a data set up to its break, a loop over an iterator, two
    iterators in turn, an Optional's while there is one, a distributed data set."""
    events = runs["window"].of("batch", "step", "call")
    found = [(each["kind"], each["op"], each["at"]) for each in events]
    start = found.index(("batch", "tf.data", at("# through")))

    def read(text: str, count: int = 1) -> list[tuple[str, str, str]]:
        return [("batch", "tf.data", at(text))] * count

    def done(kind: str, op: str, text: str) -> tuple[str, str, str]:
        return (kind, op, at(text))

    assert runs["window"].said["counts"] == [6, 6]
    said = 'said["counts"]'
    expected = [
        *read("# through", 7), done("step", "through", said),
        *read("# onward", 6), done("step", "onward", said),
        *[*read("# one"), *read("# two"), done("step", "pair", "# pair")] * 2,
        *[*read("# perhaps"), done("call", "nothing_left", "# left")] * 2,
        done("call", "nothing_left", "# left"),
        *read("# prepared", 4), done("call", "prepared", "int(prepared())"),
        done("step", "learn", "# alone"),
        *read("# through", 4),
        *read("# optional"),
        *read("# distributed", 4), done("step", "distributed", "dataset(data)"),
        done("call", "replicas", "# apart"), done("call", "windows", "# called"),
        *read("# saved", 4), done("call", "train", "# first"),
        *read("# saved", 4), done("call", "train", "# again"),
    ]  # fmt: skip
    assert found[start : start + len(expected)] == expected
    onward = [each for each in events if each["at"] == at("# onward")]
    assert len({each["digest"] for each in onward}) == 6
    assert onward[0]["what"] == "int32[2] float64[2,4]"


def test_a_fault_in_what_a_function_reads_is_found_at_its_batch(runs: dict[str, Recorded]) -> None:
    """Noise in the tenth element is first seen in the fifth batch, before the function's step."""
    one, two = (
        [each for each in runs[name].of("batch", "step") if each["at"] == at("# through")]
        for name in ("window", "again")
    )

    assert [a == b for a, b in zip(one[:7], two[:7], strict=True)] == [True] * 4 + [
        False,
        True,
        True,
    ]


def test_batches_that_cannot_be_noted_are_a_gap(runs: dict[str, Recorded]) -> None:
    """A report names what a trace lacks: batches that replicas read for themselves, elements
    without a content, loops in code that the author converted."""
    gaps = " ".join(runs["window"].gaps)

    assert "replicas of a strategy read their own batches" in gaps
    assert f"{at('# windows')} has no content" in gaps
    assert "tf.autograph.to_graph" in gaps


def test_functions_that_read_can_be_saved(runs: dict[str, Recorded]) -> None:
    """What lets batches out of a function is not saved with it."""
    assert all(run.said["saved"] == ["train"] for run in runs.values())


def test_a_window_has_the_operations_of_its_steps_only(runs: dict[str, Recorded]) -> None:
    """Operations inside a compiled function have an order and the author's line there, even in a
    function that has been compiled before."""
    operations = runs["window"].of("op")

    assert {each["step"] for each in operations} == {2}
    assert (operations[0]["op"], operations[0]["at"]) == ("Mul", at("# assign"))
    forward = [each for each in operations if each["at"] == at("# forward")]
    assert [each["op"] for each in forward] == ["MatMul", "Sub", "Pow", "Mean"]
    assert float.fromhex(forward[-1]["text"]) == float.fromhex(runs["window"].of("step")[2]["loss"])
    assert [len(each["kept"]) for each in forward] == [1] * 4


def test_equal_runs_have_equal_lines_and_a_fault_is_seen_where_it_is(
    runs: dict[str, Recorded],
) -> None:
    """The lines of two runs are equal byte for byte up to noise in a generator's 37th element:
    the batch that holds it comes first. What does not depend on it is equal again."""
    one, two = first_difference(runs["window"].comparable, runs["again"].comparable)

    for event in (one, two):
        assert (event["kind"], event["step"], event["at"]) == ("batch", 37, at("# read"))
    kinds = ("batch", "call", "step")
    after, again = (
        [each for each in run.events if each["kind"] in kinds and each["op"] != "descend"
         and each["step"] > 40 and "weight" not in each.get("names", ())
         and "Momentum" not in each["op"] and each["op"] != "through"
         and each["at"] != at("# through")]
        for run in (runs["window"], runs["again"])
    )  # fmt: skip
    assert after == again
    assert len(after) > 10


def test_tensors_have_the_digests_of_their_arrays(runs: dict[str, Recorded]) -> None:
    """Tensors and variables of every type are digested as NumPy's arrays are; ragged and sparse
    ones by their components."""
    said = runs["plain"].said

    assert said["unlike"] == []
    assert said["texts"]
    for one, same, other in said["composite"]:
        assert one == same != other
