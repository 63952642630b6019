"""MXNet 1.9.1's generators on the CPU, read and written where they lie in memory.

MXNet has no function for it. Its library exports `ResourceManager::Get`, which returns the calling
thread's manager (src/resource.cc), and from there pointers lead to its engines, each a
std::mt19937 of libstdc++: one for operators that draw in turn (shuffle, multinomial, mx.np) and
1024 for those that draw in parallel (uniform, normal, dropout; include/mxnet/random_generator.h),
an engine for each 64 numbers of a draw. Distributions are made anew for each draw, so no second
normal number waits anywhere.

Offsets are those of one build, the wheel for x86-64; in any other nothing is touched.
"""

from __future__ import annotations

import ctypes
from array import array
from base64 import b64decode, b64encode

from seedlock.errors import BadState

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

BUILD = "472988f6268780302be9ee15d6c53d9a07b534f5"
"""Build id of libmxnet.so in the wheel mxnet-1.9.1-py3-none-manylinux2014_x86_64."""

_NOTE = 0x200, b"\4\0\0\0\x14\0\0\0\3\0\0\0GNU\0" + bytes.fromhex(BUILD)
"""Where that id lies from the library's beginning, and the whole ELF note."""

_GET = "_ZN5mxnet15ResourceManager3GetEv"

# Bytes from the beginning of ResourceManagerImpl, of ResourceRandom and of ResourceParallelRandom,
# as SeedRandom in the library's machine code has them.
_IN_TURN, _PARALLEL = 64, 80
_GENERATOR = 8
_FIRST, _END, _TURN = 8, 16, 56

_WORDS, _ENGINES = 624, 1024
_SIZE = 8 * (_WORDS + 1)
"""An engine in bytes: words and the index of the next one, each of 32 bits in 64."""

_PER_SEED, _PER_COPY = 127, 16
"""How far the engines' seeds are apart (kRandMagic, kMaxNumGPUs)."""
_SEED_OF = pow(_PER_SEED, -1, 2**32)

_LANES = sum(1 << 64 * number for number in range(_WORDS))
_COUNTED = sum(number << 64 * (number - 1) for number in range(1, _WORDS))
_LOW, _TOP = _LANES * 0xFFFFFFFF, _LANES * 3
_ALL_BUT_LAST = (1 << 64 * (_WORDS - 1)) - 1


class _Place(ctypes.Structure):
    """Dl_info of dladdr(3)."""

    _fields_ = (
        ("file", ctypes.c_char_p),
        ("begin", ctypes.c_void_p),
        ("symbol", ctypes.c_char_p),
        ("address", ctypes.c_void_p),
    )


def trouble(mxnet: Any) -> str | None:
    """Return why the generators can't be read here; None if they can, which was then seen: each
    engine that the pointers lead to was as MXNet's own seeding leaves it, and was put back.

    Where that is not seen, MXNet's generators may have been seeded.
    """
    if mxnet.__version__ != "1.9.1":
        return f"it is {mxnet.__version__}, not 1.9.1"
    begin, note = _NOTE
    place = _Place()
    found = ctypes.CDLL(None).dladdr(mxnet.base._LIB.MXRandomSeed, ctypes.byref(place))
    if not found or ctypes.string_at(place.begin + begin, len(note)) != note:
        return "its library is not that of the locked wheel"
    engines, turn = _engines(mxnet)
    before, turned = _contents(engines), _word(turn)
    probe = _last_seed(before) ^ 1  # another than what they may have begun from
    try:
        _seed(mxnet, probe)
        seeded = _contents(engines)
    finally:
        _put(engines, before, turn, turned)
    if not all(_fresh(content, _seed_of(at, probe)) for at, content in enumerate(seeded)):
        return "its engines were not found where this build has them"
    return None


def read(mxnet: Any) -> dict[str, object]:
    """Return the state of the calling thread's generators: the seed that they were given, and
    the engines that have drawn since, by number, as the text of 2500 bytes each.

    It waits for what MXNet is computing, and raises what failed there as `waitall` does.
    """
    engines, turn = _engines(mxnet)
    contents = _contents(engines)
    seed = _last_seed(contents)
    drawn = {
        str(at): b64encode(_narrow(content)).decode()
        for at, content in enumerate(contents)
        if not _fresh(content, _seed_of(at, seed))
    }
    return {
        "seed": seed,
        "copies": len(contents) // _ENGINES,
        "turn": _word(turn) % (len(contents) // _ENGINES),
        "engines": drawn,
    }


def write(mxnet: Any, state: Any) -> None:
    """Put the calling thread's generators into a state that `read` returned.

    Raises:
        BadState: they are not as many.
    """
    try:
        mxnet.nd.waitall()
    finally:  # what failed before is raised here, and must not keep the state out
        engines, turn = _engines(mxnet)
        if state["copies"] != len(engines) // _ENGINES:
            raise BadState(
                f"the state was taken with MXNET_CPU_PARALLEL_RAND_COPY={state['copies']} and "
                f"this process has {len(engines) // _ENGINES}; set it to the same"
            )
        drawn = {int(at): _wide(b64decode(text)) for at, text in state["engines"].items()}
        _seed(mxnet, state["seed"])
        _put([engines[at] for at in drawn], [*drawn.values()], turn, state["turn"])


def _engines(mxnet: Any) -> tuple[list[int], int]:
    """Return the addresses of all engines and of the counter that says whose turn it is, when
    nothing draws from them any more."""
    get = mxnet.base._LIB[_GET]
    get.restype = ctypes.c_void_p
    manager = get()
    mxnet.nd.waitall()  # after it: a thread's first manager is filled by and by
    parallel = _word(manager + _PARALLEL)
    found = [_word(_word(manager + _IN_TURN) + _GENERATOR)]
    for at in range(_word(parallel + _FIRST), _word(parallel + _END), 8):
        states = _word(_word(at))
        found += range(states, states + _ENGINES * _SIZE, _SIZE)
    return found, parallel + _TURN


def _seed_of(at: int, seed: int) -> int:
    """Return the seed that SeedRandom gives the engine of a number: 0 draws in turn, and 1024
    parallel ones to a copy follow."""
    copy, engine = divmod(at - 1, _ENGINES) if at else (0, 0)
    return (seed * _PER_SEED + copy * _PER_COPY + engine) % 2**32


def _last_seed(contents: list[bytes]) -> int:
    """Return the seed that the engines were given, of which the last one tells: only draws that
    leave no parallel engine as it was draw from it, and then no seed tells of any."""
    last = len(contents) - 1
    return (_first(contents[last]) - _seed_of(last, 0)) * _SEED_OF % 2**32


def _fresh(content: bytes, seed: int) -> bool:
    """Tell whether an engine is as std::mt19937 begins from a seed, and has drawn nothing: each
    word follows from the one before ([rand.eng.mers]). All words are computed at once, as one
    number of 64 bits each."""
    if _first(content) != seed or content[-8:] != _WORDS.to_bytes(8, "little"):
        return False
    words = int.from_bytes(content[:-8], "little")
    following = ((words ^ (words >> 30 & _TOP)) * 1812433253 + _COUNTED) & _LOW
    return following & _ALL_BUT_LAST == words >> 64


def _contents(engines: list[int]) -> list[bytes]:
    return [ctypes.string_at(address, _SIZE) for address in engines]


def _put(engines: list[int], contents: list[bytes], turn: int, turned: int) -> None:
    for address, content in zip(engines, contents, strict=True):
        ctypes.memmove(address, content, _SIZE)
    ctypes.c_uint64.from_address(turn).value = turned


def _seed(mxnet: Any, seed: int) -> None:
    # Not by mx.random.seed, which seedlock and the program may have replaced.
    mxnet.base.check_call(mxnet.base._LIB.MXRandomSeed(ctypes.c_int(seed)))
    mxnet.nd.waitall()


def _word(address: int) -> int:
    return ctypes.c_uint64.from_address(address).value


def _first(content: bytes) -> int:
    return int.from_bytes(content[:8], "little")


def _narrow(content: bytes) -> bytes:
    return array("I", content)[::2].tobytes()


def _wide(content: bytes) -> bytes:
    words = array("I", bytes(_SIZE))
    words[::2] = array("I", content)
    return words.tobytes()
