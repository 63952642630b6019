"""The registry: which import brings which adapter, for which versions it was written, and
whether what is installed fits those and the lock.

Reads names of `*.dist-info` folders, as importlib.metadata would, at a hundredth of its price:
on the start-up path.
"""

import os
import sys

from seedlock.settings import STRICT

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    Range = tuple[tuple[int, ...], tuple[int, ...]]

    from seedlock.adapters import Adapter
    from seedlock.settings import Settings


class Entry:
    """One library of the registry.

    Attributes:
        name: key in reports, and the adapter's module in seedlock.adapters.
        module: import that triggers the adapter.
        distributions: names under which the library is installed, normalised.
        supported: first version that the adapter was written for and first that it was not,
            as tuples of release numbers.
    """

    __slots__ = ("name", "module", "distributions", "supported")

    def __init__(
        self,
        name: str,
        module: str,
        distributions: "tuple[str, ...]",
        supported: "Range | None",
    ) -> None:
        self.name = name
        self.module = module
        self.distributions = distributions
        self.supported = supported


REGISTRY = (
    Entry("python", "random", (), None),
    Entry("numpy", "numpy", ("numpy",), ((1, 23), (2, 5))),
    Entry("torch", "torch", ("torch",), ((2, 4), (2, 14))),
    Entry("tensorflow", "tensorflow", ("tensorflow", "tensorflow-cpu"), ((2, 16), (2, 22))),
    Entry("keras", "keras", ("keras",), ((3, 0), (3, 16))),
    Entry("mxnet", "mxnet", ("mxnet",), ((1, 9), (2, 0))),
    Entry("jax", "jax", ("jax", "jaxlib"), ((0, 4, 26), (0, 11))),
)
"""Every library that seedlock knows. Adding one is a file in adapters/, a line here, a test and
a row in docs/determinism.md (CONTRIBUTING.md has the five steps)."""

WATCHED = {
    "subprocess": "children",
    "multiprocessing.util": "children",
    "multiprocessing.process": "tasks",
    "multiprocessing.spawn": "children",
    "multiprocess.process": "tasks",
    "multiprocess.spawn": "children",
    "multiprocessing.pool": "tasks",
    "multiprocess.pool": "tasks",
    "concurrent.futures.process": "tasks",
    "concurrent.futures.thread": "threads",
    "joblib.parallel": "tasks",
    "loky.process_executor": "tasks",
    "joblib.externals.loky.process_executor": "tasks",
    "threading": "threads",
    "scipy.linalg": "threads",
    "uuid": "entropy",
    "tempfile": "entropy",
    "glob": "entropy",
    "ssl": "entropy",
}
"""Modules that are no library of numbers and bring them into disorder: which module of seedlock
replaces what in them (its `INTERCEPTS`), once they are imported."""

OS_CALLS = {
    "execv": "children",
    "execve": "children",
    "posix_spawn": "children",
    "posix_spawnp": "children",
    "system": "children",
    "_exit": "children",
    "urandom": "entropy",
    "listdir": "entropy",
    "scandir": "entropy",
}
"""Functions of `os`, which is always loaded: which module of seedlock replaces them (its
`OS_CALLS`), once they are called."""

DEFAULT_LOCK_FILE = "repro-lock.txt"
"""Name of the lock file in `sys.prefix` when REPRO_LOCK_FILE is unset."""


_READ: "dict[str, dict[str, str]]" = {}
"""Lock files that this process has read: the start and each library compare with the same one."""

FITS: "set[tuple[str, str]]" = set()
"""Distributions and versions that the start found and had nothing to say about."""


def lock_file(given: "str | None") -> "str | None":
    """Return the path of the lock file in force, or None where there is none.

    Args:
        given: value of REPRO_LOCK_FILE, or None.
    """
    if given is not None:
        return given
    path = os.path.join(sys.prefix, DEFAULT_LOCK_FILE)
    return path if os.path.exists(path) else None


def locked_versions(path: "str | None") -> "dict[str, str]":
    """Return the versions that a lock file names, by normalised distribution name.

    Raises:
        BadSetting: the file can't be read, is no text, or has a line without a version.
    """
    if path is None:
        return {}
    if path in _READ:
        return _READ[path]
    try:
        with open(path, encoding="utf-8") as file:
            lines = file.read().splitlines()
        pins = [line.split("==") for line in lines if "==" in line and line[0] not in "# "]
        _READ[path] = {normalised(pin[0]): pin[1].split()[0] for pin in pins}
    except (OSError, UnicodeDecodeError, IndexError) as problem:
        from seedlock.errors import BadSetting

        why = getattr(problem, "strerror", None) or "it has a line without a version, or is no text"
        raise BadSetting(
            "REPRO_LOCK_FILE",
            path,
            "a readable file with lines name==version",
            f"mend the file or its path, or unset it ({why})",
            "bad-lock",
        ) from problem
    return _READ[path]


def normalised(name: str) -> str:
    """Return a distribution's name in one spelling (PEP 503)."""
    return name.strip().lower().replace("_", "-").replace(".", "-")


def installed_versions(names: "set[str]") -> "dict[str, str]":
    """Return the versions of those distributions in `names` that are installed, first on
    sys.path first.

    Args:
        names: normalised.
    """
    found: dict[str, str] = {}
    for folder in sys.path:
        if not folder or folder.endswith(_WITHOUT_PACKAGES):
            continue
        try:
            # One text, in which the few names are sought: a loop over all entries of a folder
            # with the frameworks costs four times as much.
            listing = "/".join(("", *_listdir(folder), ""))
        except OSError:
            continue
        if not listing.isascii():
            listing = listing.encode("ascii", "replace").decode()  # lower() may change lengths
        normal = normalised(listing)
        for name in names:
            if name not in found:
                version = _version_in(listing, normal, name)
                if version is not None:
                    found[name] = version
    return found


def _version_in(listing: str, normal: str, name: str) -> "str | None":
    start = normal.find(f"/{name}-")
    while start >= 0:
        end = listing.index("/", start + 1)
        own, _, version = listing[start + 1 : end].partition("-")
        # Names have no "-" in a listing, so "torch_geometric-2.7" is not torch in version
        # "geometric-2.7".
        if len(own) == len(name) and version.endswith(".dist-info"):
            return version[:-10]
        start = normal.find(f"/{name}-", end)
    return None


_listdir = os.listdir
"""The function itself: what `os` holds under a lock counts the program's calls."""

_WITHOUT_PACKAGES = (os.path.dirname(os.__file__), "lib-dynload", ".zip")


def refuse_unfit(settings: "Settings") -> "list[str]":
    """Compare the installed frameworks with the lock and the adapters' ranges.

    Returns:
        The differences that this run lets pass, as gaps.

    Raises:
        NotPortable: level portable, and the processor is none that it is for.
        Drift: level strict or portable, and a framework is not the locked version.
        Unsupported: a framework is outside its adapter's range.
    """
    if settings.threads is not None:
        from seedlock import portable

        portable.refuse_unfit()
    locked = locked_versions(lock_file(settings.lock_file))
    names = {name for entry in REGISTRY for name in entry.distributions}
    installed = installed_versions(names)
    gaps: list[str] = []
    for entry in REGISTRY:
        for name in entry.distributions:
            if name in installed:
                found = fit(entry, name, installed[name], locked.get(name), settings)
                if not found:
                    FITS.add((name, installed[name]))
                gaps += found
    return gaps


def fit(
    entry: Entry, name: str, version: str, locked: "str | None", settings: "Settings"
) -> "list[str]":
    """Return the gaps of one distribution in one version, or refuse it.

    Raises:
        Drift: level strict or portable, and `version` is not the locked one.
        Unsupported: `version` is outside the adapter's range.
    """
    drift = None
    if locked is not None and version != locked:
        drift = f"{name} is {version} and the lock names {locked}"
    if entry.supported is not None and not within(version, entry.supported):
        first, end = (".".join(map(str, bound)) for bound in entry.supported)
        text = f"{name} is {version}; seedlock's adapter is written for {first} up to below {end}"
        if settings.lock != "warn":
            from seedlock.errors import Unsupported

            raise Unsupported(
                f"{text}; install such a version or set REPRO_LOCK=warn to go on with a gap"
            )
        return [text]
    if drift and settings.level in STRICT and settings.lock != "warn":
        from seedlock.errors import Drift

        raise Drift(
            f"{drift}; level {settings.level} allows the locked version only; "
            "install that or set REPRO_LOCK=warn to go on with a gap"
        )
    return [drift] if drift else []


def import_adapter(entry: Entry) -> "Adapter":
    """Return a library's adapter, imported with the library and not before."""
    name = f"seedlock.adapters.{entry.name}"
    __import__(name)
    adapter: Adapter = sys.modules[name].adapter
    return adapter


def watcher(name: str) -> "Any":
    """Return the module of seedlock that looks after a key of `WATCHED` or `OS_CALLS`."""
    own = f"seedlock.{WATCHED.get(name) or OS_CALLS[name]}"
    __import__(own)
    return sys.modules[own]


def within(version: str, supported: "Range") -> bool:
    """Tell whether a version's release numbers lie in the half-open range `supported`."""
    return supported[0] <= release(version) < supported[1]


def release(version: str) -> "tuple[int, ...]":
    """Return a version's leading release numbers: (2, 13, 0) of `2.13.0+cpu`."""
    numbers: list[int] = []
    for part in version.split("+")[0].split("."):
        digits = part[: len(part) - len(part.lstrip("0123456789"))]
        if not digits:
            break
        numbers.append(int(digits))
        if digits != part:
            break
    return tuple(numbers)
