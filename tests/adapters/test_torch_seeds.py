"""Seeds that user code gives PyTorch, and generators that get none, in real processes."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from tests.adapters.probe import PRELUDE, locked, unlocked
from tests.interpreter import Done, python

BEGIN = """
import copy, json, pickle, sys, typing
import torch

def of(generator):
    return torch.rand(2, generator=generator).tolist()

def reseeded(seed):
    torch.manual_seed(seed)
    return torch.rand(2).tolist()

def fresh(*seed):
    generator = torch.Generator()
    return of(generator.manual_seed(*seed) if seed else generator)
"""

PROGRAM = (
    BEGIN
    + """
from torch.utils.data import DataLoader, DistributedSampler, random_split

class Kind(torch.Generator):
    def __init__(self):
        super().__init__()

generator = torch.Generator
three = torch.Generator(device="cpu").manual_seed(3)
before = of(copy.deepcopy(three))
heard = {
    "manual_seed": reseeded(42),
    "negative": reseeded(-1),
    "default generator": of(torch.default_generator.manual_seed(5)),
    "numpy's twin": [torch.random.manual_seed(6) and torch.randint(2**31, (2,)).tolist()],
    "generator": fresh(42),
    "generator without a seed": fresh(),
    "another": fresh(),
    "subclass": of(Kind()),
    "split": list(random_split(range(30), [20, 10], torch.Generator().manual_seed(42))[0]),
    "loader": [int(row) for row in
               DataLoader(range(30), shuffle=True, generator=generator().manual_seed(1))],
    "sampler": list(DistributedSampler(range(30), 2, 0, seed=1)),
    "permutation": torch.randperm(30, generator=generator().manual_seed(2)).tolist(),
    "sobol": torch.quasirandom.SobolEngine(2, scramble=True, seed=4).draw(2).tolist(),
}
number = generator().seed()
told = torch.seed()
drawn = torch.rand(2).tolist()
heard |= {"seed of the system": [number, told, drawn]}
kept = {
    "equal seeds": heard["manual_seed"] == reseeded(42) == fresh(42),
    "another seed": reseeded(43) != reseeded(42),
    "negative": heard["negative"] == reseeded(2**64 - 1),
    "returns": torch.manual_seed(1) is torch.default_generator and three.manual_seed(3) is three,
    "again": before == of(copy.deepcopy(three)),
    "copies": len({str(of(each)) for each in
                   (copy.copy(three), copy.deepcopy(three), pickle.loads(pickle.dumps(three)),
                    three.clone_state(), three)}) == 1,
    "told": (torch.manual_seed(told) is not None and torch.rand(2).tolist() == drawn
             and torch.initial_seed() == told),
    "initial": reseeded(9) == reseeded(torch.initial_seed()),
    "type": generator is torch._C.Generator and type(three) is generator
            and isinstance(Kind(), generator) and repr(generator) == "<class 'torch._C.Generator'>",
    "method": generator.manual_seed.__name__ == "manual_seed" and "seed" in
              (generator.manual_seed.__doc__ or ""),
}
refusals = [
    outcome(call) for call in (
        lambda: torch.manual_seed("a"), lambda: torch.manual_seed(2**64),
        lambda: torch.manual_seed(-2**63 - 1), lambda: torch.manual_seed(None),
        lambda: three.manual_seed(1.5), lambda: three.manual_seed(True),
        lambda: three.manual_seed("a"), lambda: three.manual_seed(2**64),
        lambda: three.manual_seed(), lambda: three.manual_seed(seed=3), lambda: three.seed(1),
        lambda: generator.manual_seed(3, 4), lambda: generator("nowhere"),
        lambda: generator(device="meta"),
    )
]
print(json.dumps({"heard": heard, "kept": kept, "refusals": refusals}))
"""
)


@pytest.fixture(scope="module", name="runs")
def _runs(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    folder = tmp_path_factory.mktemp("runs")
    return {
        "plain": unlocked(PROGRAM, folder),
        "plain again": unlocked(PROGRAM, folder),
        "seven": locked(PROGRAM, folder),
        "seven again": locked(PROGRAM, folder),
        "eight": locked(PROGRAM, folder, seed=8),
    }


def said(code: str, seed: str = "7", **variables: str) -> Any:
    """Return what a program that begins with `BEGIN` prints under a seed."""
    return run(code, seed, **variables).json()


def run(code: str, seed: str = "7", **variables: Any) -> Done:
    """Run a program that begins with `BEGIN` under a seed."""
    return python("-c", PRELUDE + BEGIN + code, REPRO_SEED=seed, **variables)


def test_plain_pytorch_is_deaf(runs: dict[str, Any]) -> None:
    """The control: without a lock every seeded stream is the author's, and torch.Generator()
    starts at a constant; only what asks the system varies."""
    first, second = runs["plain"].said["heard"], runs["plain again"].said["heard"]

    assert {name for name in first if first[name] != second[name]} == {"seed of the system"}
    assert first["another"] == first["generator without a seed"]


def test_every_seed_hears_the_outside_seed(runs: dict[str, Any]) -> None:
    """A == A' and A != B for each way to seed PyTorch, and for generators without a seed."""
    first, other = runs["seven"].said["heard"], runs["eight"].said["heard"]

    assert first == runs["seven again"].said["heard"]
    assert [name for name in first if first[name] == other[name]] == []
    assert first["another"] != first["generator without a seed"]


def test_mixing_keeps_the_authors_structure(runs: dict[str, Any]) -> None:
    """What was equal stays equal, copies and pickles go on as before, types stay what they are;
    plain PyTorch does all of it as well."""
    assert runs["plain"].said["kept"] == runs["seven"].said["kept"]
    assert [name for name, held in runs["seven"].said["kept"].items() if not held] == []


def test_bad_seeds_raise_pytorchs_own_errors(runs: dict[str, Any]) -> None:
    """The types of the errors are the same with and without a lock."""
    assert runs["seven"].said["refusals"] == runs["plain"].said["refusals"]
    assert all(ended != ["done"] for ended in runs["plain"].said["refusals"])


def test_the_report_lists_the_authors_lines(tmp_path: Path) -> None:
    """Seeds that PyTorch's own samplers and workers draw are not in it: they are nobody's."""
    program = (
        BEGIN
        + """
from torch.utils.data import DataLoader
for _ in range(2): torch.manual_seed(42)
three = torch.Generator()
three.manual_seed(3)
list(DataLoader(range(8), shuffle=True, num_workers=1))
print("{}")
"""
    )
    file = tmp_path / "program.py"
    file.write_text(program)
    python(str(file), REPRO_SEED="7", REPRO_REPORT=str(tmp_path / "reports"))

    reports = [json.loads(each.read_text()) for each in (tmp_path / "reports").iterdir()]
    (parent,) = [each for each in reports if each["process"]["lineage"] == ""]
    (worker,) = [each for each in reports if each["process"]["lineage"] == "0"]

    assert [(each["function"], each["given"], each["count"]) for each in parent["user_seeds"]] == [
        ("torch.random.manual_seed", ["42"], 2),
        ("torch.Generator.manual_seed", ["3"], 1),
    ]
    assert parent["user_seeds"][1]["line"] == "three.manual_seed(3)"
    assert [(each["function"], each["line"]) for each in parent["unseeded"]
            if "Generator" in each["function"]] == [
        ("torch.Generator", "three = torch.Generator()")
    ]  # fmt: skip
    assert worker["user_seeds"] == []


def test_loading_a_pickle_takes_no_seed() -> None:
    """The order of generators without a seed does not depend on what is unpickled or copied."""
    between = "pickle.loads(pickle.dumps(three)); copy.deepcopy(three); three.clone_state()"
    program = "three = torch.Generator(); {}; print(json.dumps(fresh()))"

    assert said(program.format(between)) == said(program.format("pass"))


def test_a_pickle_goes_to_a_process_without_seedlock(bare: str) -> None:
    """A pickled generator names PyTorch's type and nothing of seedlock's, whatever the protocol."""
    program = """
pickled = [pickle.dumps(torch.Generator().manual_seed(3), each).hex() for each in (None, 0, 2)]
print(json.dumps([pickled, fresh(3)]))
"""
    names = (
        "import pickletools, sys\n"
        "print(sorted({str(a) for each in sys.argv[1:]"
        " for o, a, _ in pickletools.genops(bytes.fromhex(each)) if isinstance(a, str)}))"
    )
    load = "print([of(pickle.loads(bytes.fromhex(each))) for each in sys.argv[1:]])"

    pickled, drawn = said(program)

    named = python("-c", names, *pickled, executable=bare).out
    assert "Generator" in named and "seedlock" not in named
    assert json.loads(python("-c", BEGIN + load, *pickled).out) == [drawn] * 3


def test_seeds_in_a_compiled_function_are_heard() -> None:
    """torch.compile breaks its graph at a seed and calls the same method."""
    program = """
def eager():
    torch.manual_seed(5)
    return torch.rand(2) + torch.rand(2, generator=torch.Generator().manual_seed(3))
print(json.dumps([eager().tolist(), torch.compile(eager, backend="eager")().tolist()]))
"""
    eager, compiled = said(program)

    assert eager == compiled
    assert said(program, "8")[1] != compiled


SCRIPT = """
from seedlock.api import report

def given(generator: typing.Optional[torch.Generator] = None):
    return torch.rand([2], generator=generator)

def seeding():
    torch.manual_seed(42)
    return torch.rand([2])

print(json.dumps([
    torch.jit.script(given)(torch.Generator().manual_seed(42)).tolist() == fresh(42),
    torch.jit.script(seeding)().tolist(),
    report()["libraries"]["torch"]["gaps"],
]))
"""


def test_script_code_takes_generators_and_its_own_seeds_are_a_gap(tmp_path: Path) -> None:
    """TorchScript's manual_seed is C++ and stays deaf; the report says so."""
    file = tmp_path / "program.py"
    file.write_text(BEGIN + SCRIPT)
    seven, eight = (python(str(file), REPRO_SEED=seed).json() for seed in "78")

    assert seven[0] is True
    assert seven[1] == eight[1]
    assert any("TorchScript" in gap for gap in seven[2])


def test_keep_and_fixed_honour_seeds_as_written() -> None:
    """The author's own stream comes out, and after fixed() the main stream goes on."""
    written = python("-c", BEGIN + "print(json.dumps([reseeded(42), fresh(42)]))").json()
    program = """
import seedlock
first = torch.rand(1).item()
with seedlock.fixed():
    held = [reseeded(42), fresh(42)]
print(json.dumps([held, first, torch.rand(2).tolist()]))
"""
    held, first, after = said(program)

    assert held == written
    plain = "first = torch.rand(1).item(); print(json.dumps([first, torch.rand(2).tolist()]))"
    assert [first, after] == said(plain)
    kept = "print(json.dumps([reseeded(42), fresh(42)]))"
    assert said(kept, REPRO_USER_SEEDS="keep") == written


def test_refuse_refuses_the_authors_seeds_only() -> None:
    """Shuffling, workers and DistributedSampler's default seed are PyTorch's own business."""
    program = """
from torch.utils.data import DataLoader, DistributedSampler
rows = DataLoader(range(8), shuffle=True, num_workers=1)
drawn = [[int(row) for row in rows], list(DistributedSampler(range(30), 2, 0)), torch.seed()]
ended = [outcome(lambda: torch.manual_seed(42)), outcome(lambda: torch.Generator().manual_seed(1))]
print(json.dumps([drawn, ended]))
"""
    drawn, ended = said(program, REPRO_USER_SEEDS="refuse")

    assert ended == [["UserSeedRefused"]] * 2
    other, _ = said(program, "8", REPRO_USER_SEEDS="refuse")
    assert [a == b for a, b in zip(drawn, other, strict=True)] == [False] * 3


QUEUED = """
import seedlock
# PyTorch queues the seeds of a GPU until it starts; a generator of the CPU stands in for it.
gpu = copy.deepcopy(torch.default_generator)
torch.cuda.default_generators = (gpu,)
torch.cuda.random.device_count = lambda: 1
torch.cuda.random.current_device = lambda: 0

def starts():
    for call in torch.cuda._lazy_seed_tracker.get_calls():
        if call:
            call[0]()
    return gpu.initial_seed()
"""


@pytest.mark.parametrize(
    ("step", "like"),
    [
        ("", "torch.initial_seed()"),
        ("torch.manual_seed(42)", "torch.initial_seed()"),
        ("torch.cuda.manual_seed(42)", "(torch.manual_seed(42), torch.initial_seed())[1]"),
        ("torch.seed()", "torch.initial_seed()"),
        ("with seedlock.fixed(): torch.manual_seed(0)", "torch.initial_seed()"),
    ],
)
def test_a_seed_of_a_gpu_is_mixed_once(step: str, like: str) -> None:
    """A queued seed becomes what the same call gives the CPU, whenever the GPU starts, and a block
    of fixed() that is over by then leaves none behind."""
    found, wanted = said(f"{QUEUED}\n{step}\nprint(json.dumps([starts(), {like}]))")

    assert found == wanted
    assert found != said(f"{QUEUED}\n{step}\nprint(json.dumps(starts()))", "8")


def test_a_queued_seed_stays_what_it_was_when_it_was_set() -> None:
    """A GPU that starts in a block of fixed() takes the seed from before the block as mixed."""
    program = """
torch.manual_seed(42)
with seedlock.fixed():
    started = starts()
print(json.dumps([started, torch.initial_seed()]))
"""
    started, wanted = said(QUEUED + program)

    assert started == wanted


def test_a_lock_in_a_running_program_comes_in_time_for_seeds() -> None:
    """seedlock.lock() after the import of torch does what REPRO_SEED does."""
    seeds = "print(json.dumps([fresh(), fresh(42), reseeded(42)]))"
    late = python("-c", BEGIN + f"import seedlock; seedlock.lock(7, 'seed'); {seeds}")

    assert late.json() == said(seeds, REPRO_LEVEL="seed")


def test_sharing_tensors_between_processes_is_a_gap() -> None:
    """Hogwild can't be ordered: the report names the line that shares a model or a tensor."""
    program = """
import seedlock
torch.nn.Linear(2, 2).share_memory()
noted = len(seedlock.report()["gaps"])
torch.zeros(2).share_memory_()
print(json.dumps([noted, seedlock.report()["gaps"]]))
"""
    noted, gaps = said(program)

    assert noted == 1
    assert len(gaps) == 2
    assert all("shares tensors between processes" in gap for gap in gaps)
