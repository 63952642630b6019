"""What MXNet leaves in a trace, in real runs: Gluon, modules, iterators, mx.nd and mx.np."""

from __future__ import annotations

import pytest

from tests.interpreter import python
from tests.tracers.recorded import Recorded, first_difference, line_of, record

WAYS = """
import hashlib, tempfile
import mxnet as mx, numpy as np
from mxnet import autograd, gluon, npx
from mxnet.gluon import nn

results = []
def show(*arrays):
    results.extend(array.asnumpy().tobytes() for array in arrays)

rows = mx.nd.random.normal(shape=(64, 1, 6, 6))
labels = mx.nd.random.uniform(0, 3, shape=(64,)).floor()
rows[0, 0] = 1

def train(batches, update="sgd", **ways):
    net = nn.HybridSequential()
    net.add(nn.Conv2D(4, 3, activation="relu"), nn.BatchNorm(), nn.MaxPool2D(2), nn.Dropout(0.3),
            nn.Dense(3))
    net.initialize(mx.init.Xavier())
    if ways:
        net.hybridize(**ways)
    trainer = gluon.Trainer(net.collect_params(), update, {"learning_rate": 0.1})
    criterion = gluon.loss.SoftmaxCrossEntropyLoss()
    for batch in batches:
        data, label = batch if isinstance(batch, list) else (batch.data[0], batch.label[0])
        with autograd.record():
            loss = criterion(net(data), label).mean()
        autograd.backward([loss])
        trainer.step(1)
    show(loss, net(rows), *(each.data() for each in net.collect_params().values()))

memory = mx.io.NDArrayIter(rows, labels, 16)
train(memory)
memory.reset()
train(memory, "adam", active=True)
memory.reset()
train(memory, "adam", active=True, static_alloc=True, static_shape=True)
memory.reset()
train(mx.io.PrefetchingIter(memory), active=True)
train(gluon.data.DataLoader(gluon.data.ArrayDataset(rows, labels), 16, shuffle=True), active=True)
with tempfile.TemporaryDirectory() as folder:
    np.savetxt(f"{folder}/rows.csv", rows.asnumpy().reshape(64, 36), delimiter=",")
    np.savetxt(f"{folder}/labels.csv", labels.asnumpy())
    csv = mx.io.CSVIter(data_csv=f"{folder}/rows.csv", data_shape=(1, 6, 6), batch_size=32,
                        label_csv=f"{folder}/labels.csv")
    train(csv)

symbol = mx.sym.FullyConnected(mx.sym.Variable("data"), num_hidden=3, name="dense")
module = mx.mod.Module(mx.sym.SoftmaxOutput(symbol, name="softmax"))
memory.reset()
module.fit(memory, num_epoch=1, initializer=mx.init.Xavier())
show(*(array for _, array in sorted(module.get_params()[0].items())))

npx.set_np()
table, weights = mx.np.random.normal(size=(8, 6)), mx.np.zeros((6, 3))
weights.attach_grad()
with autograd.record():
    loss = ((mx.np.dot(table, weights) - 1) ** 2).mean()
loss.backward()
weights -= 0.1 * weights.grad
show(weights, mx.np.tensordot(table, weights, axes=1), mx.np.empty((0, 3)))
print("digest", hashlib.sha256(b"".join(results)).hexdigest())
"""

FAULTY = """
import os
import mxnet as mx
from mxnet import autograd, gluon

rows = mx.nd.random.normal(shape=(40, 16, 4))
net = gluon.nn.HybridSequential()
net.add(gluon.nn.Dense(5, activation="relu"), gluon.nn.Dense(3))
net.initialize()
net.hybridize()
trainer = gluon.Trainer(net.collect_params(), "sgd", {"learning_rate": 0.1})
for step in range(40):
    batch = rows[step]
    if step == 37:
        noise = int.from_bytes(os.urandom(3), "little") / 2**24
        batch = batch + noise  # the fault
    with autograd.record():
        loss = (net(batch) ** 2).mean()
    loss.backward()
    trainer.step(1)
"""

DIGESTS = """
import mxnet as mx, numpy as np
from seedlock.digests import digest
for name in ("bool", "int8", "uint8", "int32", "int64", "float16", "float32", "float64"):
    array = np.arange(6).reshape(2, 3).astype(name)
    held = mx.nd.array(array, dtype=name)
    assert digest(held) == digest(array) == digest(mx.np.array(array, dtype=name)), name
    assert digest(held) != digest(array.T) != digest(array + array)
assert digest(mx.nd.ones((2, 2)).tostype("row_sparse")) == digest(np.ones((2, 2), "float32"))
dense = mx.gluon.nn.Dense(2, in_units=2, prefix="dense_")
dense.initialize("ones")
assert digest(dense) == digest({"dense_weight": np.ones((2, 2), "float32"),
                                "dense_bias": np.zeros(2, "float32")})
"""

Ways = tuple[str, Recorded, Recorded, Recorded]
Pair = tuple[Recorded, Recorded]
MODES = ("op", "op", "step")


@pytest.fixture(scope="module", name="ways")
def _ways(tmp_path_factory: pytest.TempPathFactory) -> Ways:
    """What the program prints without a trace, two runs at mode op and one at mode step."""
    program = tmp_path_factory.mktemp("ways") / "ways.py"
    program.write_text(WAYS)
    plain = record(program, program.parent, None)
    one, two, steps = (
        # What memory held before differs: it must not get into the trace.
        record(program, tmp_path_factory.mktemp("trace"), mode, MALLOC_PERTURB_=str(17 + at))
        for at, mode in enumerate(MODES)
    )
    return plain.done.out, one, two, steps


@pytest.fixture(scope="module", name="faulty")
def _faulty(tmp_path_factory: pytest.TempPathFactory) -> Pair:
    """A program with a fault at step 37, and two runs of it with a window around that."""
    program = tmp_path_factory.mktemp("faulty") / "faulty.py"
    program.write_text(FAULTY)
    given = {"REPRO_TRACE_STEPS": "37:38", "REPRO_ENTROPY": "count"}
    one, two = (record(program, tmp_path_factory.mktemp("run"), "op", **given) for _ in range(2))
    return one, two


def at(text: str) -> str:
    """Return the place of a line in the program with a fault, as an event has it."""
    return line_of(text, FAULTY, "faulty.py")


def test_a_run_with_a_trace_ends_in_the_same_bits(
    ways: Ways,
) -> None:
    """Neither steps nor operations, nor the monitor of hybridised blocks, change a number."""
    plain, *runs = ways

    assert [run.done.out for run in runs] == [plain] * 3


def test_equal_runs_have_equal_traces(ways: Ways) -> None:
    """Below the header, byte for byte, whatever unused memory holds."""
    _, one, two, steps = ways

    assert one.lines == two.lines
    assert len(one.of("op")) > 500
    assert [event for event in one.events if event["kind"] != "op"] == steps.events


def test_steps_and_batches_of_each_kind(ways: Ways) -> None:
    """One event for each batch, also where one iterator wraps another or reads ahead."""
    _, run, *_ = ways
    batches = [event["op"] for event in run.of("batch")]
    steps = [event["op"] for event in run.of("step")]

    assert batches.count("NDArrayIter") == 16
    assert batches.count("PrefetchingIter") == 4
    assert batches.count("DataLoader") == 4
    assert batches.count("MXDataIter") == 2
    assert steps == ["Trainer.step"] * 22 + ["Module.update"] * 4
    gluon, module = (
        next(event for event in run.of("step") if event["op"] == name)
        for name in ("Trainer.step", "Module.update")
    )
    assert gluon["names"][-2:] == ["dense0_bias", "dense0_weight"]
    assert gluon["loss"].startswith("0x1.")
    assert module["names"] == ["dense_weight", "dense_bias"]
    assert module["what"] == "float32[3,36] float32[3]"


def test_operators_of_each_interface(ways: Ways) -> None:
    """Imperative ones, those inside hybridised blocks both ways, gradients, mx.np; a symbol's
    are a gap."""
    _, run, *_ = ways
    found = {event["op"] for event in run.of("op")}

    assert {"Convolution", "_backward_Convolution", "BatchNorm", "CachedOp"} <= found
    assert {"adam_update", "gradients", "stack", "_npi_normal", "tensordot"} <= found
    assert "Executor.forward" in found
    assert not {"_empty", "_npi_empty"} & found
    assert any("the operators of a bound symbol" in gap for gap in run.gaps)
    assert all(event["at"].startswith("ways.py:") for event in run.of("op", "step", "batch"))


def test_a_fault_is_seen_where_it_is(faulty: Pair) -> None:
    """Noise from the system at step 37: first the addition that takes it, at its line."""
    one, two = faulty
    left, right = first_difference(one.results, two.results)

    assert (left["kind"], left["op"], left["step"]) == ("op", "_plus_scalar", 37)
    assert left["at"] == right["at"] == at("# the fault")


def test_without_operations_the_step_is_found(faulty: Pair) -> None:
    """Steps are written throughout, 40 of them, and differ from step 37 on."""
    runs = faulty
    digests = [[event["digest"] for event in run.of("step")] for run in runs]

    assert len(digests[0]) == 40
    assert digests[0][:37] == digests[1][:37]
    assert digests[0][37] != digests[1][37]


def test_a_window_holds_the_operations_of_its_steps(faulty: Pair) -> None:
    """Forward and backward, each at its line, and none after it."""
    run, _ = faulty
    operations = run.of("op")
    lines = {event["op"]: event["at"] for event in operations}

    assert {event["step"] for event in operations} == {37}
    assert lines["FullyConnected"] == at("net(batch)")
    assert lines["_backward_FullyConnected"] == at("loss.backward()")
    assert lines["multi_sgd_update"] == at("trainer.step(1)")


def test_equal_arrays_have_one_digest() -> None:
    """Those of mx.nd, mx.np and NumPy, sparse ones and a block's parameters."""
    python("-c", DIGESTS)
