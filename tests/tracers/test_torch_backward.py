"""Operations of a backward pass in threads of autograd's engine.

Without a GPU the engine starts a thread of its own all the same: for backward passes within
backward passes, 60 deep. It has the modes of the thread that waits, as those of devices have.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from seedlock.digests import Digester
from tests.tracers.recorded import Recorded, line_of, record

DEEP = """
import os
import sys
import threading
import time
import torch

DEPTH, PLANT = int(sys.argv[1]), sys.argv[2:]
threads, workers = set(), set()

class Within(torch.autograd.Function):
    @staticmethod
    def forward(ctx, x, depth):
        ctx.depth = depth
        return x * 1.5

    @staticmethod
    def backward(ctx, slope):
        threads.add(threading.get_ident())
        workers.add(threading.get_native_id())
        if not ctx.depth and PLANT == ["error"]:
            raise ValueError("planted")
        with torch.enable_grad():
            x = slope.detach().requires_grad_()
            inner = Within.apply(x, ctx.depth - 1) if ctx.depth else x
            total = inner.sin().sum()
            total.backward()
        x.grad.mul_(0.5)
        return x.grad, None

def beside():
    y = torch.rand(3, requires_grad=True)
    y.tan().sum().backward()

def another(_slope):
    thread = threading.Thread(target=beside)
    thread.start()
    thread.join()

def slept():
    files = [f"/proc/self/task/{each}/status" for each in workers - {threading.get_native_id()}]
    lines = [line for file in files if os.path.exists(file) for line in open(file)]
    return [line for line in lines if line.startswith(("State", "voluntary"))]

def settle():
    # PyTorch 2.13.0 lets the backward pass return before its thread has let go of the graph. A
    # process that ends just then is aborted: the thread asks the dying interpreter for its lock.
    quiet, before = 0, slept()
    while quiet < 20:
        time.sleep(0.005)
        now = slept()
        quiet = quiet + 1 if now == before and not any("R (" in line for line in now) else 0
        before = now

x = torch.rand(4, 3, requires_grad=True)
if PLANT == ["another"]:
    x.register_hook(another)
loss = Within.apply(x, DEPTH).sum()
try:
    loss.backward()
except ValueError as problem:
    print(problem)
torch.ones(3).exp()
print(len(threads), None if x.grad is None else x.grad.sum().item().hex())
settle()
"""

OUTER = line_of("    loss.backward()", DEEP, "deep.py")
INNER = line_of("total.backward()", DEEP, "deep.py")
HALVED = line_of("x.grad.mul_", DEEP, "deep.py")


class Runs:
    """Runs of `DEEP`."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.program = folder / "program" / "deep.py"
        self.program.parent.mkdir()
        self.program.write_text(DEEP)

    def run(self, name: str, *given: str, mode: str | None = "op", **variables: str) -> Recorded:
        """Run it, tracing into the folder of that name."""
        return record(self.program, self.folder / name, mode, *given, **variables)


@pytest.fixture(scope="module", name="runs")
def _runs(tmp_path_factory: pytest.TempPathFactory) -> Runs:
    return Runs(tmp_path_factory.mktemp("deep"))


@pytest.fixture(scope="module", name="pair")
def _pair(runs: Runs) -> tuple[Recorded, Recorded]:
    one, other = (runs.run(name, "80", REPRO_TRACE_STEPS="0:1") for name in ("one", "other"))
    return one, other


def test_the_engine_had_a_thread_of_its_own(runs: Runs, pair: tuple[Recorded, Recorded]) -> None:
    """Two threads computed; a trace changes no bit."""
    plain = runs.run("plain", "80", mode=None)

    assert plain.done.out.startswith("2 0x")
    assert {each.done.out for each in pair} == {plain.done.out}


def test_its_operations_are_in_the_trace(pair: tuple[Recorded, Recorded]) -> None:
    """All of them, in the same order each time; nothing is left out."""
    one, other = pair

    assert len(one.of("op", op="aten.cos.default")) == 81
    assert len(one.of("op", op="aten.mul_.Tensor")) == 81
    assert one.lines == other.lines
    assert one.end["left_out"] == 0
    assert [gap for gap in one.gaps if "leaves out" in gap] == []


def test_each_stands_at_the_authors_line(pair: tuple[Recorded, Recorded]) -> None:
    """That of the author's code in the engine's thread, where there is some; else the line of
    the `backward` that waits. Behind the events of the thread that waits come the others'."""
    one, _ = pair
    slopes = [each["at"] for each in one.of("op", op="aten.cos.default")]

    assert {each["at"] for each in one.of("op", op="aten.mul_.Tensor")} == {HALVED}
    assert set(slopes) == {INNER, OUTER}
    assert slopes.count(OUTER) == 1  # the first node of the first pass in that thread
    assert [each["op"] for each in one.of("op")][-2:] == ["aten.exp.default", "aten.sum.default"]


def test_kept_values_are_what_was_digested(pair: tuple[Recorded, Recorded]) -> None:
    """Also of tensors that were changed in place before the pass came to its end."""
    one, _ = pair
    [file] = one.folder.glob("*.values")
    values, digester = file.read_bytes(), Digester()
    kept = [each for each in one.of("op") if "kept" in each and each["what"] == "float32[4,3]"]

    assert len(kept) > 300
    for each in kept:
        [[offset, size]] = each["kept"]
        array = np.frombuffer(values[offset : offset + size], "f4").reshape(4, 3)
        assert digester.of(array) == each["digest"]
    spans = [span for each in one.of("op") for span in each.get("kept", ())]
    assert sum(size for _, size in spans) == len(values)
    assert [offset for offset, _ in spans] == sorted({offset for offset, _ in spans})


def test_an_error_leaves_the_operations_before_it(runs: Runs) -> None:
    """The events are those of a whole run up to where it was raised, and more come after it."""
    one, other = (runs.run(f"error {name}", "80", "error") for name in "ab")

    assert one.done.lines[0] == "planted"
    assert one.lines == other.lines
    assert len(one.of("op", op="aten.cos.default")) == 80
    assert one.of("op")[-1]["op"] == "aten.exp.default"
    assert one.end["left_out"] == 0


def test_several_threads_for_one_device_are_left_out(runs: Runs) -> None:
    """Nobody knows in which order they worked: their events are counted, alike each time."""
    one, other = (runs.run(f"deeper {name}", "140") for name in "ab")
    left_out = one.end["left_out"]

    assert one.done.out.startswith("3 ")
    assert one.lines == other.lines
    assert 0 < len(one.of("op", op="aten.cos.default")) < 70
    assert left_out > 0
    assert f"the trace leaves out {left_out} events of other threads" in one.gaps


def test_a_backward_of_another_thread_is_not_in_it(runs: Runs) -> None:
    """Though the traced thread waits for it, within a backward pass of its own."""
    usual, found = (
        runs.run(" ".join(["beside", *words]), "2", *words) for words in ([], ["another"])
    )

    assert found.of("op") == usual.of("op")
    assert found.end["left_out"] == 0
