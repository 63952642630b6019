"""Seeds that user code gives PyTorch, and generators that get none, in real processes.

Most programs run in copies of few processes, since PyTorch's start takes seconds.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from tests.adapters.probe import PRELUDE, in_copies, locked, unlocked
from tests.interpreter import python

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


BETWEEN = "pickle.loads(pickle.dumps(three)); copy.deepcopy(three); three.clone_state()"
UNPICKLED = "three = torch.Generator(); {}; print(json.dumps(fresh()))"

PICKLES = """
pickled = [pickle.dumps(torch.Generator().manual_seed(3), each).hex() for each in (None, 0, 2)]
print(json.dumps([pickled, fresh(3)]))
"""

COMPILED = """
def eager():
    torch.manual_seed(5)
    return torch.rand(2) + torch.rand(2, generator=torch.Generator().manual_seed(3))
print(json.dumps([eager().tolist(), torch.compile(eager, backend="eager")().tolist()]))
"""

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

FIXED = """
import seedlock
first = torch.rand(1).item()
with seedlock.fixed():
    held = [reseeded(42), fresh(42)]
print(json.dumps([held, first, torch.rand(2).tolist()]))
"""
NOT_FIXED = "first = torch.rand(1).item(); print(json.dumps([first, torch.rand(2).tolist()]))"
WRITTEN = "print(json.dumps([reseeded(42), fresh(42)]))"

SEEDS = "print(json.dumps([fresh(), fresh(42), reseeded(42)]))"
LATE = f"import seedlock; seedlock.lock(7, 'seed'); {SEEDS}"

SHARED = """
import seedlock
torch.nn.Linear(2, 2).share_memory()
noted = len(seedlock.report()["gaps"])
torch.zeros(2).share_memory_()
print(json.dumps([noted, seedlock.report()["gaps"]]))
"""

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

QUEUE = {
    "": "torch.initial_seed()",
    "torch.manual_seed(42)": "torch.initial_seed()",
    "torch.cuda.manual_seed(42)": "(torch.manual_seed(42), torch.initial_seed())[1]",
    "torch.seed()": "torch.initial_seed()",
    "with seedlock.fixed(): torch.manual_seed(0)": "torch.initial_seed()",
}
"""What seeds a GPU, and what gives the CPU the same."""

STARTED = """
torch.manual_seed(42)
with seedlock.fixed():
    started = starts()
print(json.dumps([started, torch.initial_seed()]))
"""

QUEUED_LINES = """
torch.manual_seed(42)
torch.cuda.manual_seed(43)
torch.cuda.manual_seed(44)
with seedlock.fixed(): torch.cuda.manual_seed_all(45)
def first_use(): return starts()
first_use()
print(json.dumps([[each[of] for of in ("line", "function", "given", "policy", "count")]
                  for each in seedlock.report()["user_seeds"]]))
"""

RESTORED = """
held = seedlock.state_dict()
other = torch.Generator().manual_seed(5)
held["libraries"]["torch"]["cuda"] = [bytes(other.get_state().tolist()).hex()]
before = len(torch.cuda._queued_calls)
torch.manual_seed(1)
seedlock.load_state_dict(held)
seeds = [call for call in torch.cuda._lazy_seed_tracker.get_calls() if call]
for call, _ in [*torch.cuda._queued_calls[before:], *seeds]:  # in the order of torch.cuda
    call()
print(json.dumps([of(gpu), of(other)]))
"""

HEARD = {"every way": PROGRAM.removeprefix(BEGIN), "compiled": COMPILED, "script": SCRIPT} | {
    f"queued {step}": f"{QUEUED}\n{step}\nprint(json.dumps([starts(), {like}]))"
    for step, like in QUEUE.items()
}
LOCKED = HEARD | {
    "unpickled": UNPICKLED.format(BETWEEN), "nothing unpickled": UNPICKLED.format("pass"),
    "pickles": PICKLES, "fixed": FIXED, "not fixed": NOT_FIXED, "shared": SHARED,
    "started in a block": QUEUED + STARTED, "queued lines": QUEUED + QUEUED_LINES,
    "restored": QUEUED + RESTORED,
}  # fmt: skip
LOADED = """
print(json.dumps([of(pickle.loads(bytes.fromhex(each))) for each in {!r}]))
"""


def began(programs: dict[str, str]) -> dict[str, str]:
    """Return programs with `BEGIN` before each."""
    return {name: BEGIN + program for name, program in programs.items()}


@pytest.fixture(scope="module", name="seven")
def _seven(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """What programs say under seed 7."""
    return in_copies("torch", began(LOCKED), tmp_path_factory.mktemp("seven"), REPRO_SEED="7")


@pytest.fixture(scope="module", name="eight")
def _eight(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """What those say under seed 8 that must say something else."""
    return in_copies("torch", began(HEARD), tmp_path_factory.mktemp("eight"), REPRO_SEED="8")


@pytest.fixture(scope="module", name="plain")
def _plain(tmp_path_factory: pytest.TempPathFactory, seven: dict[str, Any]) -> dict[str, Any]:
    """What programs say without REPRO_SEED; one unpickles what was pickled under seed 7."""
    programs = {
        "every way": HEARD["every way"], "written": WRITTEN, "late": LATE,
        "loaded": LOADED.format(seven["pickles"][0]),
    }  # fmt: skip
    return in_copies("torch", began(programs), tmp_path_factory.mktemp("plain"))


def said(code: str, seed: str = "7", **variables: Any) -> Any:
    """Return what a program that begins with `BEGIN` prints under a seed, in its own process."""
    return python("-c", PRELUDE + BEGIN + code, REPRO_SEED=seed, **variables).json()


def test_plain_pytorch_is_deaf(plain: dict[str, Any], tmp_path: Path) -> None:
    """The control: without a lock every seeded stream is the author's, and torch.Generator()
    starts at a constant; only what asks the system varies."""
    first, second = plain["every way"]["heard"], unlocked(PROGRAM, tmp_path).said["heard"]

    assert {name for name in first if first[name] != second[name]} == {"seed of the system"}
    assert first["another"] == first["generator without a seed"]


def test_every_seed_hears_the_outside_seed(
    seven: dict[str, Any], eight: dict[str, Any], tmp_path: Path
) -> None:
    """A == A' and A != B for each way to seed PyTorch, and for generators without a seed."""
    first, other = seven["every way"]["heard"], eight["every way"]["heard"]

    assert first == locked(PROGRAM, tmp_path).said["heard"]
    assert [name for name in first if first[name] == other[name]] == []
    assert first["another"] != first["generator without a seed"]


def test_mixing_keeps_the_authors_structure(seven: dict[str, Any], plain: dict[str, Any]) -> None:
    """What was equal stays equal, copies and pickles go on as before, types stay what they are;
    plain PyTorch does all of it as well."""
    kept = seven["every way"]["kept"]

    assert plain["every way"]["kept"] == kept
    assert [name for name, held in kept.items() if not held] == []


def test_bad_seeds_raise_pytorchs_own_errors(seven: dict[str, Any], plain: dict[str, Any]) -> None:
    """The types of the errors are the same with and without a lock."""
    assert seven["every way"]["refusals"] == plain["every way"]["refusals"]
    assert all(ended != ["done"] for ended in plain["every way"]["refusals"])


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


def test_loading_a_pickle_takes_no_seed(seven: dict[str, Any]) -> None:
    """The order of generators without a seed does not depend on what is unpickled or copied."""
    assert seven["unpickled"] == seven["nothing unpickled"]


def test_a_pickle_goes_to_a_process_without_seedlock(
    bare: str, seven: dict[str, Any], plain: dict[str, Any]
) -> None:
    """A pickled generator names PyTorch's type and nothing of seedlock's, whatever the protocol."""
    names = (
        "import pickletools, sys\n"
        "print(sorted({str(a) for each in sys.argv[1:]"
        " for o, a, _ in pickletools.genops(bytes.fromhex(each)) if isinstance(a, str)}))"
    )
    pickled, drawn = seven["pickles"]

    named = python("-c", names, *pickled, executable=bare).out
    assert "Generator" in named and "seedlock" not in named
    assert plain["loaded"] == [drawn] * 3


def test_seeds_in_a_compiled_function_are_heard(
    seven: dict[str, Any], eight: dict[str, Any]
) -> None:
    """torch.compile breaks its graph at a seed and calls the same method."""
    eager, compiled = seven["compiled"]

    assert eager == compiled
    assert eight["compiled"][1] != compiled


def test_script_code_takes_generators_and_its_own_seeds_are_a_gap(
    seven: dict[str, Any], eight: dict[str, Any]
) -> None:
    """TorchScript's manual_seed is C++ and stays deaf; the report says so."""
    takes, drawn, gaps = seven["script"]

    assert takes is True
    assert drawn == eight["script"][1]
    assert any("TorchScript" in gap for gap in gaps)


def test_keep_and_fixed_honour_seeds_as_written(
    seven: dict[str, Any], plain: dict[str, Any]
) -> None:
    """The author's own stream comes out, and after fixed() the main stream goes on."""
    held, first, after = seven["fixed"]

    assert held == plain["written"]
    assert [first, after] == seven["not fixed"]
    assert said(WRITTEN, REPRO_USER_SEEDS="keep") == plain["written"]


def test_refuse_refuses_the_authors_seeds_only() -> None:
    """Shuffling, workers and DistributedSampler's default seed are PyTorch's own business."""
    program = """
from torch.utils.data import DataLoader, DistributedSampler
rows = DataLoader(range(8), shuffle=True, num_workers=1)
drawn = [[int(row) for row in rows], list(DistributedSampler(range(30), 2, 0)), torch.seed()]
ended = [outcome(lambda: torch.manual_seed(42)), outcome(lambda: torch.Generator().manual_seed(1)),
         outcome(lambda: torch.cuda.manual_seed(1)), outcome(lambda: torch.cuda.manual_seed_all(1))]
print(json.dumps([drawn, ended]))
"""
    drawn, ended = said(program, REPRO_USER_SEEDS="refuse")

    assert ended == [["UserSeedRefused"]] * 4
    other, _ = said(program, "8", REPRO_USER_SEEDS="refuse")
    assert [a == b for a, b in zip(drawn, other, strict=True)] == [False] * 3


@pytest.mark.parametrize("step", QUEUE)
def test_a_seed_of_a_gpu_is_mixed_once(
    step: str, seven: dict[str, Any], eight: dict[str, Any]
) -> None:
    """A queued seed becomes what the same call gives the CPU, whenever the GPU starts, and a block
    of fixed() that is over by then leaves none behind."""
    found, wanted = seven[f"queued {step}"]

    assert found == wanted
    assert found != eight[f"queued {step}"][0]


def test_a_queued_seed_stays_what_it_was_when_it_was_set(seven: dict[str, Any]) -> None:
    """A GPU that starts in a block of fixed() takes the seed from before the block as mixed."""
    started, wanted = seven["started in a block"]

    assert started == wanted


def test_a_state_that_is_loaded_before_the_gpu_starts_outlives_its_seeds(
    seven: dict[str, Any],
) -> None:
    """PyTorch sets the seeds that wait after the states that wait, whichever came first."""
    found, wanted = seven["restored"]

    assert found == wanted


def test_a_queued_seed_is_reported_at_the_line_that_set_it(seven: dict[str, Any]) -> None:
    """Not at the one where the GPU starts, whatever that is; a seed that another one took the place
    of before is none."""
    assert seven["queued lines"] == [
        ["torch.manual_seed(42)", "torch.random.manual_seed", ["42"], "mix", 1],
        ["torch.cuda.manual_seed(44)", "torch.cuda.random.manual_seed", ["44"], "mix", 1],
        [
            "with seedlock.fixed(): torch.cuda.manual_seed_all(45)",
            "torch.cuda.random.manual_seed_all", ["45"], "fixed", 1,
        ],
    ]  # fmt: skip


def test_a_lock_in_a_running_program_comes_in_time_for_seeds(plain: dict[str, Any]) -> None:
    """seedlock.lock() after the import of torch does what REPRO_SEED does."""
    assert plain["late"] == said(SEEDS, REPRO_LEVEL="seed")


def test_sharing_tensors_between_processes_is_a_gap(seven: dict[str, Any]) -> None:
    """Hogwild can't be ordered: the report names the line that shares a model or a tensor."""
    noted, gaps = seven["shared"]

    assert noted == 1
    assert len(gaps) == 2
    assert all("shares tensors between processes" in gap for gap in gaps)
