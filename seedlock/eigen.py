"""The sizes of caches by which Eigen divides sums, the same on every processor at level portable.

TensorFlow's wheels and jaxlib's hold Eigen, which asks the processor (CPUID) for its caches once,
before the first product of matrices, and cuts the products into blocks that fit them: another
cache, another order of summation. No variable says otherwise. `Eigen::setCpuCacheSizes` is
compiled into its callers, so that what it would write is written here: the static variable of
`manage_caching_sizes` (Eigen, src/Core/products/GeneralBlockPanelKernel.h) and its guard, which
says that the processor was asked.
"""

from __future__ import annotations

from seedlock import shared_objects

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

SIZES = (32 * 1024, 256 * 1024, 8 * 1024 * 1024)
"""Bytes of the first, second and third level, as in an Intel Core of the Haswell family, the first
of x86-64-v3."""

_VARIABLE = b"_ZZN5Eigen8internal20manage_caching_sizesENS_6ActionEPlS2_S2_E12m_cacheSizes"
_GUARD = b"_ZGV" + _VARIABLE[2:]

GAP = (
    "the sizes of caches by which Eigen divides sums were not found in {}: bits of long sums "
    "differ between processors"
)

_held: dict[str, Any] = {}
"""The sizes in force in each file's Eigen, by the file's name."""


def hold(part: str) -> bool:
    """Set the sizes of caches in each loaded file whose name holds `part`.

    Returns:
        True if there is such a file, and they were found in each.
    """
    paths = shared_objects.loaded(part)
    found = [_held_in(path) for path in paths]
    return bool(found) and all(found)


def held(part: str) -> dict[str, object]:
    """Return the sizes that each such file's Eigen goes by now; empty at other levels."""
    return {f"{name}.caches": list(sizes) for name, sizes in _held.items() if part in name}


def _held_in(path: str) -> bool:
    import ctypes

    name = path.rsplit("/", 1)[-1]
    if name in _held:
        return True
    sizes_type = ctypes.c_int64 * len(SIZES)
    found = shared_objects.variables(path, _VARIABLE, _GUARD)
    if [size for _, size in found] != [ctypes.sizeof(sizes_type), 8]:
        return False
    sizes = sizes_type.from_address(found[0][0])
    guard = ctypes.c_uint8.from_address(found[1][0])
    if guard.value > 1 or (guard.value == 0 and any(sizes)):
        return False  # not what it is taken for
    sizes[:] = list(SIZES)
    guard.value = 1
    _held[name] = sizes
    return True
