"""MXNet's generators, read and written in memory: what is drawn after says whether it was right."""

from __future__ import annotations

from typing import Any

import pytest

from tests.adapters.probe import PRELUDE
from tests.interpreter import python

PROGRAM = """
import random, threading
import mxnet as mx
import numpy
from mxnet import autograd, gluon, nd

import seedlock
from seedlock.adapters import mxnet as adapting
from seedlock.adapters import mxnet_generators as generators

def rows(array):
    return array.asnumpy().tolist()

def dropped(shape=(64,)):
    with autograd.record():
        return nd.Dropout(nd.ones(shape))

def large(shape=70_000):
    return nd.array([each(shape=shape).sum().asscalar() for each in (uniform, nd.random.normal)])

uniform = nd.random.uniform
lstm = gluon.rnn.LSTM(5, 2, dropout=0.5)
lstm.initialize(mx.init.One())
static = gluon.nn.Dropout(0.5)
static.hybridize(static_alloc=True, static_shape=True)
bound = mx.sym.random.normal(shape=3).bind(mx.cpu(), {})
picture = uniform(0, 255, shape=(8, 8, 3))
transforms = gluon.data.vision.transforms
ones = nd.ones((3, 4, 4))

def recurrent():
    with autograd.record():
        return lstm(ones)

def hybrid():
    with autograd.record():
        return static(ones)

WAYS = {
    "uniform": lambda: uniform(shape=3),
    "normal, an odd number": lambda: nd.random.normal(shape=3),
    "a few engines": lambda: uniform(shape=200),
    "all engines": lambda: uniform(shape=2**16),
    "large": large,
    "sample": lambda: nd.sample_normal(nd.zeros(3), nd.ones(3)),
    "gamma": lambda: nd.random.gamma(2, shape=3),
    "poisson": lambda: nd.random.poisson(3, shape=9),
    "randint": lambda: nd.random.randint(0, 2**30, shape=5),
    "shuffle": lambda: nd.random.shuffle(nd.arange(20)),
    "large shuffle": lambda: nd.random.shuffle(nd.arange(500_000))[:100],
    "multinomial": lambda: nd.random.multinomial(nd.ones(20) / 20, shape=20),
    "np uniform": lambda: mx.np.random.uniform(size=3),
    "np normal": lambda: mx.np.random.normal(size=3),
    "np choice": lambda: mx.np.random.choice(2**20, 5),
    "np gumbel": lambda: mx.np.random.gumbel(size=3),
    "bernoulli": lambda: mx.npx.random.bernoulli(0.5, size=64),
    "dropout": dropped,
    "hybrid dropout": hybrid,
    "recurrent dropout": recurrent,
    "symbol": lambda: bound.forward()[0],
    "picture": lambda: transforms.RandomBrightness(0.5)(picture),
}

def held():
    return seedlock.state_dict()["libraries"]["mxnet"]

def there_and_back(way):
    "What a way draws: going on, again after a state, the same in a block, and after the block."
    state = json.loads(json.dumps(seedlock.state_dict()))
    first, second = rows(way()), rows(way())
    seedlock.load_state_dict(state)
    with seedlock.isolate():
        inside = rows(way())
    return [first, second], [rows(way()), rows(way())], inside

def sizes():
    mx.random.seed(3)
    said = [len(held()["engines"]), len(json.dumps(held()))]
    nd.random.shuffle(uniform(shape=100))
    said += [sorted(held()["engines"])]
    uniform(shape=2**16)
    return [*said, len(held()["engines"]), len(json.dumps(held()))]

def elsewhere(do):
    "What a function returns in a thread, whose generators are its own."
    said = []
    thread = threading.Thread(target=lambda: said.append(do()))
    thread.start()
    thread.join()
    return said[0]

def refused(state):
    try:
        seedlock.load_state_dict(state)
    except seedlock.errors.BadState as problem:
        return str(problem)

def three_copies(state):
    "With more generators than one, which take turns, and a state that has one."
    os.environ["MXNET_CPU_PARALLEL_RAND_COPY"] = "3"
    mx.random.seed(5)
    uniform(shape=3)
    return there_and_back(WAYS["uniform"]), held()["copies"], refused(state)

def on_a_device():
    mx.random.seed(3, ctx=mx.cpu(0))
    return there_and_back(WAYS["a few engines"])

def forked():
    receive, send = os.pipe()
    child = os.fork()
    if not child:
        os.write(send, json.dumps(there_and_back(WAYS["a few engines"])).encode())
        os._exit(0)
    assert os.waitpid(child, 0)[1] == 0
    return json.loads(os.read(receive, 100_000))

def drawn():
    return [rows(uniform(shape=3)), random.random(), numpy.random.default_rng().random()]

def failing():
    "Where what is still being computed fails, which MXNet tells whoever waits next."
    state = seedlock.state_dict()
    first = drawn()
    nd.random.normal(0, -1, shape=3)
    try:
        seedlock.load_state_dict(state)
        raised = ""
    except mx.base.MXNetError as problem:
        raised = str(problem)
    return raised, first, drawn()

def planted(**wrong):
    "What is drawn without a state between and with one, where the engines are not as expected."
    right = {name: getattr(generators, name) for name in wrong}
    for name, value in wrong.items():
        setattr(generators, name, value)
    adapting.adapter._trouble = ""
    after = []
    for take in (lambda: None, held, held):
        mx.random.seed(4)
        uniform(shape=3)
        after.append([take() and None, rows(uniform(shape=3))])
    said = after, list(held()), refused(before)
    for name, value in right.items():
        setattr(generators, name, value)
    adapting.adapter._trouble = ""
    return said

def of_version(version):
    right, mx.__version__ = mx.__version__, version
    said = generators.trouble(mx)
    mx.__version__ = right
    return said

def without_and_with(take):
    "What a large draw gives after a small one, without a state in between and with the first."
    mx.random.seed(11)
    uniform(shape=500)
    expected = rows(large())
    mx.random.seed(11)
    uniform(shape=500)
    return expected, take(), rows(large())

def spoilt():
    "Of an engine just seeded, and with a word and the index changed: does it count as seeded?"
    mx.random.seed(0)
    engine = generators._contents(generators._engines(mx)[0])[-1]
    found = [engine, engine[:800] + b"?" + engine[801:], engine[:-8] + bytes(8)]
    return [generators._fresh(each, generators._first(engine)) for each in found]

expected, before, found = without_and_with(seedlock.state_dict)
note = generators._NOTE
said = {
    "first": [expected, found],
    "seeded": spoilt(),
    "ways": {name: there_and_back(way) for name, way in WAYS.items()},
    "sizes": sizes(),
    "device": on_a_device(),
    "thread": elsewhere(lambda: there_and_back(WAYS["a few engines"])),
    "copies": elsewhere(lambda: three_copies(before)),
    "fork": forked(),
    "failing": failing(),
    "build": planted(_NOTE=(note[0], note[1][:-1] + b"?")),
    "elsewhere": planted(_PER_COPY=17, _PER_SEED=129),
    "version": of_version("1.9.0"),
    "gaps": seedlock.report()["gaps"],
    "after": there_and_back(WAYS["shuffle"]),
}
print(json.dumps(said))
"""


@pytest.fixture(name="said", scope="module")
def _said(tmp_path_factory: pytest.TempPathFactory) -> Any:
    """What PROGRAM says; MXNet's recurrent layers only drop without oneDNN."""
    folder = tmp_path_factory.mktemp("generators")
    return python(
        "-c", PRELUDE + PROGRAM, cwd=folder, REPRO_SEED="7", MXNET_USE_MKLDNN_RNN="0"
    ).json()


def exact(turns: Any) -> bool:
    """Tell whether draws came again after a state and in a block, and differ from each other."""
    first, again, inside = turns
    return bool(first == again and inside == first[0] and first[0] != first[1])


def test_each_way_to_draw_goes_on_exactly(said: Any) -> None:
    """Operators of nd, np and symbols, layers, small draws and large ones, through JSON."""
    ways = said["ways"]

    assert [name for name, turns in ways.items() if not exact(turns)] == []
    assert len(ways) == 22


def test_the_first_state_changes_nothing(said: Any) -> None:
    """All engines are seeded once to see that they are found, and are put back."""
    expected, found = said["first"]

    assert found == expected


def test_generators_of_threads_devices_and_forks_go_on_exactly(said: Any) -> None:
    """A state holds those of the thread that takes it, however they were seeded."""
    assert exact(said["device"])
    assert exact(said["thread"])
    assert exact(said["fork"])
    assert exact(said["after"])


def test_a_failure_that_comes_to_light_keeps_no_state_out(said: Any) -> None:
    """It is raised as it would be by whoever waits next, and all generators are put back."""
    raised, first, again = said["failing"]

    assert "Check failed" in raised
    assert first == again


def test_a_state_fits_generators_of_its_number_only(said: Any) -> None:
    """With three of them, their turns go on as well; a state with one is refused."""
    turns, copies, refused = said["copies"]

    assert exact(turns)
    assert copies == 3
    assert "MXNET_CPU_PARALLEL_RAND_COPY=1 and this process has 3" in refused


def test_a_state_holds_what_was_drawn_from(said: Any) -> None:
    """Engines that are as their seed left them are not in it: bytes as JSON, 3.4 MB at most."""
    fresh, small, drawn, largest, large = said["sizes"]

    assert said["seeded"] == [True, False, False]
    assert fresh == 0
    assert small < 100
    assert drawn == ["0", "1", "2"]
    assert largest == 1025
    assert 3_400_000 < large < 3_500_000


@pytest.mark.parametrize("name", ["build", "elsewhere"])
def test_what_is_not_as_expected_is_seeded_anew(said: Any, name: str) -> None:
    """In another build or version, and where the engines do not answer to seeding, a state holds a
    seed: what follows repeats, is not what would have come, and an exact state is refused."""
    (plain, one, again), held, refused = said[name]

    assert held == ["seed"]
    assert one == again != plain
    assert "can't be put into the state here" in refused
    assert said["version"] == "it is 1.9.0, not 1.9.1"


def test_the_gaps_say_why_generators_could_not_be_read(said: Any) -> None:
    """One for each reason, and none from before it was planted."""
    gaps = [gap for gap in said["gaps"] if "MXNet's generators" in gap]

    assert [gap.split(", ")[1] for gap in gaps] == [
        "for its library is not that of the locked wheel: state_dict() seeds them anew",
        "for its engines were not found where this build has them: state_dict() seeds them anew",
    ]
