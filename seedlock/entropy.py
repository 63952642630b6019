"""What draws from the system and not from a generator: counted with its call sites, or, under
REPRO_ENTROPY=lock, derived.
"""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from types import ModuleType
    from typing import Any

    from seedlock.process_lock import Lock


def _urandom(original: Callable[..., Any], lock: Lock) -> Callable[..., Any]:
    def urandom(size: int, /) -> bytes:
        lock.entropy.note("os.urandom", None, "system")
        drawn: bytes = original(size)
        return drawn

    return urandom


def _listdir(original: Callable[..., Any], lock: Lock) -> Callable[..., Any]:
    if lock.settings.level != "strict":
        return original
    return lambda *args, **kwargs: sorted(original(*args, **kwargs))


OS_CALLS: dict[str, Callable[[Callable[..., Any], Lock], Callable[..., Any]]] = {
    "urandom": _urandom,
    "listdir": _listdir,
    "scandir": lambda original, _: original,
}

INTERCEPTS: dict[str, Callable[[ModuleType, Lock], None]] = {
    name: lambda _module, _lock: None for name in ("uuid", "tempfile", "glob", "ssl")
}
