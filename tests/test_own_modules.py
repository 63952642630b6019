"""Our own modules are loaded as the import system would load them, only sooner."""

from __future__ import annotations

import shutil
import sys
from pathlib import Path
from typing import Any

import pytest

import seedlock
from seedlock.hash_seed import hash_seed_variables
from seedlock.own_modules import LOCK, PACKAGES, START
from seedlock.settings import Settings
from tests.interpreter import python

PATH = f"import sys; sys.path += {sys.path!r}\n"
ADAPTERS = ("adapters.python", "adapters.numpy")


def test_packages_are_those_that_are() -> None:
    """Every package among the modules is in the list, and nothing else."""
    (folder,) = seedlock.__path__

    assert {name for name in (*START, *LOCK) if (Path(folder) / name).is_dir()} == {*PACKAGES}


def test_a_start_and_an_import_ask_no_finder_for_them() -> None:
    """The lists are whole and in order: what is missing in them would be found, but dearly."""
    code = (
        "import sys\n"
        "asked = []\n"
        "class Listener:\n"
        "    def find_spec(self, name, path=None, target=None): asked.append(name)\n"
        "sys.meta_path.insert(0, Listener())\n"
        "import seedlock.startup as startup\n"
        "sys.meta_path.insert(0, Listener())\n"
        "startup.activate()\n"
        "import numpy.random\n"
        "print(*{name for name in asked if name.startswith('seedlock')})"
    )
    variables: dict[str, Any] = hash_seed_variables(Settings({"REPRO_SEED": "7"}))
    done = python("-S", "-c", PATH + code, REPRO_SEED="7", **variables)

    assert {*done.lines[-1].split()} == {"seedlock", "seedlock.startup", "seedlock.own_modules"}


def test_they_look_as_imported() -> None:
    """Attributes and specs are those of the import system."""
    code = (
        "import sys, seedlock.own_modules as own\n"
        "from importlib.machinery import PathFinder\n"
        "from importlib.util import module_from_spec\n"
        f"own.load(*own.LOCK, *{ADAPTERS!r})\n"
        f"for name in (*own.START, *own.LOCK, *{ADAPTERS!r}):\n"
        "    module = sys.modules[f'seedlock.{name}']\n"
        "    parent = sys.modules[module.__name__.rpartition('.')[0]]\n"
        "    spec = PathFinder.find_spec(module.__name__, parent.__path__)\n"
        "    usual = module_from_spec(spec)\n"
        "    assert module.__spec__ == spec, name\n"
        "    assert module.__spec__.cached == spec.cached and module.__spec__.has_location\n"
        "    assert type(module.__spec__.loader) is type(spec.loader)\n"
        "    assert module.__loader__ is module.__spec__.loader\n"
        "    for key in vars(usual).keys() - {'__spec__', '__loader__', '__doc__'}:\n"
        "        assert vars(module)[key] == vars(usual)[key], (name, key)\n"
        "    assert getattr(parent, name.rpartition('.')[2]) is module\n"
        "    assert not module.__spec__._initializing\n"
        "    assert module.__doc__ and usual.__file__ in str(module)\n"
        "print('as imported')"
    )

    assert python("-c", code).lines == ["as imported"]


CASES = """
import importlib.util, os, py_compile, struct, sys
import seedlock.own_modules as own
folder = os.path.dirname(own.__file__)
ONE = "value = 1\\n"
MODES = py_compile.PycInvalidationMode

def make(name, edit, mode=MODES.TIMESTAMP):
    # A .pyc that says 1 and the source that says 2, of one size and time until `edit`.
    path = os.path.join(folder, name + ".py")
    with open(path, "w") as file: file.write(ONE)
    os.utime(path, (1e9, 1e9))
    cached = py_compile.compile(path, invalidation_mode=mode, doraise=True)
    with open(path, "w") as file: file.write("value = 2\\n")
    os.utime(path, (1e9, 1e9))
    edit(path, cached)

def changed(start, new):
    def edit(path, cached):
        data = bytearray(open(cached, "rb").read())
        data[start:start + len(new)] = new
        open(cached, "wb").write(data)
    return edit

cases = {
    "valid": lambda path, cached: None,
    "later": lambda path, cached: os.utime(path, (1e9 + 1, 1e9 + 1)),
    "sooner": lambda path, cached: os.utime(path, (1e9 - 1, 1e9 - 1)),
    "within_a_second": lambda path, cached: os.utime(path, (1e9 + .5, 1e9 + .5)),
    "past_2106": lambda path, cached: os.utime(path, (2**32 + 1e9, 2**32 + 1e9)),
    "longer": lambda path, cached: (open(path, "a").write("#"), os.utime(path, (1e9, 1e9))),
    "none": lambda path, cached: os.remove(cached),
    "another_python": changed(0, b"\\0\\0"),
    "unknown_flags": changed(4, b"\\4"),
    "empty": lambda path, cached: open(cached, "wb").close(),
    "half_a_header": lambda path, cached: os.truncate(cached, 10),
    "cut_off": lambda path, cached: os.truncate(cached, 40),
    "no_code": changed(16, b"N"),
    "unchecked": (lambda path, cached: None, MODES.UNCHECKED_HASH),
    "unchecked_later": (lambda path, cached: os.utime(path), MODES.UNCHECKED_HASH),
    "checked": (lambda path, cached: None, MODES.CHECKED_HASH),
    "checked_right": (lambda path, cached: open(path, "w").write(ONE), MODES.CHECKED_HASH),
    "large": lambda path, cached: open(cached, "ab").write(b"0" * own.LARGEST),
}

def said(name, do):
    try:
        do(name)
    except Exception as problem:
        return type(problem).__name__
    module = sys.modules["seedlock." + name]
    return module.value, module.__spec__.cached

def usual(name):
    __import__("seedlock." + name)

for name, case in cases.items():
    edit, mode = case if isinstance(case, tuple) else (case, MODES.TIMESTAMP)
    for do in (usual, own.load):
        make(name, edit, mode)
        importlib.invalidate_caches()
        sys.modules.pop("seedlock." + name, None)
        cases[name] = (cases[name], said(name, do)) if do is own.load else said(name, do)
for name, (as_usual, ours) in cases.items():
    print(name, as_usual == ours, ours if isinstance(ours, str) else ours[0])
"""

SAID = {
    "valid": "1", "within_a_second": "1", "past_2106": "1", "unchecked": "1",
    "unchecked_later": "1", "checked_right": "1", "large": "1",
    "cut_off": "EOFError", "no_code": "ImportError",
}  # fmt: skip
"""What a module says for which a `.pyc` file counts, or can't be used; the others say 2."""


@pytest.fixture
def package(tmp_path: Path) -> Path:
    """A folder with a copy of what a start loads, and room for modules beside it."""
    (folder,) = seedlock.__path__
    copy = tmp_path / "seedlock"
    copy.mkdir()
    for name in ("__init__", "own_modules", *START):
        shutil.copy(Path(folder) / f"{name}.py", copy)
    return tmp_path


@pytest.mark.parametrize(
    ("options", "differing"),
    [
        ((), {}),
        (("--check-hash-based-pycs", "always"), {"unchecked": "2", "unchecked_later": "2"}),
        (("--check-hash-based-pycs", "never"), {"checked": "1"}),
    ],
)
def test_stale_code_is_not_executed(
    package: Path, options: tuple[str, ...], differing: dict[str, str]
) -> None:
    """Of each kind of `.pyc` file the import system and `load` think the same."""
    done = python(*options, "-c", f"import sys; sys.path.insert(0, {str(package)!r})\n" + CASES)
    lines = [line.split() for line in done.lines]

    assert len(lines) == 18
    for name, same, said in lines:
        assert (name, same, said) == (name, "True", {**SAID, **differing}.get(name, "2"))


@pytest.mark.parametrize(
    ("options", "variables"), [(("-O",), {}), ((), {"PYTHONPYCACHEPREFIX": "elsewhere"})]
)
def test_files_in_another_place_are_left_alone(
    package: Path, tmp_path: Path, options: tuple[str, ...], variables: dict[str, str]
) -> None:
    """Where `.pyc` files have other places, those at the usual ones do not count."""
    (package / "seedlock" / "said.py").write_text("value = 1\n")
    begin = f"import sys; sys.path.insert(0, {str(package)!r}); import seedlock.own_modules as o\n"
    python("-c", "import py_compile; py_compile.compile('seedlock/said.py')", cwd=package)
    cached = next((package / "seedlock" / "__pycache__").glob("said.*"))
    cached.write_bytes(cached.read_bytes().replace(b"value", b"wrong"))
    code = begin + "o.load('said'); print(sorted(vars(sys.modules['seedlock.said']))[-1])"
    folder: dict[str, Any] = {name: str(tmp_path / value) for name, value in variables.items()}

    assert python("-c", code).lines == ["wrong"]
    assert python(*options, "-c", code, **folder).lines == ["value"]


def test_a_module_that_fails_is_not_there(package: Path) -> None:
    """Its exception comes through, twice: the second import is an import again."""
    (package / "seedlock" / "broken.py").write_text("raise KeyError(6)\n")
    code = (
        f"import sys; sys.path.insert(0, {str(package)!r}); import py_compile, os\n"
        "import seedlock.own_modules as o\n"
        "py_compile.compile(os.path.dirname(o.__file__) + '/broken.py')\n"
        "for _ in range(2):\n"
        "    try: o.load('broken')\n"
        "    except KeyError as problem: print(problem, 'seedlock.broken' in sys.modules)\n"
        "try: o.load('missing')\n"
        "except ModuleNotFoundError as problem: print(problem)"
    )

    assert python("-c", code).lines == [
        "6 False", "6 False", "No module named 'seedlock.missing'",
    ]  # fmt: skip


def test_threads_get_one_module_and_whole(package: Path) -> None:
    """Who imports a module that another thread is loading waits for it."""
    (package / "seedlock" / "slow.py").write_text(
        "import builtins\nbuiltins.entered.set()\nbuiltins.go.wait()\nvalue = 1\n"
    )
    code = (
        f"import sys; sys.path.insert(0, {str(package)!r}); import py_compile, os, threading\n"
        "import builtins, seedlock.own_modules as o\n"
        "py_compile.compile(os.path.dirname(o.__file__) + '/slow.py')\n"
        "builtins.entered, builtins.go = threading.Event(), threading.Event()\n"
        "seen = []\n"
        "def usual():\n"
        "    import seedlock.slow\n"
        "    seen.append((seedlock.slow.value, id(sys.modules['seedlock.slow'])))\n"
        "def ours():\n"
        "    o.load('slow')\n"
        "    seen.append((sys.modules['seedlock.slow'].value, id(sys.modules['seedlock.slow'])))\n"
        "threads = [threading.Thread(target=do) for do in (ours, usual, ours)]\n"
        "threads[0].start(); builtins.entered.wait()\n"
        "for thread in threads[1:]: thread.start(); thread.join(0.1)\n"
        "builtins.go.set()\n"
        "for thread in threads: thread.join()\n"
        "print(len(seen), len({*seen}))"
    )

    assert python("-c", code).lines == ["3 1"]
