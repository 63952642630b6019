"""The two doors: what starts seedlock in an interpreter, and what they leave alone."""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.interpreter import python, reports, run

TELL = "import sys, seedlock; print(seedlock.seed)"
SCRIPT = "import random, sys; print(sys.argv[1:], random.random(), hash('text'))"


@pytest.mark.parametrize("flags", [[], ["-I"], ["-E"], ["-s"], ["-P"], ["-O"], ["-X", "utf8"]])
def test_the_pth_door_opens_under_every_flag_but_one(flags: list[str], tmp_path: Path) -> None:
    """seedlock is active under each interpreter flag but -S."""
    if "-P" in flags and sys.version_info < (3, 11):
        flags = []
    done = python(*flags, "-c", TELL, cwd=tmp_path, REPRO_SEED="7")

    assert done.out == "7\n"


def test_without_site_there_is_no_report(tmp_path: Path) -> None:
    """-S switches the doors off; the missing report is what shows it."""
    python("-S", "-c", "pass", REPRO_SEED="7", REPRO_REPORT=str(tmp_path))
    without = reports(tmp_path)
    python("-c", "pass", REPRO_SEED="7", REPRO_REPORT=str(tmp_path))

    assert without == []
    assert len(reports(tmp_path)) == 1


def test_the_door_of_sitecustomize_needs_no_seedlock_in_the_environment(
    door_of_sitecustomize: str, tmp_path: Path
) -> None:
    """A virtual environment that has never heard of seedlock is locked too, and draws the same."""
    through_link = python(
        "-c", SCRIPT, executable=door_of_sitecustomize, cwd=tmp_path, REPRO_SEED="7"
    )
    through_pth = python("-c", SCRIPT, cwd=tmp_path, REPRO_SEED="7")

    assert through_link.out == through_pth.out


def test_the_users_own_sitecustomize_still_runs(door_of_sitecustomize: str, tmp_path: Path) -> None:
    """Ours, coming first, runs the user's one further down the path; with and without a seed."""
    package = tmp_path / "site"
    package.mkdir()
    (package / "sitecustomize.py").write_text("import builtins; builtins.users_own = __file__\n")
    first = Path(door_of_sitecustomize).parents[1].resolve()
    ours = next(first.glob("lib/python*/site-packages"))
    (ours / "later.pth").write_text(f"{package}\n")

    try:
        seeded = python(
            "-c", "print(users_own); import random; print(random.random())",
            executable=door_of_sitecustomize, REPRO_SEED="7",
        )  # fmt: skip
        unset = python("-c", "print(users_own)", executable=door_of_sitecustomize)
    finally:
        (ours / "later.pth").unlink()

    assert seeded.lines[0] == str(package / "sitecustomize.py")
    assert seeded.lines[1] == python("-c", "import random; print(random.random())",
                                     REPRO_SEED="7").lines[0]  # fmt: skip
    assert unset.lines == [str(package / "sitecustomize.py")]


def test_a_sitecustomize_of_the_users_that_hides_ours_leaves_the_pth_door(tmp_path: Path) -> None:
    """A sitecustomize on PYTHONPATH comes before any other; the .pth line runs all the same."""
    (tmp_path / "sitecustomize.py").write_text("import builtins; builtins.users_own = 1\n")

    done = python(
        "-c", "import seedlock; print(users_own, seedlock.seed)",
        REPRO_SEED="7", PYTHONPATH=str(tmp_path),
    )  # fmt: skip

    assert done.out == "1 7\n"


STATE = """
import builtins, os, sys
print(sorted(sys.flags)); print(sys.argv); print([type(f).__name__ if not isinstance(f, type)
else f.__name__ for f in sys.meta_path]); print(sorted(os.environ)); print(len(sys.path));
print(sorted(vars(builtins))); print(sys.excepthook is sys.__excepthook__);
print(sorted(name for name in sys.modules if not name.startswith(("_distutils", "sitecustom"))))
"""


def test_unset_means_untouched(
    bare: str, environment_with_seedlock: Callable[[], Path], tmp_path: Path
) -> None:
    """Without REPRO_SEED, an interpreter with seedlock has the modules, finders, path length,
    variables and builtins of one without."""
    site_packages = environment_with_seedlock()
    with_seedlock = str(site_packages.parents[2] / "bin" / "python")

    plain = python("-c", STATE, executable=bare, cwd=tmp_path)
    untouched = python("-c", STATE, executable=with_seedlock, cwd=tmp_path)

    assert untouched.out == plain.out


def test_unset_means_untouched_behind_sitecustomize(
    bare: str, door_of_sitecustomize: str, tmp_path: Path
) -> None:
    """The same holds for the door that stands in the base interpreter."""
    plain = python("-c", STATE, executable=bare, cwd=tmp_path)
    untouched = python("-c", STATE, executable=door_of_sitecustomize, cwd=tmp_path)

    assert untouched.out == plain.out


LIKE_PYTHON: dict[str, tuple[list[str], str | None]] = {
    "script": (["script.py", "a", "b c"], None),
    "-c": (["-c", SCRIPT, "a", "b c"], None),
    "-m": (["-m", "module", "a"], None),
    "-m package": (["-m", "package", "a"], None),
    "stdin": ([], SCRIPT),
    "stdin, dash": (["-", "a"], SCRIPT),
    "-i": (["-i", "-c", "import random; x = random.random()"], "print(x)\n"),
    "zip": (["app.zip", "a"], None),
    "folder": (["package", "a"], None),
    "options": (["-W", "error", "-X", "dev", "-u", "script.py", "a"], None),
}


@pytest.mark.parametrize("form", LIKE_PYTHON)
def test_a_restarted_run_is_like_python(form: str, tmp_path: Path) -> None:
    """Started again for PYTHONHASHSEED, an interpreter does what it was asked for, as if it had
    had the right value from the beginning."""
    import zipfile

    arguments, stdin = LIKE_PYTHON[form]
    (tmp_path / "script.py").write_text(SCRIPT)
    (tmp_path / "module.py").write_text(SCRIPT)
    (tmp_path / "package").mkdir()
    (tmp_path / "package" / "__init__.py").write_text("")
    (tmp_path / "package" / "__main__.py").write_text(SCRIPT)
    with zipfile.ZipFile(tmp_path / "app.zip", "w") as archive:
        archive.writestr("__main__.py", SCRIPT)
    folder = tmp_path / "reports"
    right = run(
        ["seedlock", "env", "--seed", "7", "--json"],
        check=False,
        PATH=str(Path(sys.executable).parent),
    )
    import json

    hash_seed = str(json.loads(right.out)["streams"]["python.hash"]["seed"])

    restarted = python(
        *arguments, stdin=stdin, cwd=tmp_path, REPRO_SEED="7", REPRO_REPORT=str(folder)
    )
    direct = python(*arguments, stdin=stdin, cwd=tmp_path, REPRO_SEED="7", PYTHONHASHSEED=hash_seed)

    assert restarted.out == direct.out
    assert restarted.err == direct.err
    assert reports(folder)[-1]["process"]["restarted_for_hash_seed"] is True


def test_a_hash_seed_of_the_users_is_replaced(tmp_path: Path) -> None:
    """The outside seed decides hash order, whatever PYTHONHASHSEED says."""
    hashes = {
        python("-c", "print(hash('a'))", REPRO_SEED="7", PYTHONHASHSEED=given).out
        for given in ("0", "1", "random", "42")
    }
    other = python("-c", "print(hash('a'))", REPRO_SEED="8").out

    assert len(hashes) == 1
    assert other not in hashes


@pytest.mark.parametrize("name", ["random", "numpy", "threading"])
def test_a_forged_note_is_found(name: str) -> None:
    """A note that claims the right PYTHONHASHSEED does not make a wrong one right, nor where no
    generator is seeded: the order of sets is wrong all the same."""
    done = python(
        "-c", f"import {name}; print('begun')", check=False,
        REPRO_SEED="7", PYTHONHASHSEED="1", _SEEDLOCK_HASH_SEED="7 derived 1",
    )  # fmt: skip

    assert done.status == 78
    assert done.out == ""
    assert "#hash-seed]" in done.err


def test_a_program_that_writes_the_hash_seed_itself_goes_on(tmp_path: Path) -> None:
    """The common line os.environ['PYTHONHASHSEED'] = '42' does no harm, here or in children."""
    code = (
        "import os, sys, subprocess; os.environ['PYTHONHASHSEED'] = '42'\n"
        "import random; print(hash('a'), flush=True)\n"
        "subprocess.run([sys.executable, '-c', \"print(hash('a'))\"], check=True)"
    )
    done = python("-c", code, REPRO_SEED="7")

    assert len(set(done.lines)) == 1
    assert len(done.lines) == 2


@pytest.mark.parametrize("flag", ["-I", "-E"])
def test_an_ignored_environment_is_a_gap(flag: str, tmp_path: Path) -> None:
    """Under -I and -E the hash seed can't be locked, and the report says so."""
    python(flag, "-c", "pass", REPRO_SEED="7", REPRO_REPORT=str(tmp_path))

    assert any("PYTHONHASHSEED is ignored" in gap for gap in reports(tmp_path)[0]["gaps"])
