"""The reference models of version-lock/reference/: whole, unseeded, and on data that stays."""

from __future__ import annotations

import ast
import hashlib
import importlib
import json
import shutil
import sys
from typing import TYPE_CHECKING, Any

import pytest
import tomllib

from tests.interpreter import run

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

FRAMEWORKS = {
    "torch": {"torch"},
    "keras": {"keras", "tensorflow"},
    "jax": {"jax", "optax"},
    "mxnet": {"mxnet"},
    "numpy": {"numpy", "sklearn"},
}
"""What the programs of each may import, beside the standard library, tasks and seedlock."""

TASKS = ("digits", "text", "control")

SEEDING = {
    "seed", "manual_seed", "manual_seed_all", "set_seed", "set_random_seed", "seed_everything",
    "default_rng", "RandomState", "SeedSequence", "MT19937", "PCG64", "Philox", "SFC64",
    "Generator", "SeedGenerator", "from_seed", "PRNGKey", "random_state", "rng", "urandom",
    "SystemRandom", "secrets", "set_state", "set_rng_state",
}  # fmt: skip
"""Names that set a seed, or make a generator with a seed of its own."""


@pytest.fixture(name="reference", scope="module")
def reference_fixture(lock: Path) -> dict[str, Any]:
    """reference.toml."""
    return tomllib.loads((lock / "reference" / "reference.toml").read_text())


@pytest.fixture(name="models", scope="module")
def models_fixture(lock: Path) -> Path:
    """The folder of the programs."""
    return lock / "reference" / "models"


@pytest.fixture(name="tasks", scope="module")
def tasks_fixture(models: Path) -> Iterator[dict[str, Any]]:
    """The modules of tasks/, imported as the programs do."""
    sys.path.insert(0, str(models))
    try:
        yield {name: importlib.import_module(f"tasks.{name}") for name in (*TASKS, "packaged")}
    finally:
        sys.path.remove(str(models))
        for name in [name for name in sys.modules if name.split(".")[0] == "tasks"]:
            del sys.modules[name]


def imported(tree: ast.Module) -> set[str]:
    """Return the top names of what a module imports, relative imports left out."""
    found = {
        name.name for node in ast.walk(tree) if isinstance(node, ast.Import) for name in node.names
    }
    found |= {
        node.module
        for node in ast.walk(tree)
        if isinstance(node, ast.ImportFrom) and node.module and not node.level
    }
    return {name.split(".")[0] for name in found}


def seeds_of(tree: ast.Module) -> list[str]:
    """Return each use of a name that seeds, and each key of JAX's but `jax.random.key(0)`."""
    found = []
    for node in ast.walk(tree):
        names = {
            ast.Attribute: ("attr",), ast.Name: ("id",),
            ast.keyword: ("arg",), ast.alias: ("name",),
        }.get(type(node), ())  # fmt: skip
        found += [name for each in names if (name := getattr(node, each)) in SEEDING]
        if isinstance(node, ast.Call) and ast.unparse(node.func).endswith("random.key"):
            text = ast.unparse(node)
            found += [] if text == "jax.random.key(0)" else [text]
    return found


def logged(tree: ast.Module) -> dict[str, bool]:
    """Return each name that is logged, and whether with a step."""
    return {
        ast.literal_eval(node.args[0]): any(word.arg == "step" for word in node.keywords)
        for node in ast.walk(tree)
        if isinstance(node, ast.Call) and ast.unparse(node.func) == "seedlock.log_metric"
    }


def test_each_framework_has_each_task(reference: dict[str, Any], models: Path) -> None:
    """15 models, each with its program, and no program that is no model."""
    expected = {f"{framework}-{task}" for framework in FRAMEWORKS for task in TASKS}

    assert (reference["format"], reference["level"]) == (1, "portable")
    assert reference["seeds"] == 10
    assert set(reference["tasks"]) == set(TASKS)
    assert set(reference["models"]) == expected
    for name, model in reference["models"].items():
        assert name == f"{model['framework']}-{model['task']}"
        assert model["command"] == ["python", name.replace("-", "_") + ".py"]
    assert {path.name for path in models.glob("*.py")} == {
        model["command"][1] for model in reference["models"].values()
    }


def test_programs_import_their_framework_and_log_their_metric(
    reference: dict[str, Any], models: Path
) -> None:
    """Each program reads its task, by its own framework, and logs curve and final value."""
    for model in reference["models"].values():
        tree = ast.parse((models / model["command"][1]).read_text())
        metric = reference["tasks"][model["task"]]["metric"]
        known = sys.stdlib_module_names | FRAMEWORKS[model["framework"]] | {"tasks", "seedlock"}
        shared = {
            name.name
            for node in ast.walk(tree)
            if isinstance(node, ast.ImportFrom) and node.module == "tasks"
            for name in node.names
        }

        assert imported(tree) <= known, model
        assert imported(tree) & FRAMEWORKS[model["framework"]], model
        assert shared == {model["task"]}, model
        assert logged(tree) == {metric: False, f"{metric}_by_epoch": True}, model


def test_no_program_seeds_itself(models: Path) -> None:
    """The outside seed is the only one; JAX's root key is 0, which seedlock moves."""
    for path in models.rglob("*.py"):
        assert seeds_of(ast.parse(path.read_text())) == [], path.name


@pytest.mark.parametrize(
    "line",
    [
        "torch.manual_seed(0)",
        "np.random.seed(0)",
        "rng = np.random.default_rng()",
        "from keras.utils import set_random_seed",
        "keras.layers.Dropout(0.5, seed=1)",
        "MLPClassifier(random_state=1)",
        "mx.random.seed(1)",
        "jax.random.key(1)",
        "random.key(0)",
        "jax.random.PRNGKey(0)",
    ],
)
def test_a_program_that_seeds_itself_is_found(line: str) -> None:
    """Each way in which authors seed is seen by the test above."""
    assert seeds_of(ast.parse(line))


def test_tasks_import_no_framework(models: Path) -> None:
    """What all frameworks share needs NumPy alone, so that none is started for another's data."""
    for path in (models / "tasks").glob("*.py"):
        assert imported(ast.parse(path.read_text())) <= sys.stdlib_module_names | {"numpy"}, path


def test_data_is_what_it_was(tasks: dict[str, Any]) -> None:
    """Digits and text, and how they are split, are the same bytes on each machine."""
    digits, text = tasks["digits"].load(), tasks["text"].load()

    assert digests(digits) == {
        "images": "afcacacdde609310",
        "labels": "8eaeee1469c87963",
        "test_images": "e491e484186a891d",
        "test_labels": "e91dd6d65871fbdb",
    }
    assert digests(text) == {"windows": "b4780d38779fbc95", "test_windows": "8654417dd7df2f33"}
    assert digits.images.shape == (28 * 32, 8, 8) and digits.images.max() == 1
    assert len(text.windows) == 44 * 32 and text.windows.min() == 0
    assert text.windows.max() < tasks["text"].SYMBOLS


def digests(data: Any) -> dict[str, str]:
    """Return the first 16 digits of the SHA-256 of each array, with its type and shape."""
    return {
        name: hashlib.sha256(f"{each.dtype}{each.shape}".encode() + each.tobytes()).hexdigest()[:16]
        for name, each in vars(data).items()
    }


def test_data_lies_in_locked_wheels(tasks: dict[str, Any], lock: Path) -> None:
    """The packages that the data is read from are pinned with hashes."""
    assert "\nmxnet==" in (lock / "cpu.lock").read_text()
    assert "\nscikit-learn==" in (lock / "programs.lock").read_text()


def test_other_bytes_are_refused(
    tasks: dict[str, Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A text that is not the pinned one stops the run, and the line says which, and what to do."""
    packaged = tasks["packaged"]
    (tmp_path / "corpus").mkdir()
    (tmp_path / "corpus" / "__init__.py").touch()
    (tmp_path / "corpus" / "text").write_bytes(b"other\n")
    monkeypatch.syspath_prepend(tmp_path)
    right = hashlib.sha256(b"other\n").hexdigest()

    assert packaged.packaged("corpus", "text", right) == b"other\n"
    with pytest.raises(packaged.OtherBytes, match=f"corpus/text has SHA-256 {right}, but .* pin"):
        packaged.packaged("corpus", "text", "0" * 64)
    with pytest.raises(packaged.OtherBytes, match="corpus/nothing can't be read"):
        packaged.packaged("corpus", "nothing", right)
    with pytest.raises(packaged.OtherBytes, match="no_corpus is not installed"):
        packaged.packaged("no_corpus", "text", right)


def test_the_cart_moves_as_gymnasiums(tasks: dict[str, Any]) -> None:
    """The physics are those of gymnasium's CartPole, step by step, until the pole falls."""
    import numpy as np
    from gymnasium.envs.classic_control.cartpole import CartPoleEnv

    control = tasks["control"]
    environment: Any = CartPoleEnv()
    environment.reset()
    starts = np.linspace(-0.2, 0.2, 4 * control.CARTS).reshape(control.CARTS, 4)
    middle = control.CARTS // 2
    environment.state = starts[middle]
    pushes: Any = np.arange(control.CAP) % 3 % 2
    expected = []
    fallen = False
    while not fallen:
        expected.append(environment.state)
        _, _, fallen, _, _ = environment.step(int(pushes[len(expected) - 1]))
    steps = iter(pushes)
    played = control.play(starts, lambda states: np.full(control.CARTS, next(steps)))
    states = played.states.reshape(control.CAP, control.CARTS, 4)[:, middle]

    assert len(expected) > 10
    np.testing.assert_allclose(states[: len(expected)], np.array(expected), rtol=0, atol=1e-6)
    assert not states[len(expected) :].any()


def test_a_model_repeats_and_hears_the_seed(
    models: Path, reference: dict[str, Any], tasks: dict[str, Any], tmp_path: Path
) -> None:
    """Two runs under seed 1 have equal traces and metrics, one under seed 2 has others."""
    shutil.copytree(models, tmp_path / "models")
    first, again, other = (
        trained(tmp_path, name, seed) for name, seed in (("a", 1), ("b", 1), ("c", 2))
    )
    metrics = [json.loads(line) for line in first[1].splitlines()]
    curve = [each for each in metrics if each["step"] is not None]
    target = reference["tasks"]["control"]["target"]

    assert first == again
    assert first[0] != other[0] and first[1] != other[1]
    assert {each["name"] for each in curve} == {"mean_return_by_epoch"}
    assert [each["step"] for each in curve] == list(range(1, tasks["control"].EPOCHS + 1))
    assert [each["name"] for each in metrics if each["step"] is None] == ["mean_return"]
    assert next(each["step"] for each in curve if each["value"] >= target) < len(curve) - 2
    assert metrics[-1]["value"] >= target


def trained(folder: Path, name: str, seed: int) -> tuple[list[str], str]:
    """Train the cart in NumPy; return the lines of its trace below the header, and its metrics."""
    output = folder / name
    (output / "reports").mkdir(parents=True)
    run(
        [sys.executable, "numpy_control.py"], cwd=folder / "models",
        REPRO_SEED=str(seed), REPRO_LEVEL="portable", REPRO_TRACE="step",
        REPRO_REPORT=f"{output}/reports/", REPRO_OUTPUT=str(output),
    )  # fmt: skip
    [trace] = (output / "reports").glob("*.trace.jsonl")
    lines = trace.read_text().splitlines()[1:]
    assert sum('"kind":"checkpoint"' in line for line in lines) > 1
    return lines, (output / "metrics.jsonl").read_text()
