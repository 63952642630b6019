"""What draws from the system and not from a generator: counted with its call sites, or, under
REPRO_ENTROPY=lock, derived; and the order of folders, sorted at level strict.

secrets, random.SystemRandom, uuid.uuid4 and what else there is draw through os.urandom
(CPython 3.10 to 3.13), so that the call site names the function of the library and one
replacement is enough. uuid.uuid1 asks the C library, names of temporary files a generator of
their own.
"""

from __future__ import annotations

import os
import sys

from seedlock.patching import replace
from seedlock.settings import STRICT
from seedlock.stand_ins import dress, mark, own

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from types import ModuleType
    from typing import Any

    from seedlock.process_lock import Lock

SYSTEM = "system"
DERIVED = "derived"
COUNTED = "counted"
SORTED = "sorted"
REFUSED = "refused"
"""What is done about a call: the policy of its site in the report."""

_STANDARD = os.path.dirname(os.__file__)
_WHOLE_FOLDERS = (
    "<frozen os>",
    os.__file__,
    os.path.join(_STANDARD, "glob.py"),
    os.path.join(_STANDARD, "pathlib.py"),
    os.path.join(_STANDARD, "pathlib") + os.sep,
)
"""Files of the standard library that read a folder to its end and hand on its order: os.walk,
glob, Path.glob, and CPython 3.13's Path.iterdir."""


_REMOVING = "_rmtree"
"""Beginning of the names of functions that read a folder only to empty it (shutil of CPython 3.10
to 3.13). No order of theirs matters; a worker's last act is one, whichever task it had last."""

_HANDSHAKES = tuple(
    os.path.join(os.sep, package, "connection.py")
    for package in ("multiprocessing", "multiprocess")
)
"""Files that draw from the system to tell that the other end of a connection is no stranger. How
often that happens while a DataLoader fetches from its workers depends on timing: it must neither
move on the stream from which the program draws nor stand in a trace."""

_SOCKETS = (
    *_HANDSHAKES,
    *(os.path.join(os.sep, package, "util.py") for package in ("multiprocessing", "multiprocess")),
)
"""Files that make up names of sockets and of their folder, once per process: under the task that a
worker happens to have when it first hands on an array. The same holds for these names."""


def _drew(
    lock: Lock, function: str, policy: str, kind: str, value: object, module: str = ""
) -> None:
    # Counted after the call: the trace has what it got. `kind` is that of the trace's event, and
    # `module` what draws, whichever library it draws for: readers pass over some.
    site, _ = lock.entropy.met(function, None, policy)
    if lock.trace is not None:
        inside = site.function.startswith(module)
        lock.trace.result(kind, site.function if inside else function, value, site.where)


_MACHINE = ("/proc/", "/sys/")
"""What lies there describes the machine and the moment: a trace is held against those of other
machines. JAX looks there for accelerators (jax/_src/hardware_utils.py, 0.10.2)."""


def _listed(lock: Lock, function: str, policy: str, path: object, names: object) -> None:
    if type(path) is str and path.startswith(_MACHINE):
        lock.entropy.note(function, None, policy)
    else:
        _drew(lock, function, policy, "listing", names)


def _urandom(original: Callable[..., Any], lock: Lock) -> Callable[..., Any]:
    system = lock.policy.system

    def handshake() -> bool:
        # Three frames up: `import_hooks.FirstCall` stands between.
        if not sys._getframe(3).f_code.co_filename.endswith(_HANDSHAKES):
            return False
        lock.entropy.note("os.urandom", None, SYSTEM)
        return True

    def counted(size: int, /) -> Any:
        data = original(size)
        if not handshake():
            _drew(lock, "os.urandom", SYSTEM, "entropy", data)
        return data

    def derived(size: int, /) -> Any:
        data = original(size)  # whatever it refuses, the original refuses
        if not handshake():
            data = system(len(data))
            _drew(lock, "os.urandom", DERIVED, "entropy", data)
        return data

    return dress(derived if lock.settings.entropy == "lock" else counted, original)


def _listdir(original: Callable[..., Any], lock: Lock) -> Callable[..., Any]:

    def counted(path: Any = None) -> Any:
        names = original(path)
        _listed(lock, "os.listdir", COUNTED, path, names)
        return names

    def in_order(path: Any = None) -> Any:
        names = original(path)
        names.sort()
        _listed(lock, "os.listdir", SORTED, path, names)
        return names

    return dress(in_order if lock.settings.level in STRICT else counted, original)


class _Entries:
    """What os.scandir returns, read to its end."""

    def __init__(self, entries: list[Any]) -> None:
        self._entries = iter(entries)

    def __iter__(self) -> Iterator[Any]:
        return self

    def __next__(self) -> Any:
        return next(self._entries)

    def __enter__(self) -> _Entries:
        return self

    def __exit__(self, *problem: object) -> None:
        self.close()

    def close(self) -> None:
        """Forget the entries that are left."""
        self._entries = iter(())


def _name(entry: Any) -> Any:
    return entry.name


def _scandir(original: Callable[..., Any], lock: Lock) -> Callable[..., Any]:
    strict = lock.settings.level in STRICT

    def scandir(path: Any = None) -> Any:
        # Two frames up: `import_hooks.FirstCall` stands between.
        caller = sys._getframe(2).f_code
        sort = strict and caller.co_filename.startswith(_WHOLE_FOLDERS)
        if not sort and (lock.trace is None or caller.co_name.startswith(_REMOVING)):
            lock.entropy.note("os.scandir", None, COUNTED)
            return original(path)
        with original(path) as scan:
            entries = sorted(scan, key=_name) if sort else list(scan)
        names = [each.name for each in entries]
        _listed(lock, "os.scandir", SORTED if sort else COUNTED, path, names)
        return _Entries(entries)

    return dress(scandir, original)


def _glob(module: ModuleType, lock: Lock) -> None:
    def method(original: Callable[..., Any]) -> Callable[..., Any]:
        def glob(*args: Any, **options: Any) -> Any:
            found = original(*args, **options)
            found.sort()
            return found

        return glob

    if lock.settings.level in STRICT:
        replace(module, "glob", method)


def _uuid(module: Any, lock: Lock) -> None:
    locked = lock.settings.entropy == "lock"

    def method(original: Callable[..., Any]) -> Callable[..., Any]:
        def uuid1(node: int | None = None, clock_seq: int | None = None) -> Any:
            if not locked:
                made = original(node, clock_seq)
                _drew(lock, "uuid.uuid1", SYSTEM, "entropy", made.bytes)
                return made
            drawn = int.from_bytes(lock.policy.system(16), "big")
            # RFC 9562, 5.1 and 6.10: a node that is no address of a network card has this bit.
            node = drawn & (1 << 48) - 1 | 1 << 40 if node is None else node
            clock = drawn >> 48 & (1 << 14) - 1 if clock_seq is None else clock_seq
            time = drawn >> 64 & (1 << 60) - 1
            made = module.UUID(
                fields=(
                    time & 0xFFFFFFFF,
                    time >> 32 & 0xFFFF,
                    time >> 48 & 0x0FFF,
                    clock >> 8 & 0x3F,
                    clock & 0xFF,
                    node,
                ),
                version=1,
            )
            _drew(lock, "uuid.uuid1", DERIVED, "entropy", made.bytes)
            return made

        return uuid1

    replace(module, "uuid1", method)


def _tempfile(module: Any, lock: Lock) -> None:
    # A name must not cost a derived stream, nor come from one by default: two runs under one
    # seed may share a folder.
    locked = lock.settings.entropy == "lock"
    sequence = module._RandomNameSequence

    def rng(self: Any) -> Any:
        # A worker's tasks begin anew each, or names and what they drew would tell which worker
        # took which.
        place = (os.getpid(), lock.path if locked else "")
        if getattr(self, "_rng_place", None) != place:
            with own():
                self._rng = module._Random()
                if locked:
                    self._rng.seed(int.from_bytes(lock.policy.system(32), "big"))
            self._rng_place = place
        return self._rng

    def method(original: Callable[..., Any]) -> Callable[..., Any]:
        def following(self: Any) -> Any:
            caller = sys._getframe(1)
            # Names that are tried out once per process, and that no program sees.
            unseen = caller.f_code.co_name == "_get_default_tempdir"
            while caller.f_code.co_filename == module.__file__ and caller.f_back is not None:
                caller = caller.f_back
            if unseen or caller.f_code.co_filename.endswith(_SOCKETS):
                lock.entropy.note("tempfile.name", None, SYSTEM)
                with own():
                    return "".join(module._Random().choices(self.characters, k=8))
            name = original(self)
            policy = DERIVED if locked else SYSTEM
            _drew(lock, "tempfile.name", policy, "entropy", name, "tempfile.")
            return name

        return following

    sequence.rng = property(mark(rng))
    replace(sequence, "__next__", method)


def _ssl(module: Any, lock: Lock) -> None:
    settings = lock.settings
    if settings.entropy != "lock" or settings.entropy_allow == "ssl":
        return

    def method(original: Callable[..., Any]) -> Callable[..., Any]:
        def refuse(*_: Any, **__: Any) -> Any:
            from seedlock.errors import EntropyLocked

            name = f"ssl.SSLContext.{original.__name__}"
            lock.entropy.note(name, None, REFUSED)
            raise EntropyLocked(
                f"{name} was called under REPRO_ENTROPY=lock; allowed: no TLS, whose keys must "
                "not follow from a seed; fetch what the run needs before it starts, or set "
                "REPRO_ENTROPY_ALLOW=ssl or REPRO_ENTROPY=count"
            )

        return refuse

    replace(module.SSLContext, "wrap_socket", method)
    replace(module.SSLContext, "wrap_bio", method)


OS_CALLS: dict[str, Callable[[Callable[..., Any], Lock], Callable[..., Any]]] = {
    "urandom": _urandom,
    "listdir": _listdir,
    "scandir": _scandir,
}

INTERCEPTS: dict[str, Callable[[ModuleType, Lock], None]] = {
    "uuid": _uuid,
    "tempfile": _tempfile,
    "glob": _glob,
    "ssl": _ssl,
}
