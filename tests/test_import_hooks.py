"""import_hooks.py: called around the import, and again when the module is executed again."""

from __future__ import annotations

import gc
import importlib.machinery
import importlib.util
import json
import random
import sys
import uuid
import zipfile
from contextlib import nullcontext
from pathlib import Path
from types import ModuleType
from typing import Any
from zipimport import zipimporter

import pytest

from seedlock.import_hooks import PostImportFinder
from tests.interpreter import python, reports, run


@pytest.fixture(name="finder")
def _finder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> PostImportFinder:
    monkeypatch.syspath_prepend(str(tmp_path))
    monkeypatch.setattr(sys, "meta_path", list(sys.meta_path))
    monkeypatch.setattr(sys, "dont_write_bytecode", True)
    for name in ("waited_for", "waited_for.inner", "other"):
        monkeypatch.delitem(sys.modules, name, raising=False)
    return PostImportFinder()


def test_hooks_run_before_and_after_the_module(finder: PostImportFinder, tmp_path: Path) -> None:
    """Before it is executed, after it is executed, and before the importer has it."""
    (tmp_path / "waited_for.py").write_text("import sys; value = list(sys.seen); sys.seen += 'm'")
    seen: list[str] = []
    sys.seen = seen  # type: ignore[attr-defined]

    def after(name: str, module: ModuleType) -> None:
        seen.append(f"after {module.value}")

    finder.register("waited_for", after, lambda name: seen.append("before"))
    import waited_for  # type: ignore[import-not-found]

    assert seen == ["before", "m", "after ['before']"]
    assert type(waited_for.__loader__).__name__ == "SourceFileLoader"
    assert "exec_module" not in vars(waited_for.__loader__)


def test_hook_survives_first_failed_import(finder: PostImportFinder, tmp_path: Path) -> None:
    """A module that fails to import is still waited for at the second try."""
    (tmp_path / "waited_for.py").write_text("import sys; sys.tries.pop()")
    sys.tries = []  # type: ignore[attr-defined]
    seen: list[str] = []
    finder.register("waited_for", lambda name, module: seen.append(name))

    with pytest.raises(IndexError):
        import waited_for
    sys.tries.append(1)  # type: ignore[attr-defined]
    import waited_for  # noqa: F401

    assert seen == ["waited_for"]


def test_a_hook_that_raises_is_not_consumed(finder: PostImportFinder, tmp_path: Path) -> None:
    """A failing hook fails the import, and the next import too: wrapt's lets that one pass."""
    (tmp_path / "waited_for.py").write_text("")

    def after(name: str, module: ModuleType) -> None:
        raise RuntimeError("hook failed")

    finder.register("waited_for", after)

    for _ in range(2):
        with pytest.raises(RuntimeError, match="hook failed"):
            import waited_for  # noqa: F401


def test_a_module_that_is_there_is_waited_for_again(
    finder: PostImportFinder, tmp_path: Path
) -> None:
    """The caller learns that it comes too late; a reload is an import like another."""
    (tmp_path / "waited_for.py").write_text("")
    import waited_for

    seen: list[str] = []
    assert not finder.register("waited_for", lambda name, module: seen.append("after"))
    assert seen == []
    importlib.reload(waited_for)

    assert seen == ["after"]


def test_each_execution_is_followed_by_the_hooks(finder: PostImportFinder, tmp_path: Path) -> None:
    """A reload and a second import run a module again, which takes off what was put on. What comes
    before the module comes before the first time only."""
    path = tmp_path / "waited_for.py"
    path.write_text("value = 1")
    seen: list[str] = []

    def after(name: str, module: Any) -> None:
        seen.append(f"after {module.value}")
        module.value = "replaced"

    finder.register("waited_for", after, lambda name: seen.append("before"))
    import waited_for

    path.write_text("value = 22")
    importlib.reload(waited_for)
    assert (waited_for.value, seen) == ("replaced", ["before", "after 1", "after 22"])
    path.write_text("value = 333; 1 / 0")
    with pytest.raises(ZeroDivisionError):
        importlib.reload(waited_for)  # which is there still, with half of what it is
    assert waited_for.value == "replaced"
    path.write_text("value = 4444")
    del sys.modules["waited_for"]
    again = importlib.import_module("waited_for")

    assert again is not waited_for
    assert seen[2:] == ["after 22", "after 333", "after 4444"]


def test_each_module_of_an_archive_is_waited_for(finder: PostImportFinder, tmp_path: Path) -> None:
    """They share a loader: hooks are those of the module that is executed, and leave nothing."""
    with zipfile.ZipFile(tmp_path / "all.zip", "w") as archive:
        for name in ("waited_for", "waited_for/inner", "other"):
            archive.writestr(f"{name}.py" if name == "other" else f"{name}/__init__.py", "")
    sys.path.insert(0, str(tmp_path / "all.zip"))  # which the fixture takes away
    seen: list[str] = []
    for name in ("waited_for", "waited_for.inner"):
        finder.register(name, lambda name, module: seen.append(f"{name} {module.__name__}"))
    found = importlib.util.find_spec("waited_for")
    import other  # type: ignore[import-not-found]

    assert (found is not None, seen) == (True, [])
    import waited_for.inner  # type: ignore[import-not-found]

    assert seen == ["waited_for waited_for", "waited_for.inner waited_for.inner"]
    for module in (other, waited_for, waited_for.inner):
        assert type(module.__loader__) is type(module.__spec__.loader) is zipimporter
        assert "exec_module" not in vars(module.__loader__)
    assert waited_for.__loader__.get_source("waited_for") == ""


def test_a_loader_that_is_a_class_can_be_waited_for(
    finder: PostImportFinder, monkeypatch: pytest.MonkeyPatch
) -> None:
    """That of the modules frozen into the interpreter, as `os` is from CPython 3.11 on."""
    seen: list[object] = []
    monkeypatch.delitem(sys.modules, "__hello__", raising=False)
    finder.register("__hello__", lambda name, module: seen.append(module.__loader__))
    importlib.import_module("__hello__")

    assert seen == [importlib.machinery.FrozenImporter]


def test_a_submodule_can_be_waited_for(finder: PostImportFinder, tmp_path: Path) -> None:
    """numpy.random is one."""
    (tmp_path / "waited_for").mkdir()
    (tmp_path / "waited_for" / "__init__.py").write_text("")
    (tmp_path / "waited_for" / "inner.py").write_text("")
    seen: list[str] = []
    finder.register("waited_for.inner", lambda name, module: seen.append(name))

    import waited_for

    assert seen == []
    import waited_for.inner  # noqa: F401

    assert seen == ["waited_for.inner"]


@pytest.mark.parametrize("ends", ["", "raise ValueError"])
def test_the_garbage_collector_rests_meanwhile(
    ends: str, finder: PostImportFinder, tmp_path: Path
) -> None:
    """While the module is executed, whatever it ends in; not where the program switched it off."""
    (tmp_path / "waited_for.py").write_text(
        f"import gc, sys\nsys.rests = not gc.isenabled()\n{ends}"
    )
    finder.register("waited_for", lambda name, module: None)

    for enabled in (True, False):
        sys.modules.pop("waited_for", None)
        (gc.enable if enabled else gc.disable)()
        try:
            with pytest.raises(ValueError) if ends else nullcontext():
                import waited_for  # noqa: F401
            assert gc.isenabled() == enabled
            assert sys.rests  # type: ignore[attr-defined]
        finally:
            gc.enable()


def test_a_child_forked_meanwhile_has_the_collector(tmp_path: Path) -> None:
    """By another thread, or by the module itself: it may never see the end of the import."""
    (tmp_path / "waited_for.py").write_text(
        "import gc, os, threading\n"
        "def fork():\n"
        "    child = os.fork()\n"
        "    if not child:\n"
        "        os.write(1, f'{gc.isenabled()}\\n'.encode())\n"
        "        os._exit(0)\n"
        "    os.waitpid(child, 0)\n"
        "print(gc.isenabled(), flush=True)\n"
        "fork()\n"
        "thread = threading.Thread(target=fork)\n"
        "thread.start()\n"
        "thread.join()\n"
    )

    code = (
        "import gc\n"
        "from seedlock.import_hooks import finder\n"
        "finder.register('waited_for', lambda name, module: None)\n"
        "import waited_for; print(gc.isenabled())"
    )

    done = python("-c", code, cwd=tmp_path, REPRO_SEED="7")

    assert done.lines == ["False", "True", "True", "True"]


ROUNDS = """
import gc, json, weakref
class Node: pass
node = Node(); node.self = node; seen = weakref.ref(node)
told = lambda: [gc.isenabled(), gc.get_threshold(), gc.get_freeze_count() > 0]
%s
before, rounds = told(), []
gc.callbacks.append(lambda phase, info: rounds.append(info["generation"]))
import numpy
during, kept = len(rounds), before == told()
del node
[[] for _ in range(10_000)]; lists = [[] for _ in range(10_000)]
later = len(rounds) > during
gc.collect()
print(json.dumps([during, kept, later, seen() is None]))
"""


@pytest.mark.parametrize("seed", ["7", None])
def test_an_import_of_numpy_is_no_round_of_the_collector(seed: str | None) -> None:
    """It has some without the lock. Later ones come as ever, and what is garbage goes."""
    env = [] if seed is None else ["env", f"REPRO_SEED={seed}"]
    during, *rest = json.loads(run([*env, sys.executable, "-c", ROUNDS % ""]).out)
    *_, collected = json.loads(run([*env, sys.executable, "-c", ROUNDS % "gc.freeze()"]).out)

    assert (during == 0) == (seed is not None)
    assert rest == [True, True, True]
    assert not collected  # what a program froze stays frozen


def test_looking_for_a_module_does_not_run_hooks(finder: PostImportFinder, tmp_path: Path) -> None:
    """importlib.util.find_spec, as libraries use it to see what is there, imports nothing."""
    import importlib.util

    (tmp_path / "waited_for.py").write_text("")
    seen: list[str] = []
    finder.register("waited_for", lambda name, module: seen.append(name))

    assert importlib.util.find_spec("waited_for") is not None
    assert seen == []


def test_another_finder_that_asks_us_does_not_run_hooks_twice(
    finder: PostImportFinder, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A finder that lets sys.meta_path find, as wrapt's does, gets one call of each hook."""
    import importlib.util

    (tmp_path / "waited_for.py").write_text("")
    seen: list[str] = []
    busy: list[str] = []

    class Asking:
        def find_spec(self, name: str, path: object = None, target: object = None) -> object:
            if name != "waited_for" or busy:
                return None
            busy.append(name)
            try:
                return importlib.util.find_spec(name)
            finally:
                busy.clear()

    finder.register("waited_for", lambda name, module: seen.append(name))
    sys.meta_path.insert(1, Asking())  # type: ignore[arg-type]
    import waited_for  # noqa: F401

    assert seen == ["waited_for"]


def test_a_missing_module_stays_missing(finder: PostImportFinder) -> None:
    """Waiting for a library that is not installed changes nothing for who tries to import it."""
    finder.register("waited_for", lambda name, module: None)

    with pytest.raises(ModuleNotFoundError, match="No module named 'waited_for'"):
        import waited_for  # noqa: F401


def test_what_is_compiled_in_is_found_as_before(finder: PostImportFinder) -> None:
    """Built-in modules, frozen ones, and files: the finder that has a module finds it, though not
    each is asked about each."""
    import encodings
    import importlib
    import json

    others = list(sys.meta_path)
    finder.register("waited_for", lambda name, module: None)
    folders = {parent.__name__: parent.__path__ for parent in (encodings, importlib, json)}
    names = [*sys.builtin_module_names, "os", "codecs", "zipimport", "__hello__", "wave",
             "importlib.util", "json.decoder", "encodings.hex_codec", "waited_for"]  # fmt: skip

    for name in names:
        path = folders.get(name.rpartition(".")[0])
        specs = (other.find_spec(name, path, None) for other in others)
        assert finder.find_spec(name, path) == next(filter(None, specs), None)


def test_replaced_functions_of_os_pass_for_the_original(tmp_path: Path) -> None:
    """Looked up in sets, kept in a class, pickled to another process: as the plain function."""
    code = (
        "import copy, inspect, multiprocessing, os, pickle, posix, shutil\n"
        "class Keeper: listdir = os.listdir\n"
        "assert os.listdir == posix.listdir and posix.listdir == os.listdir\n"
        "assert os.scandir in os.supports_fd and shutil.rmtree.avoids_symlink_attacks\n"
        "assert Keeper().listdir('.') == os.listdir('.')\n"
        "assert pickle.loads(pickle.dumps(os.listdir)) is os.listdir\n"
        "assert copy.deepcopy(os.urandom) is os.urandom\n"
        "assert str(inspect.signature(os.urandom)) == str(inspect.signature(posix.urandom))\n"
        "assert os.listdir.__name__ == 'listdir' and os.listdir.__doc__ == posix.listdir.__doc__\n"
        "if __name__ == '__main__':\n"
        " with multiprocessing.get_context('spawn').Pool(1) as pool:\n"
        "  print(pool.map(os.listdir, ['empty']))\n"
    )
    (tmp_path / "program.py").write_text(code)
    (tmp_path / "empty").mkdir()

    plain = python("program.py", cwd=tmp_path)
    locked = python("program.py", cwd=tmp_path, REPRO_SEED="7")

    assert locked.out == plain.out == "[[]]\n"


def test_libraries_from_one_archive_are_locked(tmp_path: Path) -> None:
    """Both that are waited for, with what each draws elsewhere under the same seed."""
    with zipfile.ZipFile(tmp_path / "all.zip", "w") as archive:
        for module in (uuid, random):
            archive.write(str(module.__file__), f"{module.__name__}.py")
    code = (
        "import uuid, random\n"
        "loaders = {type(each.__loader__).__name__ for each in (uuid, random)}\n"
        "print(*loaders, uuid.uuid1(), random.random())"
    )
    variables: dict[str, Any] = {
        "REPRO_SEED": "7",
        "REPRO_ENTROPY": "lock",
        "REPRO_REPORT": str(tmp_path / "of"),
    }

    zipped = python("-c", code, **variables, PYTHONPATH=str(tmp_path / "all.zip")).out
    files = python("-c", code, **variables).out

    assert zipped == files.replace("SourceFileLoader", "zipimporter") != files
    one, other = (report["gaps"] for report in reports(tmp_path / "of"))
    assert one == other


STILL_REPLACED = """
import importlib, sys
from seedlock.import_hooks import FirstCall
from seedlock.patching import is_replaced

def ours(owner, within=""):
    found = set()
    for name, value in vars(owner).items():
        value = getattr(value, "fget", value)
        if is_replaced(value) or hasattr(value, "_seedlock_stands_for"):
            found.add(within + name)
        found |= {name} if isinstance(value, FirstCall) else set()
    return found

def replaced(module):
    kinds = [each for each in vars(module).values() if isinstance(each, type)]
    own = [each for each in kinds if each.__module__ == module.__name__]
    return ours(module).union(*(ours(kind, kind.__name__ + ".") for kind in own))

for name in sys.argv[1:]:
    module = importlib.import_module(name)
    before = replaced(module)
    importlib.reload(module)
    print(name, len(before), *before - replaced(module))
"""


def still_replaced(modules: list[str], **variables: Any) -> None:
    """Reload modules in which something is replaced, and see that it all is afterwards."""
    done = python("-c", STILL_REPLACED, *modules, REPRO_SEED="7", **variables)

    found = dict(line.split(maxsplit=1) for line in done.lines)
    assert [*found] == modules
    assert all(number.isdecimal() and number != "0" for number in found.values()), found


def test_a_reload_takes_off_nothing_of_python_and_numpy(tmp_path: Path) -> None:
    """All that is replaced in a module is replaced again after importlib.reload."""
    modules = [
        "os", "random", "uuid", "tempfile", "glob", "ssl", "subprocess", "threading",
        "multiprocessing.process", "multiprocessing.pool", "multiprocessing.spawn",
        "concurrent.futures.process", "concurrent.futures.thread", "joblib.parallel",
        "numpy.random.bit_generator",
    ]  # fmt: skip
    still_replaced(modules, REPRO_ENTROPY="lock", REPRO_REPORT=str(tmp_path))


def test_a_reload_takes_off_nothing_of_a_framework() -> None:
    """The same for those modules of frameworks that can be executed again."""
    modules = [
        "torch.nn.modules.module", "torch._utils", "torch.utils.data.dataloader",
        "torch.utils.data._utils.worker", "mxnet.random", "mxnet.io.io",
        "mxnet.gluon.data.dataloader",
    ]  # fmt: skip
    still_replaced(modules)
