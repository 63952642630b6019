"""Training that is stopped and resumed, and draws that are isolated, in every framework."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import pytest

from tests.absent import without
from tests.adapters.probe import DRAW_ALL, in_copies
from tests.interpreter import python

PROGRAMS = Path(__file__).parent / "resume"

EACH = """
import runpy, json, random, numpy, torch, tensorflow, keras, mxnet, jax
import seedlock
program = runpy.run_path({draw_all!r})
modules = dict(
    random=random, numpy=numpy, torch=torch, tensorflow=tensorflow, keras=keras, mxnet=mxnet,
    jax=jax,
)
layer = keras.layers.Dropout(0.5)
def draw():
    drawn = {{name: program["draw_" + name](module, 0) for name, module in modules.items()}}
    drawn["old layer"] = program["digest"](layer(numpy.ones((8, 8)), training=True))
    return drawn
"""

ISOLATED = """
import gc
unused = keras.Sequential([keras.Input((4,)), keras.layers.Dropout(0.5)])
unused.itself = unused
del unused
start = seedlock.state_dict()
plain = draw()
going_on = draw()
seedlock.load_state_dict(start)
with seedlock.isolate():
    inside = draw()
    kept = keras.layers.Dropout(0.5)
    gc.collect()
isolated = draw()
seedlock.load_state_dict(start)
try:
    with seedlock.isolate():
        draw()
        raise KeyError
except KeyError:
    raised = draw()
seedlock.load_state_dict(json.loads(json.dumps(start)))
restored = draw()
print(json.dumps([plain, going_on, inside, isolated, raised, restored]))
"""


def train(name: str, folder: Path, epochs: int, *how: str) -> str:
    """Run a training program under seed 7 and return the digest of its parameters."""
    program = PROGRAMS / f"train_{name}.py"
    folder.mkdir(exist_ok=True)
    start = without("jax", "sklearn") if name == "keras" else {}
    given = str(folder), str(epochs), *how
    return python(str(program), *given, cwd=folder, REPRO_SEED="7", **start).out


IN_COPIES = {"torch": "torch", "keras": "tensorflow,keras"}
"""Frameworks whose starts take longest, with what is imported before a process is copied."""

TRAINING = """
import contextlib, io, runpy, shutil, sys
if {how!r} == ["forget"]:
    shutil.copytree("stopped", {folder!r})
sys.argv = [{program!r}, {folder!r}, "{epochs}", *{how!r}]
out = io.StringIO()
with contextlib.redirect_stdout(out):
    runpy.run_path(sys.argv[0], run_name="__main__")
print(json.dumps(out.getvalue()))
"""


def begun(name: str, folder: Path) -> tuple[str, ...]:
    """Return the digests of a training that goes through, of one that is stopped after epoch 2,
    and of one that goes on from there without the generators' state."""
    trainings: dict[str, tuple[int, list[str]]] = {
        "through": (4, []), "stopped": (2, []), "forgotten": (4, ["forget"])
    }  # fmt: skip
    if name in IN_COPIES:
        program = str(PROGRAMS / f"train_{name}.py")
        programs = {
            place: TRAINING.format(program=program, folder=place, epochs=epochs, how=how)
            for place, (epochs, how) in trainings.items()
        }
        for place in ("through", "stopped"):
            (folder / place).mkdir()
        start = without("jax", "sklearn") if name == "keras" else {}
        said = in_copies(IN_COPIES[name], programs, folder, REPRO_SEED="7", **start)
        return tuple(said.values())
    through, stopped = train(name, folder / "through", 4), train(name, folder / "stopped", 2)
    shutil.copytree(folder / "stopped", folder / "forgotten")
    return through, stopped, train(name, folder / "forgotten", 4, "forget")


@pytest.mark.parametrize("name", ["numpy", "torch", "keras", "mxnet", "jax"])
def test_a_resumed_training_ends_in_the_bits_of_an_uninterrupted_one(
    name: str, tmp_path: Path
) -> None:
    """Stopped after epoch 2 and resumed in a new process, training ends as if it had gone
    through; without the generators' state it ends elsewhere."""
    through, stopped, forgotten = begun(name, tmp_path)

    assert stopped != through
    assert train(name, tmp_path / "stopped", 4, "resume") == through
    assert forgotten != through


@pytest.fixture(scope="module")
def isolated(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """Return what every library draws in turn around isolate(), by the name of the turn."""
    program = EACH.format(draw_all=str(DRAW_ALL)) + ISOLATED
    done = python("-c", program, cwd=tmp_path_factory.mktemp("isolated"), REPRO_SEED="7")
    turns = ("plain", "going on", "inside", "isolated", "raised", "restored")
    return dict(zip(turns, done.json(), strict=True))


def test_what_an_isolated_block_draws_leaves_no_trace(isolated: dict[str, Any]) -> None:
    """After the block each library draws what it would have drawn without it, even when a Keras
    layer was made inside and an unused one was swept up. JAX's keys are no state: they stay."""
    plain = isolated["plain"]

    assert isolated["isolated"] == plain
    assert isolated["raised"] == plain
    assert [name for name in plain if plain[name] == isolated["going on"][name]] == ["jax"]


def test_an_isolated_block_draws_what_would_have_come(isolated: dict[str, Any]) -> None:
    """The block itself goes on where the program was."""
    assert isolated["inside"] == isolated["plain"]


def test_a_state_survives_json_for_every_library(isolated: dict[str, Any]) -> None:
    """What state_dict() returns holds numbers, text and lists only, and brings all draws back."""
    assert isolated["restored"] == isolated["plain"]
