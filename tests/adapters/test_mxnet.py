"""The mxnet adapter, in real processes; MXNet itself says which variables it sees."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from tests.adapters.probe import PRELUDE, Run, deaf, locked, same_draws, unlocked
from tests.interpreter import python

if TYPE_CHECKING:
    from pathlib import Path

PROGRAM = """
import mxnet as mx
from mxnet import autograd, gluon, nd

dense = gluon.nn.Dense(2, in_units=3)
dense.initialize(mx.init.Xavier())
with autograd.record():
    dropped = nd.Dropout(nd.ones((64,)))
loader = gluon.data.DataLoader(list(range(20)), batch_size=20, shuffle=True)
drawn = {
    "uniform": nd.random.uniform(shape=3),
    "normal": nd.random.normal(shape=3),
    "randint": nd.random.randint(0, 2**30, shape=5),
    "shuffle": nd.random.shuffle(nd.arange(20)),
    "multinomial": nd.random.multinomial(nd.ones(20) / 20, shape=20),
    "gamma": nd.random.gamma(shape=3),
    "symbol": mx.sym.random.normal(shape=3).bind(mx.cpu(), {}).forward()[0],
    "numpy": mx.np.random.uniform(size=3),
    "initial weights": dense.weight.data(),
    "dropout": dropped,
    "shuffling loader": next(iter(loader)),
}
names = (
    "MXNET_ENFORCE_DETERMINISM", "MXNET_CUDNN_AUTOTUNE_DEFAULT", "MXNET_CUDA_ALLOW_TENSOR_CORE",
    "CUBLAS_WORKSPACE_CONFIG", "NCCL_ALGO", "NVIDIA_TF32_OVERRIDE",
)
print(json.dumps({
    "draws": {name: each.asnumpy().tolist() for name, each in drawn.items()},
    "environment": {name: mx.util.getenv(name) for name in names},
}))
if "UNDO" in os.environ:
    os.environ["MXNET_ENFORCE_DETERMINISM"] = "0"
"""
GIVEN = {
    "unlocked": {"MXNET_ENFORCE_DETERMINISM": "0"},
    "strict": {"MXNET_ENFORCE_DETERMINISM": "0"},
}

WARN = {
    "MXNET_ENFORCE_DETERMINISM": None,
    "MXNET_CUDNN_AUTOTUNE_DEFAULT": "0",
    "MXNET_CUDA_ALLOW_TENSOR_CORE": None,
    "CUBLAS_WORKSPACE_CONFIG": ":4096:8",
    "NCCL_ALGO": "Ring",
    "NVIDIA_TF32_OVERRIDE": None,
}
STRICT = {**WARN, "MXNET_ENFORCE_DETERMINISM": "1"}


def test_one_seed_gives_the_same_draws_at_every_level(runs: dict[str, Run]) -> None:
    """Operators, symbols, layers and loaders draw from the outside seed, not from the level."""
    assert same_draws(runs)


def test_another_seed_gives_other_draws_from_each_generator(runs: dict[str, Run]) -> None:
    """Each random operator hears the outside seed, to which MXNet by itself is deaf."""
    assert deaf(runs) == []


def test_level_seed_leaves_the_environment_as_it_is(runs: dict[str, Run]) -> None:
    """Level seed sets seeds only."""
    assert set(runs["seed"].said["environment"].values()) == {None}


def test_level_warn_leaves_the_refusing_flag_unset(runs: dict[str, Run]) -> None:
    """Level warn stops the autotuning, and refuses no operator."""
    assert runs["warn"].said["environment"] == WARN


def test_level_strict_sets_every_variable(runs: dict[str, Run]) -> None:
    """Level strict has every variable in force when MXNet itself is asked."""
    assert runs["strict"].said["environment"] == STRICT


def test_an_unsuitable_value_of_the_users_is_replaced_and_recorded(runs: dict[str, Run]) -> None:
    """The report keeps the value that stood there before, which an unlocked run leaves."""
    assert runs["unlocked"].said["environment"]["MXNET_ENFORCE_DETERMINISM"] == "0"
    assert runs["strict"].library("mxnet")["replaced"] == GIVEN["strict"]


def test_tf32_is_kept_unless_it_is_switched_off(runs: dict[str, Run]) -> None:
    """REPRO_TF32=off keeps MXNet from tensor cores and CUDA's libraries from TensorFloat-32."""
    environment = runs["other"].said["environment"]

    assert environment["MXNET_CUDA_ALLOW_TENSOR_CORE"] == "0"
    assert environment["NVIDIA_TF32_OVERRIDE"] == "0"


def test_what_user_code_undoes_is_in_the_report(runs: dict[str, Run]) -> None:
    """A variable that changed before the exit is overridden; untouched ones are not."""
    assert runs["other"].library("mxnet")["overridden"] == {
        "MXNET_ENFORCE_DETERMINISM": {"set": "1", "now": "0"}
    }
    assert runs["strict"].library("mxnet")["overridden"] == {}


def test_the_report_says_that_there_is_no_digest_of_the_generators(runs: dict[str, Run]) -> None:
    """They are not read for it, which takes too long, and a gap says so."""
    library = runs["strict"].library("mxnet")

    assert library["digest_seeded"] is None
    assert library["digest_now"] is None
    assert any("no digest of them" in gap for gap in library["gaps"])
    assert not any("can't be read" in gap for gap in library["gaps"])


SEEDS = """
import mxnet as mx
import numpy as np
from mxnet import npx

import seedlock

def draw():
    return mx.nd.random.uniform(shape=3).asnumpy().tolist()

def after(*args, **kwargs):
    mx.random.seed(*args, **kwargs)
    return draw()

def problem(*args, **kwargs):
    try:
        mx.random.seed(*args, **kwargs)
    except Exception as problem:
        return f"{type(problem).__name__}: {problem}"

def drawn():
    npx.random.seed(1)
    return {
        "npx": draw(), "1": after(1), "again": after(1), "numpy": after(np.int64(1)), "2": after(2),
        "cpu": after(1, ctx=mx.cpu(0)), "cpu 2": after(2, ctx="cpu"), "negative": after(-1),
    }

def held():
    return seedlock.state_dict()["libraries"]["mxnet"]["seed"]

start = draw()
with seedlock.fixed():
    fixed = drawn()
beyond = draw()
said = {
    "start": start, "fixed": fixed, "beyond": beyond, "mixed": drawn(),
    "errors": [problem("1"), problem(1.5), problem(None), problem(1, ctx="nowhere")],
}
if "REPRO_SEED" in os.environ:
    said["held"] = [(mx.random.seed(each), held())[1] for each in (5, 6, 5)]
    state = seedlock.state_dict()
    said["resumed"] = [draw(), (seedlock.load_state_dict(state), draw())[1]]
"""

ITERATORS = """
import struct, zlib
import mxnet as mx
import numpy as np

import seedlock

def png(pixels):
    chunk = lambda name, data: (
        struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))
    )
    size = struct.pack(">IIBBBBB", *pixels.shape[:2], 8, 2, 0, 0, 0)
    rows = b"".join(b"\\0" + row.tobytes() for row in pixels)
    parts = chunk(b"IHDR", size) + chunk(b"IDAT", zlib.compress(rows)) + chunk(b"IEND", b"")
    return b"\\x89PNG\\r\\n\\x1a\\n" + parts

images = mx.recordio.MXIndexedRecordIO("images.idx", "images.rec", "w")
for number in range(32):
    pixels = np.zeros((8, 8, 3), np.uint8)
    pixels[:, :, 0], pixels[:, :, 1], pixels[:, :, 2] = number, np.arange(8), np.arange(8)[:, None]
    header = mx.recordio.IRHeader(0, np.array([2, 5, 0, .1, .1, .9, .9], "f"), number, 0)
    images.write_idx(number, mx.recordio.pack(header, png(pixels)))
images.close()
open("pixels", "wb").write(struct.pack(">IIII", 2051, 64, 2, 2) + bytes(range(256)))
open("labels", "wb").write(struct.pack(">II", 2049, 64) + bytes(64))
open("table", "w").write("1,2\\n3,4\\n")

def digits(**options):
    return digest(next(mx.io.MNISTIter(
        image="pixels", label="labels", batch_size=64, shuffle=True, silent=True, **options
    )).data[0].asnumpy())

def pictures(kind="ImageRecordIter", **options):
    rows = getattr(mx.io, kind)(
        path_imgrec="images.rec", data_shape=(3, 6, 6), batch_size=8, verbose=False,
        **{"label_width": 7, "preprocess_threads": 4, **options}
    )
    return digest(np.stack([batch.data[0].asnumpy() for batch in rows]))

def boxes(**options):
    return pictures("ImageDetRecordIter", label_width=-1, **options)

def problem(seed):
    try:
        digits(seed=seed)
    except Exception as problem:
        return str(problem).splitlines()[-1]

def given():
    return {
        "digits 0": digits(seed=0), "digits 5": digits(seed=5), "text": digits(seed="5"),
        "crops 3": pictures(rand_crop=True, seed_aug=3),
        "crops 4": pictures(rand_crop=True, seed_aug=4),
    }

order = {"shuffle": True, "path_imgidx": "images.idx"}
with seedlock.fixed():
    fixed = given()
iterated = {
    "draws": {
        **given(),
        "digits": digits(), "more digits": digits(),
        "pictures": pictures(**order), "crops": pictures(rand_crop=True, seed_aug=None),
        "bytes": pictures("ImageRecordUInt8Iter", **order),
        "older": pictures("ImageRecordIter_v1", **order), "boxes": boxes(shuffle=True),
    },
    "deaf": [boxes(rand_mirror_prob=0.5), pictures("ImageRecordIter_v1", rand_crop=True)],
    "table": next(mx.io.CSVIter(data_csv="table", data_shape=(2,), batch_size=2)).data[0]
        .asnumpy().tolist(),
    "fixed": fixed,
    "errors": [problem(each) for each in ("abc", 2**40, 1.5, None)],
    "doc": mx.io.MNISTIter.__name__ + mx.io.MNISTIter.__doc__[-60:],
}
if "REPRO_SEED" in os.environ:
    seedlock.state_dict()
"""

WORKERS = """
import random
import mxnet as mx
import numpy as np
from mxnet import gluon, image, nd

class Noise(gluon.data.Dataset):
    def __len__(self):
        return 12

    def __getitem__(self, index):
        drawn = np.random.rand(), random.random(), nd.random.uniform(shape=1).asscalar()
        return np.array([index, *drawn])

how = json.loads(os.environ["HOW"])
loader = gluon.data.DataLoader(Noise(), batch_size=3, shuffle=True, **how)
rows = np.concatenate([batch.asnumpy() for _ in range(2) for batch in loader]).tolist()

def forked():
    "What a plain fork draws, and how it ended."
    receive, send = os.pipe()
    child = os.fork()
    if not child:
        os.write(send, json.dumps(nd.random.uniform(shape=3).asnumpy().tolist()).encode())
        os._exit(0)
    assert os.waitpid(child, 0)[1] == 0
    return json.loads(os.read(receive, 1000))

report = {}
if "REPRO_SEED" in os.environ:
    import seedlock
    report = seedlock.report()
picture = nd.random.uniform(0, 255, shape=(20, 20, 3))
transforms = gluon.data.vision.transforms
print(json.dumps({
    "rows": rows,
    "gaps": report and [*report["gaps"], *report["libraries"]["mxnet"]["gaps"]],
    "children": [forked(), forked()],
    "own": nd.random.uniform(shape=3).asnumpy().tolist(),
    "augmented": [
        digest(image.random_crop(picture, (5, 5))[1]),
        digest(transforms.RandomFlipLeftRight()(picture).asnumpy()
            + transforms.RandomBrightness(0.5)(picture).asnumpy()),
        digest(transforms.RandomResizedCrop(8)(picture).asnumpy()),
    ],
}))
"""


@pytest.fixture(name="both", scope="module")
def _both(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Run]:
    """SEEDS and ITERATORS, one after the other: unlocked, twice under seed 7, under seed 8."""
    folder = tmp_path_factory.mktemp("both")
    program = SEEDS + ITERATORS + "print(json.dumps([said, iterated]))"
    runs = {"plain": unlocked(program, folder), "strict": locked(program, folder)}
    assert locked(program, folder).said == runs["strict"].said
    return {**runs, "other": locked(program, folder, seed=8)}


@pytest.fixture(name="seeded", scope="module")
def _seeded(both: dict[str, Run]) -> dict[str, Run]:
    return {name: Run(run.said[0], run.errors, run.report) for name, run in both.items()}


@pytest.fixture(name="iterators", scope="module")
def _iterators(both: dict[str, Run]) -> dict[str, Run]:
    return {name: Run(run.said[1], run.errors, run.report) for name, run in both.items()}


def test_mixed_seeds_keep_the_authors_structure(seeded: dict[str, Run]) -> None:
    """Equal seeds give equal numbers by whatever way they come, different ones different numbers,
    and all of them hear the outside seed."""
    one, other = seeded["strict"].said["mixed"], seeded["other"].said["mixed"]

    assert one["1"] == one["again"] == one["numpy"] == one["npx"]
    assert len({str(one[name]) for name in ("1", "2", "negative")}) == 3
    assert one["cpu"] != one["cpu 2"]
    assert all(one[name] != other[name] for name in one)


def test_bad_seeds_raise_what_they_do_in_a_plain_run(seeded: dict[str, Run]) -> None:
    """The library's own errors are left."""
    assert seeded["strict"].said["errors"] == seeded["plain"].said["errors"]
    assert None not in seeded["plain"].said["errors"]


def test_a_block_of_fixed_seeds_as_written(seeded: dict[str, Run]) -> None:
    """In the block numbers are a plain run's, and after it they hear the outside seed again."""
    plain, one = seeded["plain"].said, seeded["strict"].said

    assert one["fixed"] == plain["fixed"] == plain["mixed"]
    assert one["beyond"] not in (plain["beyond"], seeded["other"].said["beyond"])


def test_a_checkpoint_follows_the_seed_in_force(seeded: dict[str, Run]) -> None:
    """The seed that a state leads on to comes from the one that user code set last."""
    first, second, again = seeded["strict"].said["held"]

    assert first == again != second
    assert seeded["strict"].said["resumed"][0] == seeded["strict"].said["resumed"][1]


@pytest.mark.parametrize("policy", ["keep", "refuse"])
def test_keep_and_refuse(tmp_path: Path, policy: str) -> None:
    """Under keep seeds are as written; under refuse they are errors, those of the iterators too,
    but for blocks of fixed()."""
    program = """
import seedlock.errors
import mxnet as mx

def after(seed):
    mx.random.seed(seed)
    return mx.nd.random.uniform(shape=3).asnumpy().tolist()

with seedlock.fixed():
    said = [after(3)]
try:
    said.append(after(3))
except seedlock.errors.UserSeedRefused as problem:
    said.append("with seedlock.fixed()" in str(problem))
try:
    mx.io.MNISTIter(seed=3, image="nowhere", label="nowhere")
except Exception as problem:
    said.append(type(problem).__name__)
print(json.dumps(said))
"""
    plain = unlocked(program, tmp_path).said

    said = locked(program, tmp_path, REPRO_USER_SEEDS=policy).said

    assert said == (plain if policy == "keep" else [plain[0], True, "UserSeedRefused"])


def test_data_iterators_hear_the_outside_seed(iterators: dict[str, Run]) -> None:
    """C++ iterators hear it in the seeds that they are given and in those that they are not."""
    one = iterators["strict"].said["draws"]

    assert deaf(iterators) == []
    assert one["digits 5"] == one["text"] != one["digits 0"]
    assert one["digits"] != one["more digits"]
    assert one["crops 3"] != one["crops 4"]


def test_data_iterators_are_otherwise_as_they_were(iterators: dict[str, Run]) -> None:
    """Blocks of fixed(), errors, documentation and iterators without a seed are a plain run's."""
    plain, one = iterators["plain"].said, iterators["strict"].said

    assert all(plain["draws"][name] == drawn for name, drawn in one["fixed"].items())
    assert one["errors"] == plain["errors"]
    assert one["doc"] == plain["doc"]
    assert one["table"] == [[1, 2], [3, 4]]


def test_augmentations_that_no_seed_reaches_are_gaps(iterators: dict[str, Run]) -> None:
    """The report names the iterators whose augmentations are deaf, and those that repeat
    them."""
    gaps = " ".join(iterators["strict"].report["gaps"])

    assert iterators["strict"].said["deaf"] == iterators["plain"].said["deaf"]
    assert "mxnet.io.ImageDetRecordIter draws its augmentations from generators" in gaps
    assert "mxnet.io.ImageRecordIter_v1 draws its augmentations from generators" in gaps
    assert "mxnet.io.ImageRecordIter was made without seed_aug" in gaps


def test_a_checkpoint_is_without_what_iterators_have_drawn(iterators: dict[str, Run]) -> None:
    """A gap names each kind that draws after it was made; MNISTIter shuffles as it is made."""
    gaps = [gap for gap in iterators["strict"].report["gaps"] if "is not in state_dict()" in gap]

    assert sorted(gap.split()[1].removeprefix("mxnet.io.") for gap in gaps) == [
        "ImageDetRecordIter", "ImageRecordIter", "ImageRecordIter_v1", "ImageRecordUInt8Iter"
    ]  # fmt: skip


def test_data_iterators_are_in_the_report(iterators: dict[str, Run]) -> None:
    """Given seeds are among the user seeds, made-up ones among the generators without one."""
    report = iterators["strict"].report
    mixed = [site for site in report["user_seeds"] if site["function"] == "mxnet.io.MNISTIter"]

    assert [site["policy"] for site in mixed] == ["fixed", "mix"]
    assert [site["given"] for site in mixed] == [["0", "5"]] * 2
    assert "mxnet.io.MNISTIter" in {site["function"] for site in report["unseeded"]}


def workers(how: str, **variables: Any) -> Any:
    """Run WORKERS with a loader's arguments, as JSON, and return what it said."""
    return python("-c", PRELUDE + WORKERS, HOW=how, **variables).json()


def test_loader_workers_draw_by_their_task() -> None:
    """Batches draw different numbers, the same ones in the next run and with another number of
    workers, others under another seed; a plain fork has numbers of its own and does not hang."""
    two = workers('{"num_workers": 2}', REPRO_SEED="7")
    three = workers('{"num_workers": 3}', REPRO_SEED="7")
    other = workers('{"num_workers": 2}', REPRO_SEED="8")

    assert two["rows"] == three["rows"]
    for column in (1, 2, 3):
        drawn = [row[column] for row in two["rows"]]
        assert len({*drawn}) == len(drawn) == 24
        assert not {*drawn} & {row[column] for row in other["rows"]}
    assert len({str(each) for each in (*two["children"], two["own"], *other["children"])}) == 5
    assert all(one != another for one, another in zip(two["augmented"], other["augmented"],
                                                      strict=True))  # fmt: skip


def test_a_loader_of_threads_hears_the_seed_and_is_a_gap() -> None:
    """MXNet's generators in its threads would start at 0 in every run. What they share with the
    program is a gap."""
    how = '{"num_workers": 1, "thread_pool": true}'
    runs = workers(how, REPRO_SEED="7"), workers(how, REPRO_SEED="8"), workers(how)

    first, second, third = ({row[3] for row in run["rows"]} for run in runs)
    assert not first & second and not first & third
    assert any("thread_pool=True" in gap for gap in runs[0]["gaps"])
    assert any("in each thread" in gap for gap in runs[0]["gaps"])
