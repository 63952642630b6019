"""PyTorch in several processes: workers of loaders, torch.multiprocessing, torchrun."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from tests.interpreter import python, reports

LOADERS = """
import json, random, sys
import numpy as np
import torch
from torch.utils.data import DataLoader, Dataset, get_worker_info

class Augmented(Dataset):
    def __len__(self):
        return 8

    def __getitem__(self, index):
        if not hasattr(self, "own"):
            self.own = np.random.default_rng(), torch.Generator()
        rng, generator = self.own
        return [index, random.random(), float(np.random.rand()), torch.rand(()).item(),
                rng.random(), torch.rand((), generator=generator).item()]

def initialise(number):
    assert torch.initial_seed() == get_worker_info().seed
    np.random.seed(torch.initial_seed() % 2**32)
    random.seed(get_worker_info().seed)

def generator():
    return torch.Generator().manual_seed(3)

LOADERS = {
    "fork": lambda: {},
    "persistent": lambda: {"persistent_workers": True},
    "worker_init_fn": lambda: {"worker_init_fn": initialise},
    "generator": lambda: {"generator": generator()},
    "fixed generator": lambda: {"generator": fixed_generator()},
    "spawn": lambda: {"multiprocessing_context": "spawn"},
    "forkserver": lambda: {"multiprocessing_context": "forkserver"},
}

def fixed_generator():
    import seedlock
    with seedlock.fixed():
        return generator()

def epoch(loader):
    return [row for batch in loader for row in batch]

if __name__ == "__main__":
    said = {}
    for name in sys.argv[1:]:
        loader = DataLoader(Augmented(), batch_size=2, shuffle=True, num_workers=2,
                            collate_fn=list, **LOADERS[name]())
        said[name] = [epoch(loader) for _ in range(1 if "s" in name[:1] else 2)]
    print(json.dumps(said))
"""
HERE = ("fork", "persistent", "worker_init_fn", "generator", "fixed generator")
WORKERS = (*HERE, "spawn", pytest.param("forkserver", marks=pytest.mark.full))
"""Those that a server forks start anew as those of spawn do, for each of which PyTorch starts."""

DRAWN = ("random", "numpy", "torch", "default_rng()", "torch.Generator()")


def drawn_by(folder: Path, *names: str) -> dict[str, Any]:
    """Return what workers of loaders draw, by the run: twice under seed 7, and under seed 8."""
    file = folder / "program.py"
    file.write_text(LOADERS)
    return {
        name: python(str(file), *names, REPRO_SEED=name[0], OMP_NUM_THREADS="1").json()
        for name in ("7", "7 again", "8")
    }


@pytest.fixture(scope="module", name="loaders")
def _loaders(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    folder = tmp_path_factory.mktemp("loaders")
    drawn = drawn_by(folder, *HERE, "spawn")
    plain = python(str(folder / "program.py"), *HERE[:4], OMP_NUM_THREADS="1").json()
    return {**drawn, "plain": plain}


@pytest.fixture(scope="module", name="by_a_server")
def _by_a_server(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    return drawn_by(tmp_path_factory.mktemp("server"), "forkserver")


@pytest.fixture(name="workers", params=WORKERS)
def _workers(request: pytest.FixtureRequest) -> dict[str, Any]:
    """What the workers of one loader drew in each epoch, by the run."""
    of = "by_a_server" if request.param == "forkserver" else "loaders"
    return {run: said.get(request.param) for run, said in request.getfixturevalue(of).items()}


def columns(epochs: list[list[list[float]]]) -> dict[str, list[float]]:
    """Return what the workers of a loader drew in all epochs, by generator."""
    rows = [row for rows in epochs for row in rows]
    return {name: [row[at] for row in rows] for at, name in enumerate(DRAWN, start=1)}


def test_plain_workers_repeat_one_another(loaders: dict[str, Any]) -> None:
    """The control: an unseeded torch.Generator() draws the same in each worker and epoch."""
    drawn = columns(loaders["plain"]["fork"])["torch.Generator()"]

    assert len(set(drawn)) < len(drawn)


def test_workers_draw_the_same_in_the_next_run(workers: dict[str, Any]) -> None:
    """A == A', however the workers are started and scheduled."""
    assert workers["7"] == workers["7 again"]


def test_siblings_and_epochs_draw_different_numbers(workers: dict[str, Any]) -> None:
    """Augmentations from whichever generator never repeat."""
    drawn = columns(workers["7"])

    assert [each for each in DRAWN if len(set(drawn[each])) < len(drawn[each])] == []


def test_workers_hear_the_outside_seed(workers: dict[str, Any]) -> None:
    """A != B in each generator, even where the loader's own generator was seeded in fixed()."""
    seven, eight = columns(workers["7"]), columns(workers["8"])

    assert [each for each in DRAWN if set(seven[each]) & set(eight[each])] == []


def test_a_fixed_generator_fixes_the_order_alone(loaders: dict[str, Any]) -> None:
    """Rows come in the author's order under each outside seed."""
    orders = {str([row[0] for row in loaders[seed]["fixed generator"][0]]) for seed in ("7", "8")}

    assert len(orders) == 1


PROCESSES = """
import json, random, sys
from pathlib import Path
import numpy as np
import torch
import torch.multiprocessing as mp

def main_streams():
    return [random.random(), float(np.random.rand()), torch.rand(()).item()]

def of_a_seed():
    torch.manual_seed(42)
    return torch.rand(()).item()

def child(rank, folder):
    said = [main_streams(), np.random.default_rng().random(), of_a_seed()]
    Path(folder, str(rank)).write_text(json.dumps(said))

def task(number):
    unseeded = torch.rand((), generator=torch.Generator()).item()
    return [number, *main_streams(), unseeded]

if __name__ == "__main__":
    folder, workers = sys.argv[1], int(sys.argv[2])
    said = {"seeded": of_a_seed()}
    mp.spawn(child, (folder,), nprocs=2)
    said["spawn"] = [json.loads(Path(folder, str(rank)).read_text()) for rank in range(2)]
    with mp.Pool(workers) as pool:
        said["pool"] = pool.map(task, range(6), chunksize=1)
    print(json.dumps(said))
"""


def test_processes_of_torch_multiprocessing_hear_the_seed(tmp_path: Path) -> None:
    """Children of spawn differ but for the author's seed; tasks of a pool go by their number."""
    file = tmp_path / "program.py"
    file.write_text(PROCESSES)

    def said(seed: str, workers: str) -> Any:
        return python(str(file), str(tmp_path), workers, REPRO_SEED=seed).json()

    two, three, other = said("7", "2"), said("7", "3"), said("8", "2")
    (first, rng, seeded), (second, other_rng, also_seeded) = two["spawn"]

    assert two == three
    assert two["seeded"] == seeded == also_seeded != other["seeded"]
    assert not {*first, rng} & {*second, other_rng}
    assert len({str(row[1:]) for row in two["pool"]}) == 6
    assert all(a[1:] != b[1:] for a, b in zip(two["pool"], other["pool"], strict=True))
    assert all(a != b for a, b in zip(two["spawn"], other["spawn"], strict=True))


DDP = str(Path(__file__).parent / "ddp_program.py")
SHARED = ("torch", "numpy", "random", "unseeded parameters", "seeded parameters", "result")
OF_A_RANK = ("default_rng", "generator")


@pytest.fixture(scope="module", name="jobs")
def _jobs(tmp_path_factory: pytest.TempPathFactory) -> dict[str, list[Any]]:
    """What the ranks of each job said; `alone` is one process without torchrun."""
    run = ("-m", "torch.distributed.run", "--standalone", "--nproc_per_node", "2")
    jobs = {}
    for name, launcher in {"7": run, "7 again": run, "8": run, "7 alone": ()}.items():
        folder = tmp_path_factory.mktemp("job")
        python(
            *launcher,
            DDP,
            str(folder),
            OMP_NUM_THREADS="1",
            REPRO_SEED=name[0],
            REPRO_REPORT=str(folder / "reports"),
        )
        jobs[name] = [json.loads(each.read_text()) for each in sorted(folder.glob("rank*.json"))]
        jobs[f"reports of {name}"] = reports(folder / "reports")
    return jobs


def test_a_distributed_training_is_repeated(jobs: dict[str, list[Any]]) -> None:
    """A == A' in all that each rank drew and trained, and A != B."""
    assert jobs["7"] == jobs["7 again"]
    for seven, eight in zip(jobs["7"], jobs["8"], strict=True):
        assert [name for name in seven if seven[name] == eight[name]] == []


def test_ranks_share_the_main_streams_and_nothing_else(jobs: dict[str, list[Any]]) -> None:
    """Parameters are equal even without a broadcast; unseeded generators and workers differ."""
    first, second = jobs["7"]

    assert [name for name in first if first[name] == second[name]] == list(SHARED)
    drawn = [number for row in (*first["rows"], *second["rows"]) for number in row[1:]]
    assert len(set(drawn)) == len(drawn) == 2 * 2 * 8 * 3


def test_rank_0_stands_where_a_single_process_would(jobs: dict[str, list[Any]]) -> None:
    """It draws the same; only its share of the rows is another."""
    (alone,) = jobs["7 alone"]
    first = jobs["7"][0]

    for name in (*SHARED[:-1], *OF_A_RANK):
        assert first[name] == alone[name], name


def test_each_report_carries_its_place(jobs: dict[str, list[Any]]) -> None:
    """The launcher has the empty place; ranks and their workers stand below it."""
    places = {each["process"]["lineage"] for each in jobs["reports of 7"]}

    assert places >= {"", "rank.0", "rank.1", "rank.0/0", "rank.0/3", "rank.1/0", "rank.1/3"}
