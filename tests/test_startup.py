"""startup.py: cheap, idempotent, and fails closed."""

from __future__ import annotations

import functools
import json
import shutil
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.conftest import PACKAGE, interpreter_of, make_environment
from tests.interpreter import python, reports, run

FRAMEWORKS = ("numpy", "torch", "tensorflow", "keras", "mxnet", "jax", "random", "json", "typing")


def test_a_start_under_a_seed_imports_nothing_heavy(
    environment_with_seedlock: Callable[[], Path], bare: str, tmp_path: Path
) -> None:
    """No framework, no typing, no logging: only seedlock's own few modules are added."""
    executable = str(environment_with_seedlock().parents[2] / "bin" / "python")
    code = "import sys; print(sorted(sys.modules))"
    from seedlock.hash_seed import hash_seed_variables
    from seedlock.settings import Settings

    variables: dict[str, Any] = {**hash_seed_variables(Settings({"REPRO_SEED": "7"}))}

    plain = python("-c", code, executable=bare, cwd=tmp_path)
    seeded = python("-c", code, executable=executable, cwd=tmp_path, REPRO_SEED="7", **variables)

    added = set(json.loads(seeded.out.replace("'", '"'))) - set(
        json.loads(plain.out.replace("'", '"'))
    )
    assert added == {
        "seedlock",
        "seedlock.startup",
        "seedlock.settings",
        "seedlock.registry",
        "seedlock.import_hooks",
    }


def test_activate_twice_is_activate_once(tmp_path: Path) -> None:
    """A .pth line runs twice in a virtual environment, and there are two doors."""
    code = (
        "import sys, random\n"
        "from seedlock.startup import activate\n"
        "first = random.random(); finders = list(sys.meta_path); activate(); activate()\n"
        "print(finders == sys.meta_path)\n"
        "print(sum('PostImportFinder' in type(each).__name__ for each in sys.meta_path))\n"
        "state = random.getstate(); activate(); print(state == random.getstate())"
    )
    done = python("-c", code, cwd=tmp_path, REPRO_SEED="7")

    assert done.lines == ["True", "1", "True"]


def test_a_library_imported_by_an_earlier_pth_is_locked(
    environment_with_seedlock: Callable[[], Path], tmp_path: Path
) -> None:
    """`random`, which some .pth files load, is seeded all the same."""
    site_packages = environment_with_seedlock()
    (site_packages / "a.pth").write_text("import random\n")
    executable = str(site_packages.parents[2] / "bin" / "python")
    code = "import random; print(random.random())"

    early = python("-c", code, executable=executable, REPRO_SEED="7")
    usual = python("-c", code, REPRO_SEED="7")

    assert early.out == usual.out


def test_an_earlier_pth_may_set_the_variables(
    environment_with_seedlock: Callable[[], Path],
) -> None:
    """What stands in os.environ when seedlock starts counts, not what the process was given."""
    site_packages = environment_with_seedlock()
    line = "import os; os.environ.update(REPRO_SEED='7', REPRO_LEVEL='hard')\n"
    (site_packages / "a.pth").write_text(line)
    executable = str(site_packages.parents[2] / "bin" / "python")

    done = python("-c", "print('went on')", executable=executable, check=False)

    assert (done.status, done.out) == (78, "")
    assert "REPRO_LEVEL" in done.err


def test_what_user_code_printed_before_a_refusal_is_not_lost(
    environment_with_seedlock: Callable[[], Path],
) -> None:
    """A run that is refused at an import keeps its output so far."""
    site_packages = environment_with_seedlock()
    adapter = site_packages / "seedlock" / "adapters" / "python.py"
    adapter.write_text(adapter.read_text().replace("module.seed(seed)", "module.gone(seed)"))
    executable = str(site_packages.parents[2] / "bin" / "python")

    done = python(
        "-c", "print('so far'); import random", executable=executable, check=False,
        REPRO_SEED="7",
    )  # fmt: skip

    assert (done.status, done.out) == (78, "so far\n")


def test_a_refusal_can_not_be_caught(environment_with_seedlock: Callable[[], Path]) -> None:
    """`except BaseException` around the import does not bring a run past it."""
    site_packages = environment_with_seedlock()
    adapter = site_packages / "seedlock" / "adapters" / "python.py"
    adapter.write_text(adapter.read_text().replace("module.seed(seed)", "module.gone(seed)"))
    executable = str(site_packages.parents[2] / "bin" / "python")
    code = "try:\n import random\nexcept BaseException:\n pass\nprint('went on')"

    done = python("-c", code, executable=executable, check=False, REPRO_SEED="7")

    assert (done.status, done.out) == (78, "")


@functools.cache
def interpreters() -> list[str]:
    """Return every CPython from 3.10 up that this machine has on its PATH; the tests' own first."""
    found = {f"{sys.version_info[0]}.{sys.version_info[1]}": sys.executable}
    for minor in range(10, 20):
        name = f"python3.{minor}"
        if shutil.which(name) and run([name, "-c", "pass"], check=False).status == 0:
            found.setdefault(f"3.{minor}", name)
    return list(found.values())


@pytest.mark.parametrize("interpreter", interpreters())
def test_every_python_draws_the_same_and_refuses_the_same(interpreter: str, tmp_path: Path) -> None:
    """Any CPython from 3.10 up is locked: scripts draw what 3.11 draws, bad input is refused."""
    site_packages = make_environment(tmp_path / "venv", interpreter)
    shutil.copytree(PACKAGE, site_packages / "seedlock")
    shutil.copy(PACKAGE.parent / "a0_seedlock.pth", site_packages)
    executable = interpreter_of(site_packages)
    code = "import random, seedlock; print(random.random(), seedlock.derive('x'))"

    drawn = python("-c", code, executable=executable, REPRO_SEED="7", REPRO_REPORT=str(tmp_path))
    refused = python("-c", code, executable=executable, check=False, REPRO_SEED="7.0")

    assert drawn.out == "0.7749172191956131 14529305873061502181\n"
    assert reports(tmp_path)[0]["status"] == "finished"
    assert (refused.status, refused.out, refused.err.count("\n")) == (78, "", 1)
