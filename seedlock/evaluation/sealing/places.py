"""What of this machine a program needs that runs in a sandbox without an image."""

from __future__ import annotations

import os
import shutil
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from seedlock.errors import NotSealed

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

SYSTEM = "/usr"

SYSTEM_LINKS = ("/bin", "/sbin", "/lib", "/lib32", "/lib64", "/libx32")
"""Links into /usr on merged systems, folders on others (file-hierarchy(7))."""

CONFIGURATION = (
    "/etc/ld.so.cache", "/etc/ld.so.conf", "/etc/ld.so.conf.d", "/etc/alternatives",
    "/etc/localtime", "/etc/nsswitch.conf", "/etc/fonts", "/etc/mime.types", "/etc/magic",
)  # fmt: skip
"""What loaders, links in /usr and libraries look for; nothing that names users or holds keys."""

HARDWARE = ("/sys/devices/system/cpu", "/sys/devices/system/node")
"""Where OpenMP and PyTorch's cpuinfo count processors."""

SEARCHED = ("/usr/local/bin", "/usr/bin", "/bin")


def interpreters(argv: Sequence[str], path: str) -> list[Path]:
    """Return the folders outside /usr that the command's interpreter and this one consist of.

    Args:
        argv: the command; its first word is looked up on `path`.
        path: PATH here.

    Raises:
        NotSealed: one of them holds the home folder.
    """
    found: list[Path] = []
    named = shutil.which(argv[0], path=path) if "/" not in argv[0] else argv[0]
    executables = [Path(sys.executable), *([Path(named)] if named else [])]
    for each in executables:
        if each.is_absolute():
            found += _environment(each)
    home = Path.home().resolve()
    for folder in found:
        if home.is_relative_to(folder):
            raise NotSealed(
                f"the interpreter's folder {folder} holds the home folder; allowed: an interpreter "
                "in a folder of its own; make a virtual environment below the project"
            )
    return sorted({folder for folder in found if not folder.is_relative_to(SYSTEM)})


def search_path(folders: Iterable[Path], argv: Sequence[str], path: str) -> str:
    """Return PATH inside: first where the command is found here, then the other interpreters."""
    named = shutil.which(argv[0], path=path) if "/" not in argv[0] else None
    own = [str(folder / "bin") for folder in folders]
    first = [os.path.dirname(named)] if named and os.path.dirname(named) in own else []
    return ":".join(dict.fromkeys([*first, os.path.dirname(sys.executable), *own, *SEARCHED]))


def parents(places: Iterable[str]) -> list[str]:
    """Return the folders above mounted places that have to be made, outermost first.

    Those in another mounted place are there already, or can't be made.
    """
    mounted = {place.rstrip("/") for place in places}
    found: set[str] = set()
    for place in mounted:
        above = os.path.dirname(place)
        while above not in ("/", "", "/tmp", "/dev", "/dev/shm"):
            found.add(above)
            above = os.path.dirname(above)
    return sorted(each for each in found if not _inside(each, mounted))


def _inside(place: str, mounted: set[str]) -> bool:
    return any(place == each or place.startswith(f"{each}/") for each in mounted)


def _environment(executable: Path) -> Iterator[Path]:
    for path in dict.fromkeys([executable, executable.resolve()]):
        prefix = path.parent.parent
        settings = prefix / "pyvenv.cfg"
        if settings.is_file():
            yield prefix
            home = _home_of(settings)
            if home is not None:
                yield from dict.fromkeys([home.parent, home.resolve().parent])
        elif prefix != Path("/") and any(prefix.glob("lib/python3*")):
            yield prefix


def _home_of(settings: Path) -> Path | None:
    """Return what `home` in a virtual environment's settings says (PEP 405)."""
    for line in settings.read_text().splitlines():
        key, _, value = line.partition("=")
        if key.strip() == "home":
            return Path(value.strip())
    return None
