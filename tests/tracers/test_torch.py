"""The trace of programs that use PyTorch."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch

from seedlock.tracers.torch_operations import plan_of
from tests.tracers.recorded import Recorded, first_difference, record

TRAINING = """
import os, sys
import torch
from torch import nn
from torch.utils.data import DataLoader, Dataset

PLANT = sys.argv[1:]

class Noisy(Dataset):
    def __init__(self):
        self.x, self.y = torch.randn(160, 8), torch.randint(0, 3, (160,))
        self.got = 0
    def __len__(self):
        return 160
    def __getitem__(self, at):
        self.got += 1
        x = self.x[at]
        if PLANT == ["batch"] and self.got == 37 * 4 + 2:
            x = x + int.from_bytes(os.urandom(4), "little")
        return x, self.y[at], {"one", "two"}

def collate(rows):
    x, y, words = zip(*rows)
    return torch.stack(x), torch.stack(y), words[0]

model = nn.Sequential(nn.Linear(8, 16), nn.ReLU(), nn.Dropout(0.1), nn.Linear(16, 3))
optimizer = torch.optim.SGD(model.named_parameters(), lr=0.1, momentum=0.9)
kept = []
for step, (x, y, _) in enumerate(DataLoader(Noisy(), 4, shuffle=True, collate_fn=collate)):
    if PLANT == ["parameter"] and step == 20:
        model[3].bias.data[1] += int.from_bytes(os.urandom(4), "little")
    optimizer.zero_grad()
    nothing = torch.empty(64, 64), torch.empty_like(x), x.new_empty(9), x.view(-1), x.detach()
    hidden = model[0](x)
    if step == 2:
        kept.append(hidden.detach().numpy().tobytes())
    loss = nn.functional.cross_entropy(model[3](model[2](model[1](hidden))), y)
    loss.backward()
    loss.detach().zero_()
    optimizer.step()
open(os.environ["KEPT"], "wb").write(b"".join(kept))
print(sum(each.double().sum() for each in model.parameters()).item().hex())
"""

LOOP = TRAINING[: TRAINING.index("for step")].count("\n") + 1


class Training:
    """Where the runs of `TRAINING` left their traces, and what they printed."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.program = folder / "program" / "train.py"
        self.program.parent.mkdir()  # importing libraries lists it: the same for each run
        self.program.write_text(TRAINING)
        window = {"REPRO_TRACE_STEPS": "2:3"}
        self.plain = self.run("plain", None)
        self.one = self.run("one", "op", **window, MALLOC_PERTURB_="85")
        self.other = self.run("other", "op", **window, MALLOC_PERTURB_="170")

    def run(self, name: str, mode: str | None, *given: str, **variables: str) -> Recorded:
        """Run the program, tracing into the folder of that name."""
        variables["KEPT"] = str(self.folder / "kept")
        return record(self.program, self.folder / name, mode, *given, **variables)


@pytest.fixture(scope="module", name="training")
def _training(tmp_path_factory: pytest.TempPathFactory) -> Training:
    return Training(tmp_path_factory.mktemp("training"))


def test_equal_runs_have_equal_traces(training: Training) -> None:
    """Byte for byte below the header, whatever lies in memory that nobody has written to."""
    one, other = training.one.places, training.other.places

    assert list(one) == [""]
    assert one == other


def test_a_trace_changes_no_bit(training: Training) -> None:
    """A run ends with the same parameters with a trace and without."""
    assert training.plain.done.out == training.one.done.out == training.other.done.out


def test_steps_have_parameters_names_and_the_loss(training: Training) -> None:
    """One event per step, with the loss as `backward` saw it, changed in place since or not."""
    steps = training.one.of("step")
    names = ["0.weight", "0.bias", "3.weight", "3.bias"]

    assert [each["step"] for each in steps] == list(range(40))
    assert {each["op"] for each in steps} == {"SGD.step"}
    assert steps[0]["names"] == names and "names" not in steps[1]
    assert len(steps[0]["parts"].split()) == 4
    assert all(float.fromhex(each["loss"]) > 0 for each in steps)
    assert all("torch" in each["rng"] for each in steps[:-1])  # dropout draws in each step


def test_batches_have_the_loops_line(training: Training) -> None:
    """A batch is noted where the author's loop asked for it."""
    batches = training.one.of("batch")

    assert len(batches) == 40
    assert {(each["op"], each["at"]) for each in batches} == {("Noisy", f"train.py:{LOOP}")}
    assert batches[0]["what"] == "float32[4,8] int64[4]"


def test_operations_of_a_window(training: Training) -> None:
    """Operations of the asked step only: no views and no memory that nobody has written to, and
    those of `backward` have the author's line that called it."""
    found = training.one.of("op")
    names = [each["op"] for each in found]
    backward = TRAINING[: TRAINING.index("    loss.backward()")].count("\n") + 1

    assert {each["step"] for each in found} == {2}
    assert names.count("aten.addmm.default") == 2
    assert "aten.bernoulli_.float" in names
    assert not [name for name in names if "empty" in name or "view" in name or ".t." in name]
    assert not [name for name in names if "detach" in name]
    assert [each["at"] for each in found if each["op"] == "aten.threshold_backward.default"] == [
        f"train.py:{backward}"
    ]


def test_kept_values_are_the_tensors_bytes(training: Training) -> None:
    """What `kept` points at in the file of values is what the program had."""
    first = next(each for each in training.one.of("op") if each["op"] == "aten.addmm.default")
    [values] = (training.folder / "one").glob("*.values")
    [[offset, size]] = first["kept"]

    assert values.read_bytes()[offset : offset + size] == (training.folder / "kept").read_bytes()
    assert first["what"] == "float32[4,16]"


def test_noise_in_a_dataset_is_first_seen_in_its_batch(training: Training) -> None:
    """An augmentation that draws from the system at step 37."""
    planted = training.run("batch", "step", "batch", REPRO_ENTROPY="count")
    usual, found = (run.of("batch", "step") for run in (training.one, planted))
    for each in usual:
        each.pop("kept", None)

    difference, _ = first_difference(usual, found)

    assert (difference["kind"], difference["step"]) == ("batch", 37)
    assert difference["at"] == f"train.py:{LOOP}"


def test_a_parameter_changed_between_steps_is_seen_at_the_step(training: Training) -> None:
    """And which of them it was."""
    planted = training.run("parameter", "step", "parameter", REPRO_ENTROPY="count")
    usual, found = (run.of("batch", "step") for run in (training.one, planted))
    for each in usual:
        each.pop("kept", None)

    one, other = first_difference(usual, found)

    assert (one["kind"], one["step"]) == ("step", 20)
    assert one["parts"].split()[3] != other["parts"].split()[3]


WORKERS = """
import torch
from torch.utils.data import DataLoader, Dataset

class Drawn(Dataset):
    def __len__(self):
        return 8
    def __getitem__(self, at):
        return torch.rand(3)

if __name__ == "__main__":
    for batch in DataLoader(Drawn(), 2, num_workers=2):
        print(batch.sum().item())
"""


def test_workers_write_traces_of_their_own(tmp_path: Path) -> None:
    """Batches in the main process's trace, what was drawn for them in the workers'."""
    program = tmp_path / "program" / "workers.py"
    program.parent.mkdir()
    program.write_text(WORKERS)
    plain = record(program, tmp_path / "none", None)
    one, other = (record(program, tmp_path / name, "op") for name in ("one", "other"))
    drawn = [each["op"] for place in one.places if place for each in one.of("op", place=place)]

    assert [each.done.out for each in (one, other)] == [plain.done.out] * 2
    assert one.places == other.places and len(one.places) == 3
    assert len(one.of("batch")) == 4
    assert drawn.count("aten.rand.default") == 8
    assert "aten.rand.default" not in {each["op"] for each in one.of("op")}


CORNERS = """
import threading
import torch
from torch import nn
from torch.overrides import TorchFunctionMode
from torch.utils._python_dispatch import TorchDispatchMode
from torch._subclasses.fake_tensor import FakeTensorMode
from torch.testing._internal.two_tensor import TwoTensor
from torch.utils.data import DataLoader

model = nn.Sequential(nn.Linear(4, 8), nn.ReLU(), nn.Linear(8, 2))
x = torch.randn(5, 4)
plain = torch.optim.SGD(model.parameters(), lr=0.1)

class Watch(TorchDispatchMode):
    seen = 0
    def __torch_dispatch__(self, function, types, args=(), kwargs=None):
        Watch.seen += 1
        return function(*args, **(kwargs or {}))

class Hear(TorchFunctionMode):
    seen = 0
    def __torch_function__(self, function, types, args=(), kwargs=None):
        Hear.seen += 1
        return function(*args, **(kwargs or {}))

with Watch(), Hear():
    model(x).sum().backward()
    plain.step()
print(Watch.seen, Hear.seen)

with FakeTensorMode():
    fake = nn.Linear(3, 3)
    stepped = torch.optim.SGD(fake.parameters(), lr=0.1)
    fake(torch.ones(2, 3)).sum().backward()
    stepped.step()

scaler = torch.amp.GradScaler("cpu")
scaler.scale(model(x).sum()).backward()
scaler.step(plain)

several = torch.optim.LBFGS(model.parameters(), max_iter=3)
def closure():
    several.zero_grad()
    loss = (model(x) ** 2).sum()
    loss.backward()
    return loss
several.step(closure)

class Ahead(torch.optim.Optimizer):
    def __init__(self, inner):
        super().__init__(inner.param_groups, {})
        self.inner = inner
    def step(self, closure=None):
        self.inner.step()
Ahead(torch.optim.Adam(model.parameters(), fused=True)).step()
torch.optim.AdamW(model.parameters(), foreach=True).step()

print(torch.vmap(lambda row: (row * row).sum())(x).tolist())
print(torch.func.grad(lambda row: row.sin().sum())(x).sum().item())
scripted = torch.jit.script(model)
print([scripted(x).sum().item() for _ in range(4)], torch.jit.trace(model, x)(x).sum().item())
print((TwoTensor(x, x) * 2).a.sum().item())
print(torch.cond(torch.tensor(True), lambda v: v.sin(), lambda v: v.cos(), (x,)).sum().item())
sparse = torch.sparse_coo_tensor([[0, 1]], [1.0, 2.0], (3,))
print((sparse + sparse).to_dense().tolist(), torch.randn(3, dtype=torch.complex64).conj().sum())
print((torch.nested.nested_tensor([x, x[:2]]) * 2).to_padded_tensor(0.0).sum().item())
compiled = torch.compile(model, backend="eager")
compiled(x).sum().backward()
torch.compile(plain.step, backend="eager")()
for batch in DataLoader([1, 2], 1, collate_fn=lambda rows: {"lock": threading.Lock(), "n": rows}):
    print(batch["n"])
print(compiled(x).sum().item())
"""


def test_nothing_fails_that_is_rare(tmp_path: Path) -> None:
    """Modes, transformations, compilers, subclasses and optimizers of all kinds: the program
    prints the same with a trace of operations, the modes see no more, and what the trace lacks
    is a gap."""
    program = tmp_path / "program" / "corners.py"
    program.parent.mkdir()
    program.write_text(CORNERS)
    plain = record(program, tmp_path, None)
    run = record(program, tmp_path / "trace", "op")
    steps = [each["op"] for each in run.of("step")]
    batches = run.of("batch")
    noted = run.gaps

    assert run.done.out == plain.done.out
    assert steps == ["SGD.step"] * 2 + ["LBFGS.step", "Ahead.step", "AdamW.step", "SGD.step"]
    assert len(batches) == 2 and batches[0]["digest"] != batches[1]["digest"]
    assert len([gap for gap in noted if "torch.compile made code" in gap]) == 1
    assert len([gap for gap in noted if "parts of the batches of list only" in gap]) == 1


@pytest.mark.parametrize(
    ("operation", "expected"),
    [
        ("mul.Tensor", ()),
        ("add_.Tensor", ()),
        ("_foreach_add_.Scalar", ("self",)),
        ("native_batch_norm.default", ()),
        ("_native_batch_norm_legit.default", ("running_mean", "running_var")),
        ("rrelu_with_noise.default", ()),
        ("copy_.default", ()),
        ("bernoulli_.float", ()),
    ],
)
def test_results_are_what_an_operation_returns_or_changes(
    operation: str, expected: tuple[str, ...]
) -> None:
    """The changed arguments that it does not return count too."""
    name, overload = operation.split(".")

    plan = plan_of(getattr(getattr(torch.ops.aten, name), overload))

    assert plan is not None and plan.name == f"aten.{operation}"
    assert tuple(each for _, each in plan.changed) == expected


@pytest.mark.parametrize(
    "operation",
    [
        "empty.memory_format", "empty_like.default", "empty_strided.default", "new_empty.default",
        "resize_.default", "view.default", "t.default", "detach.default", "expand.default",
        "split.Tensor", "_unsafe_view.default", "_local_scalar_dense.default", "alias.default",
    ],
)  # fmt: skip
def test_views_and_fresh_memory_are_no_results(operation: str) -> None:
    """Neither is a number that goes to Python."""
    name, overload = operation.split(".")

    assert plan_of(getattr(getattr(torch.ops.aten, name), overload)) is None
