"""What was applied, overridden and left open: one JSON file per process.

The file exists from the start of the process and says `running`; it says `finished` only when
the interpreter came to its end or called os._exit, as children of multiprocessing do. A process
that was killed, as the workers of a pool are that is terminated, therefore leaves `running`.
"""

from __future__ import annotations

import atexit
import json
import linecache
import os
import sys
import time
from _thread import RLock

from seedlock import __version__, machine, order_counts, places, registry
from seedlock.callers import author_files
from seedlock.derivation import SCHEME, STREAMS, digest, stream_seed
from seedlock.hash_seed import RANDOM_ADDRESSES, addresses_are_random, hash_seed_in_force
from seedlock.settings import LOCK_FILE, REPORT, WATCH
from seedlock.stand_ins import own

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    from seedlock.adapters import Adapter, Applied
    from seedlock.callers import Sites
    from seedlock.process_lock import Lock

SCHEMA = 6
"""Version of the report's schema. History: 1, first; 2, the process's place, call sites of user
seeds, of generators without a seed and of what drew from the system; 3, processor time, memory,
and the files that were read; 4, lines that take an order from hashes; 5, how often they took one
in a window of operations; 6, how often in the whole process, and lines that the text does not tell
of."""

_write: Callable[[str], None] | None = None
_inherited: frozenset[str] = frozenset()
_script = ""

ENVIRONMENT = (
    "REPRO_", "PYTHONHASHSEED", "CUBLAS_", "CUDA_", "NVIDIA_", "NCCL_", "XLA_FLAGS", "JAX_",
    "TF_CUDNN_", "TF_DETERMINISTIC_", "TF_ENABLE_", "TF_NUM_", "TF_XLA_", "TF_GPU_", "TF_FORCE_",
    "MXNET_", "OMP_", "MKL_", "OPENBLAS_", "TORCH", "KERAS_BACKEND", "FLASH_ATTENTION_", "NVTE_",
    "MAMBA_", "CAUSAL_CONV1D_", "HOROVOD_", "NPY_", "ATEN_", "DNNL_", "ONEDNN_", "FBGEMM_", "NPROC",
)  # fmt: skip
"""Beginnings of the variables that a report may hold. No other is ever written."""

SECRET = ("KEY", "TOKEN", "SECRET", "PASSWORD", "PASSPHRASE", "CREDENTIAL", "AUTH")
"""A variable with one of these in its name is left out all the same."""


def begin(lock: Lock) -> None:
    """Write the report of a process that has just begun, and finish it when the process ends.

    Raises:
        BadSetting: the folder can't be made or written.
    """
    folder = lock.handed[REPORT]
    usable_folder(folder, str(lock.settings.report))
    base = os.path.join(folder, f"{os.getpid()}-{time.time_ns():x}")
    path = f"{base}.json"
    owner = os.getpid()
    if lock.trace is not None:
        lock.trace.begin(base, lock.path)
    if lock.settings.reads:
        from seedlock import reads

        reads.watch()
    write(path, describe(lock, "running"))

    one_at_a_time = RLock()

    def write_again(status: str) -> None:
        # A forked child inherits this call but not the report.
        if os.getpid() == owner:
            with one_at_a_time:  # else an older state could take the place of a newer one
                if lock.trace is not None and status == "finished":
                    lock.trace.finish()
                write(path, describe(lock, status))

    global _write, _inherited, _script
    if _write is None:
        atexit.register(order_counts.end)
        atexit.register(finish_now)
        os.register_at_fork(before=machine.constants)
        # CPython takes __file__ from the main module before the functions of atexit are called.
        given = next(iter(getattr(sys, "argv", ())), "")
        _script = os.path.abspath(given) if os.path.exists(given) else ""  # -c, where no folder is
    else:
        # A forked child: its parent looks at these.
        _inherited, _script = frozenset(sys.modules), ""
    _write = write_again
    order_counts.begin()


def finish_now() -> None:
    """Finish this process's report: its end has come."""
    if _write is not None:
        _write("finished")


def update_now() -> None:
    """Write this process's report, if it has one, as things stand: it may not come to its end."""
    if _write is not None:
        _write("running")


def usable_folder(folder: str, given: str) -> None:
    """Make the folder for reports if need be, and try whether it can be written.

    Args:
        folder: its path.
        given: the path as it was given.

    Raises:
        BadSetting: it can't.
    """
    # Containers that share the folder may have equal process ids.
    trial = os.path.join(folder, f".{os.getpid()}-{time.time_ns():x}.tmp")
    try:
        os.makedirs(folder, exist_ok=True)
        with open(trial, "wb"):
            pass
        os.unlink(trial)
    except OSError as problem:
        from seedlock.errors import BadSetting

        raise BadSetting(
            REPORT,
            given,
            "a folder that this user can write, or one that can be made",
            "choose another folder or unset it",
            "report-folder",
        ) from problem


def write(path: str, content: dict[str, object]) -> None:
    """Write `content` as JSON so that a reader sees the old file or the new one, never half."""
    temporary = f"{path}.tmp"
    with open(temporary, "w", encoding="utf-8") as file:
        json.dump(content, file, indent=1, sort_keys=True)
        file.write("\n")
        file.flush()
        os.fsync(file.fileno())
    os.replace(temporary, path)


def describe(lock: Lock, status: str) -> dict[str, object]:
    """Return the report of `lock` as it stands, JSON-ready.

    Args:
        lock: the lock in force.
        status: `running` or `finished`; machine facts are taken when finished.
    """
    settings = lock.settings
    libraries = {name: _library(applied) for name, applied in list(lock.applied.items())}
    content: dict[str, object] = {
        "schema": SCHEMA,
        "seedlock": __version__,
        "scheme": SCHEME,
        "status": status,
        "process": {
            "pid": os.getpid(),
            "parent": os.getppid(),
            "command": sys.orig_argv,
            "restarted_for_hash_seed": lock.restarted,
            "lineage": lock.path,
        },
        "settings": settings.as_dict(),
        "seeds": {
            name: stream_seed(settings.seed, name, settings.streams)
            for name in (() if settings.level == WATCH else STREAMS)
        },
        "gaps": _gaps(lock),
        "user_seeds": _listed(lock.policy.sites),
        "unseeded": _listed(lock.policy.unseeded_sites),
        "entropy": _listed(lock.entropy),
        "libraries": libraries,
        "environment": {
            name: value
            for name, value in sorted(os.environ.items())
            if name.startswith(ENVIRONMENT) and not any(word in name for word in SECRET)
        },
        "lock": _lock_file(lock),
    }
    if lock.settings.reads:
        from seedlock import reads

        content["reads"] = reads.listed()
    if status == "running":
        return content
    content["usage"] = machine.usage()
    content["hash_order"] = _hash_order(lock)
    with own():  # `platform` starts programs
        facts = content["machine"] = machine.facts()
    assert isinstance(facts["gpu"], dict)
    gpus = len(facts["gpu"]["devices"])
    loaded = places.loaded(lock)
    for name in libraries:  # a thread may be importing another
        adapter, applied = lock.adapters[name][0], lock.applied[name]
        if name in loaded:
            libraries[name]["digest_now"] = _digest(places.told_state(*loaded[name]))
        libraries[name]["overridden"] = overridden(adapter, applied)
        libraries[name]["gaps"] = applied.gaps + places.unused(lock, name, gpus)
    return content


def overridden(adapter: Adapter, applied: Applied) -> dict[str, object]:
    """Return the flags and variables that user code changed after they were set, each with its
    value `set` and its value `now`."""
    changed: dict[str, object] = {}
    module = sys.modules.get(adapter.name)
    now = adapter.flags(module) if module is not None else applied.flags
    for name, value in applied.flags.items():
        if now.get(name) != value:
            changed[name] = {"set": value, "now": now.get(name)}
    for name, text in applied.environment.items():
        if os.environ.get(name) != text:
            changed[name] = {"set": text, "now": os.environ.get(name)}
    return changed


def _listed(sites: Sites) -> list[dict[str, object]]:
    """Return call sites with the text of their lines."""
    found = sites.as_list()
    for site in found:
        file, _, line = str(site["where"]).rpartition(":")
        site["line"] = linecache.getline(file, int(line)).strip()
    return found


def _threads(sites: Sites) -> list[str]:
    return [
        f"{site['where']} runs the program's code in threads ({site['function']}): what threads "
        "draw from a generator that they share depends on scheduling"
        for site in sites.as_list()
    ]


def _gaps(lock: Lock) -> list[str]:
    random = lock.settings.level not in ("seed", WATCH) and addresses_are_random() is not False
    gaps = [*lock.gaps, *places.missed(lock), *lock.policy.gaps, *_threads(lock.threads)]
    return [*gaps, RANDOM_ADDRESSES] if random else gaps


def _hash_order(lock: Lock) -> dict[str, object]:
    files = author_files(_script, _inherited)
    taken = order_counts.taken()
    if not files and not taken:
        return {"sites": [], "files": 0, "more": 0, "counted": None}
    from seedlock import order_sites  # with `ast`, which no start has to take

    if not hash_seed_in_force(lock.settings):
        policy = order_sites.OPEN
    else:
        policy = order_sites.LOCKED if addresses_are_random() is False else order_sites.TEXT
    return order_sites.listed(files, policy, taken)


def _library(applied: Applied) -> dict[str, object]:
    bounds = next(entry.supported for entry in registry.REGISTRY if entry.name == applied.library)
    supported = bounds and [".".join(map(str, bound)) for bound in bounds]
    return {
        "version": applied.version,
        "supported": supported,
        "seeds": applied.seeds,
        "environment": applied.environment,
        "replaced": applied.replaced,
        "flags": applied.flags,
        "gaps": applied.gaps,
        "digest_seeded": _digest(applied.state),
    }


def _digest(state: object) -> str | None:
    return None if state is None else digest(repr(state).encode())


def _lock_file(lock: Lock) -> dict[str, object] | None:
    path = registry.lock_file(lock.handed.get(LOCK_FILE) or None)
    if path is None:
        return None
    locked = registry.locked_versions(path)
    installed = registry.installed_versions(set(locked))
    with open(path, "rb") as file:
        sha256 = digest(file.read())
    return {
        "file": path,
        "sha256": sha256,
        "drift": {
            name: {"locked": version, "installed": installed.get(name)}
            for name, version in locked.items()
            if installed.get(name) != version
        },
    }
