"""The runs that the tests of one adapter share, and those of TensorFlow's and Keras's, whose starts
take seconds."""

from __future__ import annotations

from typing import Any

import pytest

from tests.absent import without
from tests.adapters.probe import Run, every_level, in_copies
from tests.once import once

Said = dict[str, dict[str, Any]]
"""What programs said, by the name of the start that they share and by their own."""


@pytest.fixture(scope="module")
def runs(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> dict[str, Run]:
    """Return the runs of the module's PROGRAM, with the variables in its GIVEN."""
    module = request.module
    return every_level(module.PROGRAM, module.GIVEN, tmp_path_factory.mktemp("runs"))


@pytest.fixture(scope="session", name="keras_at_every_level")
def _keras_at_every_level(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Run]:
    """Return runs of one program, which imports Keras, and TensorFlow with it, and says what the
    programs of both modules find."""
    from tests.adapters import test_keras, test_tensorflow

    program = (
        "import keras\nsaid = {}\n"
        + test_tensorflow.PROGRAM
        + test_keras.PROGRAM
        + "print(json.dumps(said))\n"
        + test_tensorflow.UNDO
    )

    def make() -> Any:
        made = every_level(program, test_tensorflow.GIVEN, tmp_path_factory.mktemp("levels"))
        return {name: [run.said, run.errors, run.report] for name, run in made.items()}

    made = once(tmp_path_factory, "keras_at_every_level", make)
    return {name: Run(*each) for name, each in made.items()}


@pytest.fixture(scope="session", name="said_by_start")
def _said_by_start(tmp_path_factory: pytest.TempPathFactory) -> Said:
    """Return what the programs of three modules say that a start of TensorFlow and Keras has:
    `plain`, `first` and `again` under seed 7, and `other` under seed 8."""
    from tests.adapters import test_keras, test_tensorflow_policies, test_tensorflow_seeds

    starts: dict[str, dict[str, Any]] = {
        "plain": {},
        "first": {"REPRO_SEED": "7"},
        "again": {"REPRO_SEED": "7"},
        "other": {"REPRO_SEED": "8"},
    }
    seeds = {"tensorflow": test_tensorflow_seeds.PROGRAM, "keras": test_keras.SEEDS}

    def make() -> Said:
        return {
            name: in_copies(
                "tensorflow,keras",
                seeds | test_tensorflow_policies.PROGRAMS.get(name, {}),
                tmp_path_factory.mktemp(name),
                **without("jax", "sklearn"),
                **variables,
            )
            for name, variables in starts.items()
        }

    said: Said = once(tmp_path_factory, "said_by_start", make)
    return said
