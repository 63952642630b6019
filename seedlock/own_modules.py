"""Load modules of this package from the `.pyc` files beside them.

For each module the import system asks its finders, looks through folders and puts paths together:
280,000 instructions of CPython 3.11 before the module's own first, here 80,000. A start under a
seed loads three modules so, and an import of NumPy six, which is most of what it costs them.
What is read is what the import system would read, by its own rules
(`importlib.machinery.SourceFileLoader`); wherever they say anything but yes, it is asked.

On the start-up path: loads what the interpreter has loaded already.
"""

import os
import sys
from _frozen_importlib import ModuleSpec
from _frozen_importlib_external import MAGIC_NUMBER, SourceFileLoader
from marshal import loads

TYPE_CHECKING = False
if TYPE_CHECKING:
    from types import CodeType

START = ("settings", "registry", "import_hooks")
"""What `startup` needs, which imports this module before them."""

LOCK = ("derivation", "stand_ins", "adapters", "process_lock")
"""What the first library that is imported under a seed needs besides, but for its adapter."""

PACKAGES = ("adapters",)
"""Those of them that are packages."""

LARGEST = 1 << 16
"""Bytes of a `.pyc` file that are read at once; a larger one is left to the import system."""

_FOLDER = os.path.dirname(__file__)
_TAG = sys.implementation.cache_tag

try:
    import _imp
    from _frozen_importlib import _ModuleLockManager  # type: ignore[attr-defined]
    from _imp import _fix_co_filename  # type: ignore[attr-defined]

    _usual = _TAG is not None and sys.pycache_prefix is None and not sys.flags.optimize
except ImportError:  # they are CPython's own, seen in 3.10 to 3.13
    _usual = False


def load(*names: str) -> None:
    """Import modules of this package that are not imported yet.

    Args:
        names: below `seedlock.`; each after those that it imports, which are found dearly else.
    """
    for name in names:
        full = f"seedlock.{name}"
        if full in sys.modules or not _usual or not _executed(full, name):
            __import__(full)


def _executed(full: str, name: str) -> bool:
    parent, _, last = full.rpartition(".")
    folder, _, stem = f"{_FOLDER}/{name.replace('.', '/')}".rpartition("/")
    inside = None
    if name in PACKAGES:
        folder, stem = f"{folder}/{stem}", "__init__"
        inside = [folder]
    path = f"{folder}/{stem}.py"
    cached = f"{folder}/__pycache__/{stem}.{_TAG}.pyc"
    with _ModuleLockManager(full):  # as the import system does, for other threads
        code = _code(path, cached)
        if code is None or full in sys.modules or parent not in sys.modules:
            return False
        loader = SourceFileLoader(full, path)
        spec = ModuleSpec(full, loader, origin=path)
        spec.has_location = True
        spec.cached = cached
        module = type(sys)(full)
        held = module.__dict__
        held["__spec__"], held["__loader__"], held["__package__"] = spec, loader, parent
        held["__file__"], held["__cached__"] = path, cached
        if inside is not None:
            held["__path__"] = spec.submodule_search_locations = inside
            held["__package__"] = full
        spec._initializing = True  # type: ignore[attr-defined]
        sys.modules[full] = module
        whole = False
        try:
            exec(code, held)  # noqa: S102 - the module's
            whole = True
        finally:
            spec._initializing = False  # type: ignore[attr-defined]
            if not whole:
                del sys.modules[full]
        setattr(sys.modules[parent], last, module)
    return True


def _code(path: str, cached: str) -> "CodeType | None":
    # None: the source has changed since, or only the import system can tell.
    try:
        source = os.stat(path)
        file = os.open(cached, os.O_RDONLY)
        try:
            data = os.read(file, LARGEST)
        finally:
            os.close(file)
    except OSError:
        return None
    kind = data[4:8]
    if kind == b"\0\0\0\0":
        written = (int(source.st_mtime) & 0xFFFFFFFF).to_bytes(4, "little")
        fits = data[8:16] == written + (source.st_size & 0xFFFFFFFF).to_bytes(4, "little")
    else:  # else than by b"\1\0\0\0" the source's hash has to be compared
        fits = kind == b"\1\0\0\0" and _imp.check_hash_based_pycs != "always"
    if not fits or data[:4] != MAGIC_NUMBER or len(data) == LARGEST:
        return None
    try:
        code: object = loads(memoryview(data)[16:])
    except (EOFError, TypeError, ValueError):
        return None
    if not isinstance(code, _CODE):
        return None
    _fix_co_filename(code, path)
    return code


_CODE = type(load.__code__)

load(*START)
