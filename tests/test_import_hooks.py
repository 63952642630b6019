"""import_hooks.py: called around the first import, consumed only on success."""

from __future__ import annotations

import sys
from pathlib import Path
from types import ModuleType

import pytest

from seedlock.import_hooks import PostImportFinder
from tests.interpreter import python


@pytest.fixture(name="finder")
def _finder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> PostImportFinder:
    monkeypatch.syspath_prepend(str(tmp_path))
    monkeypatch.setattr(sys, "meta_path", list(sys.meta_path))
    for name in ("waited_for", "waited_for.inner"):
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


def test_a_module_that_is_there_is_not_registered(finder: PostImportFinder) -> None:
    """The caller learns that it comes too late."""
    assert not finder.register("sys", lambda name, module: None)
    assert finder not in sys.meta_path


def test_a_submodule_can_be_waited_for(finder: PostImportFinder, tmp_path: Path) -> None:
    """numpy.random is one."""
    (tmp_path / "waited_for").mkdir()
    (tmp_path / "waited_for" / "__init__.py").write_text("")
    (tmp_path / "waited_for" / "inner.py").write_text("")
    seen: list[str] = []
    finder.register("waited_for.inner", lambda name, module: seen.append(name))

    import waited_for

    assert seen == []
    import waited_for.inner  # type: ignore[import-not-found]  # noqa: F401

    assert seen == ["waited_for.inner"]


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
