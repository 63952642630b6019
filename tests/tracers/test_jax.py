"""What JAX leaves in a trace, in real runs: plain loops, Flax, optax, and every way to call."""

from __future__ import annotations

from pathlib import Path
from typing import Any, cast

import pytest

from tests.absent import compiled_before
from tests.interpreter import python
from tests.tracers.recorded import Recorded, first_difference, line_of, record

WAYS = """
import functools, hashlib
import jax, jax.numpy as jnp, numpy as np, optax
from flax import nnx

rows = jnp.arange(6.0).reshape(2, 3)
results = []
def show(*values):
    results.extend(np.asarray(leaf).tobytes() for leaf in jax.tree.leaves(values))

class Model:
    @functools.partial(jax.jit, static_argnums=0)
    def method(self, rows):
        return rows * 2
@functools.partial(jax.jit, static_argnames=("n",))
def power(rows, n):
    return rows**n
@functools.partial(jax.jit, donate_argnums=0)
def donating(state, rows):
    return jax.tree.map(lambda each: each + rows.sum(), state)

for _ in range(3):
    show(Model().method(rows), power(rows, n=3), jax.jit(functools.partial(jnp.add, 1.0))(rows))
state = {"w": jnp.ones(4), "b": jnp.zeros(2)}
for _ in range(3):
    before, state = state, donating(state, rows)
    assert before["w"].is_deleted()
loss = jax.jit(lambda w: jnp.sum(jnp.tanh(w) ** 2))
for _ in range(2):
    show(state, jax.grad(loss)(rows), jax.vmap(loss)(rows), jax.jit(lambda w: loss(w) + 1)(rows))
    show(jax.lax.scan(lambda carry, row: (carry + loss(row), carry), 0.0, rows))
assert type(power) is type(jax.jit(lambda: 0)) and power.__wrapped__(rows, 2) is not None
assert power.eval_shape(rows, 2).shape == (2, 3) and power.trace(rows, 2) and hash(power)
ahead = power.lower(rows, n=2).compile()
show(ahead(rows), ahead(rows), jax.pmap(lambda row: row * 3)(rows[None]))
power.clear_cache()
show(jax.jit(lambda a: jax.lax.cond(a.sum() > 3, lambda b: b * 2, lambda b: b - 1, a))(rows))
show(jax.jit(jax.grad(lambda a: jax.nn.relu(jax.checkpoint(jnp.sin)(a)).sum()))(rows))

called = []
def host(a):
    called.append(1)
    return np.asarray(a) * 2
calling = jax.jit(lambda a: jax.pure_callback(host, jax.ShapeDtypeStruct(a.shape, a.dtype), a))
printing = jax.jit(lambda a: (jax.debug.callback(lambda each: called.append(each), a.sum()), a)[1])
show(calling(rows), calling(rows), printing(rows))
jax.effects_barrier()
assert len(called) == 3, called

with jax.debug_nans(True):  # takes the hook that the trace uses, and gives it back
    show(jax.jit(lambda a: jnp.where(a > 0, a / a, 0.0))(rows))
    try:
        jax.jit(lambda a: a / 0 * 0)(rows)
    except FloatingPointError:
        show(1.0)
with jax.transfer_guard("disallow"):
    show(power(rows, n=2), power(rows, n=2))
with jax.disable_jit():
    show(power(rows, n=2))
with jax.enable_x64(True):
    show(jax.jit(lambda a: a + 1)(np.arange(3.0)))
split = jax.jit(jax.random.split)
show(jax.random.key_data(split(jax.random.key(3))))
show(jax.jit(lambda a: a.astype(jnp.bfloat16))(rows), power(np.arange(3.0), n=2), power(3.0, n=2))

class Net(nnx.Module):
    def __init__(self, rngs):
        self.linear = nnx.Linear(3, 4, rngs=rngs)
        self.dropout = nnx.Dropout(0.5, rngs=rngs)
    def __call__(self, rows):
        return self.dropout(self.linear(rows))
net = Net(nnx.Rngs(0))
optimizer = nnx.Optimizer(net, optax.adamw(1e-3), wrt=nnx.Param)
@nnx.jit
def train_step(net, optimizer, rows):
    loss, gradients = nnx.value_and_grad(lambda net: (net(rows) ** 2).mean())(net)
    optimizer.update(net, gradients)
    return loss
for _ in range(3):
    show(train_step(net, optimizer, rows))

parameters = {"w": jnp.ones(3)}
transform = optax.adam(1e-2)
held = transform.init(parameters)
objective = lambda parameters, rows: ((rows * parameters["w"]) ** 2).mean()
slope = jax.jit(jax.value_and_grad(objective))
for each in (slope, slope, jax.value_and_grad(objective), jax.value_and_grad(objective)):
    _, gradients = each(parameters, rows)
    updates, held = transform.update(gradients, held)
    parameters = optax.apply_updates(parameters, updates)
show(parameters)
print("digest", hashlib.sha256(b"".join(results)).hexdigest())
"""

FAULTY = """
import os
import jax, jax.numpy as jnp

features = jax.random.normal(jax.random.key(0), (40, 16, 4))

def objective(w, rows):
    hidden = jnp.tanh(rows @ w)
    return jnp.mean(hidden**2)

@jax.jit
def update(w, rows):
    loss, slope = jax.value_and_grad(objective)(w, rows)
    return loss, w - 0.1 * slope

w = jnp.ones((4, 3))
for step in range(40):
    rows = features[step]
    if step == 37:
        noise = int.from_bytes(os.urandom(3), "little") / 2**24
        rows = rows + noise  # the fault
    loss, w = update(w, rows)
    evaluation = jax.jit(objective)(w, rows)
print("digest", w.tobytes().hex())
"""

LATE = """
import os
import jax, jax.numpy as jnp
update = jax.jit(lambda w, rows: w - 0.1 * (rows @ w))
w, rows = jnp.ones(3), jnp.ones((3, 3))
for _ in range(3):
    w = update(w, rows)
import seedlock
seedlock.lock(7)
for _ in range(3):
    w = update(w, rows)
"""

DIGESTS = """
import jax, jax.numpy as jnp, ml_dtypes, numpy as np
from seedlock.digests import digest
jax.config.update("jax_enable_x64", True)
for name in ("bool", "int8", "uint8", "int16", "int32", "int64", "uint32", "float16", "float32",
             "float64", "complex64"):
    array = np.arange(6).reshape(2, 3).astype(name)
    assert digest(jnp.asarray(array)) == digest(array), name
small = np.arange(6).astype(ml_dtypes.bfloat16)
assert digest(jnp.asarray(small)) == digest(small)
assert digest(jnp.zeros(())) == digest(np.zeros(())) and digest(jnp.ones((0, 2)))
key = jax.random.key(1)
assert digest(key) == digest(jax.random.key(1)) != digest(jax.random.key(2))
assert digest(key) != digest(jax.random.key(1, impl="rbg")) and digest(jax.random.split(key))
assert digest({"w": jnp.ones(2)}) == digest({"w": np.ones(2)})
"""


Ways = tuple[str, Recorded, Recorded, Recorded]
Pair = tuple[Recorded, Recorded]
MODES = ("op", "op", "step")


@pytest.fixture(scope="module", name="ways")
def _ways(tmp_path_factory: pytest.TempPathFactory) -> Ways:
    """What the program prints without a trace, two runs at mode op and one at mode step."""
    program = tmp_path_factory.mktemp("ways") / "ways.py"
    program.write_text(WAYS)
    start = compiled_before(tmp_path_factory.mktemp("compiled"))
    plain = record(program, program.parent, None, **start)
    one, two, steps = (
        record(program, tmp_path_factory.mktemp("trace"), mode, **start) for mode in MODES
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
    """Methods, partials, donation, callbacks, debug_nans, Flax, optax: nothing is changed."""
    plain, *runs = ways

    assert [run.done.out for run in runs] == [plain] * 3


def test_equal_runs_have_equal_traces(ways: Ways) -> None:
    """Below the header, byte for byte, with every operation."""
    _, one, two, steps = ways

    assert one.lines == two.lines
    assert len(one.of("op")) > 500
    assert [event for event in one.events if event["kind"] != "op"] == steps.events


def test_what_gives_back_parameters_is_a_step(
    ways: Ways,
) -> None:
    """Updates and gradients count, evaluations do not; optax counts where nothing else did."""
    _, run, *_ = ways
    found = [(event["kind"], event["op"]) for event in run.of("step", "call")]

    assert found.count(("step", "donating")) == 3
    assert found.count(("step", "train_step")) == 3
    assert ("call", "power") in found
    assert ("call", "Model.method") in found
    assert ("call", "jit(power)") in found
    assert ("call", "pmap") in found
    step, call = ("step", "<lambda>"), ("call", "optax.apply_updates")
    alone = ("step", "optax.apply_updates")
    assert found[-6:] == [step, call, step, call, alone, alone]
    update = next(event for event in run.of("step") if event["op"] == "donating")
    assert update["names"] == ["['b']", "['w']"]
    assert update["what"] == "float32[2] float32[4]"


def test_what_is_not_repeated_is_a_gap(ways: Ways) -> None:
    """A function that calls back is called back once, and its operations are missing."""
    _, run, *_ = ways

    assert "the operations of <lambda> are not in the trace: it holds pure_callback" in run.gaps
    assert "the operations of <lambda> are not in the trace: it has side effects" in run.gaps
    assert any("jit(power) was compiled before its call" in gap for gap in run.gaps)
    assert not any("Error" in gap for gap in run.gaps)


def test_a_fault_is_seen_where_it_is(faulty: Pair) -> None:
    """Noise from the system at step 37: first the addition that takes it, at its line."""
    one, two = faulty
    left, right = first_difference(one.results, two.results)

    assert (left["kind"], left["op"], left["step"]) == ("op", "add", 37)
    assert left["at"] == right["at"] == at("# the fault")
    drawn = next(a for a, b in zip(one.events, two.events, strict=True) if a != b)
    assert (drawn["kind"], drawn["at"]) == (
        "entropy",
        at("os.urandom(3)"),
    )


def test_without_operations_the_step_is_found(faulty: Pair) -> None:
    """Steps are written throughout, 40 of them, and differ from step 37 on."""
    runs = faulty
    digests = [[event["digest"] for event in run.of("step")] for run in runs]

    assert len(digests[0]) == 40
    assert digests[0][:37] == digests[1][:37]
    assert digests[0][37] != digests[1][37]
    assert all(event["loss"].startswith("0x") for event in runs[0].of("step"))


def test_a_window_holds_the_operations_of_its_steps(faulty: Pair) -> None:
    """Those of the compiled function have the lines that the author wrote, and their order."""
    run, _ = faulty
    operations = run.of("op")
    lines = {event["op"]: event["at"] for event in operations}

    assert {event["step"] for event in operations} == {37}
    assert lines["tanh"] == at("jnp.tanh")
    assert lines["sub"] == at("w - 0.1 * slope")
    assert run.header["steps"] == [37, 38]


def test_a_lock_that_comes_late_traces_what_follows(tmp_path: Path) -> None:
    """Functions that are compiled already are noted from then on, with their operations."""
    (tmp_path / "late.py").write_text(LATE)
    given = {"REPRO_REPORT": str(tmp_path / "report"), "REPRO_TRACE": "op"}
    done = python("late.py", cwd=tmp_path, **cast(Any, given))

    run = Recorded(done, tmp_path / "report")
    assert [event["step"] for event in run.of("step")] == [0, 1, 2]
    assert [event["op"] for event in run.of("op")] == ["dot_general", "mul", "sub"] * 3


def test_equal_arrays_have_one_digest() -> None:
    """JAX's and NumPy's, of each type, and keys by their words and kind."""
    python("-c", DIGESTS)
