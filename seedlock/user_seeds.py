"""What becomes of a seed that user code sets itself, and of a generator that gets none.

The one policy behind every way in which a library is seeded (REPRO_USER_SEEDS):
`torch.manual_seed(42)` becomes the seed of the path user, torch, 42 under the root seed. Equal
seeds of the author's give equal streams, in every process of the run, and different ones
different streams.
"""

import os
import time
from _thread import get_ident
from contextvars import ContextVar
from itertools import count

from seedlock.callers import Sites, shown
from seedlock.derivation import Branch

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from contextvars import Token
    from types import TracebackType

    from seedlock.callers import Site

    Fixed = tuple[Token[dict[str, object]], dict[str, object]]

POLICY: dict[str, object] = {}
OWN: dict[str, object] = {}
_mode: ContextVar[dict[str, object]] = ContextVar("seedlock_mode", default=POLICY)
"""Whose seeds are being set: the user's by policy, seedlock's own, or, in a block of fixed(),
the user's as written; then the value holds the generators' states from before."""

LONG = 2048
"""Bits of the longest integer that stands in a path in decimal digits."""

SMALL = 10_000
"""First process id that is taken for one without asking the source."""

COMMON = 10**8
"""First number that nobody is likely to write down as a seed: dates (20240131) are below."""

DAY = 86_400 * 10**9
MOMENT = 60 * 10**9
PARTS = tuple(10**digits for digits in range(10))
CUT = {10**6: MOMENT, 10**3: 10**9, 1: 2 * 10**6}
"""Unit of a clock that is cut to 32 bits -> how long ago it may have been read. Nanoseconds."""


class UserSeeds:
    """The policy of one process.

    Attributes:
        policy: one of `settings.USER_SEED_POLICIES`.
        sites: call sites of seeds that user code set.
        unseeded_sites: call sites of generators that got none.
        gaps: what can't be repeated, as it is found.
    """

    def __init__(self, root: int, policy: str, state_of: "Callable[[str], object]") -> None:
        self.policy = policy
        self.sites = Sites()
        self.unseeded_sites = Sites()
        self.gaps: list[str] = []
        self._root = root
        self._state_of = state_of
        self._users: dict[str, Branch] = {}
        self.enter("")

    def enter(self, path: str) -> None:
        """Take a place in the family of processes and tasks: count anew from it."""
        self._path = path
        self._made: dict[str, tuple[Iterator[int], Branch]] = {}
        self._thread = get_ident()

    def choose(
        self,
        library: str,
        given: object,
        bits: int,
        function: str,
        main: bool = True,
        written: object = None,
    ) -> int | None:
        """Decide on a seed that user code gives.

        Args:
            library: name in the registry.
            given: the seed as it was given, of whatever type.
            bits: size of the seed that the library takes.
            function: what was called, for the report, where no frame of a library tells.
            main: whether the library's main generator is seeded, not one of the user's own.
            written: the seed as the author wrote it, where `given` is what the library makes
                of it.

        Returns:
            The seed to use, 0 to 2**bits - 1; None to use the given one as it is.

        Raises:
            UserSeedRefused: the policy is to refuse.
        """
        mode = _mode.get()
        policy = self.policy
        if mode is not POLICY:
            if mode is OWN:
                return None
            policy = "fixed"
            if main and library not in mode:
                mode[library] = None  # reading a state must not come back here
                mode[library] = self._state_of(library)
        site = self.sites.note(function, given if written is None else written, policy)
        if site is not None:
            self._suspect(site, given)
        if policy == "mix":
            return self.mixed(library, given, bits)
        if policy == "refuse":
            from seedlock.errors import UserSeedRefused

            raise UserSeedRefused(
                f"{function} was given the seed {shown(given)}; allowed under "
                "REPRO_USER_SEEDS=refuse: none; take the line out, put it into "
                "`with seedlock.fixed():`, or set REPRO_USER_SEEDS=mix"
            )
        return None

    def mixed(self, library: str, given: object, bits: int) -> int:
        """Return what `given` becomes under the root seed: the path user, library, given."""
        branch = self._users.get(library)
        if branch is None:
            branch = self._users[library] = Branch(self._root, "user", library)
        if type(given) is int and given.bit_length() <= LONG:
            return branch.derive(given, bits=bits)
        return branch.derive(*canonical(given), bits=bits)

    def unseeded(self, library: str, bits: int, function: str) -> int:
        """Return the seed of the next generator that is made without one, in the order in which
        this process makes them."""
        made = self._made.get(library)
        if made is None:
            branch = Branch(self._root, "entropy", self._path, library)
            made = self._made.setdefault(library, (count(), branch))  # whole, as seen by threads
        self.unseeded_sites.note(function, None, "derived")
        if get_ident() != self._thread:
            self.gap(
                "generators without a seed were made in several threads: which gets which stream "
                "depends on scheduling"
            )
        return made[1].derive(next(made[0]), bits=bits)

    def system(self, size: int) -> bytes:
        """Return the next bytes that stand for what the system would give (REPRO_ENTROPY=lock)."""
        made = self._made.get("system")
        if made is None:
            branch = Branch(self._root, "entropy", self._path, "system")
            made = self._made.setdefault("system", (count(), branch))
        number = next(made[0])
        blocks = [
            made[1].derive(number, block, bits=256).to_bytes(32, "big")
            for block in range(-(-size // 32))
        ]
        return b"".join(blocks)[:size]

    def gap(self, text: str) -> None:
        """Note once what can't be repeated."""
        if text not in self.gaps:
            self.gaps.append(text)

    def _suspect(self, site: "Site", given: object) -> None:
        what = looks_measured(given, site.where.rpartition(":")[0])
        if what:
            self.gap(f"{site.where} seeds with {what}: {site.function}({shown(given)})")


class own:  # noqa: N801 - read as a word: with own():
    """A block in which seeds that are set are seedlock's own, not the user's."""

    __slots__ = ("_token",)

    def __enter__(self) -> None:
        self._token: Token[dict[str, object]] = _mode.set(OWN)

    def __exit__(
        self,
        kind: "type[BaseException] | None",
        problem: BaseException | None,
        trace: "TracebackType | None",
    ) -> None:
        _mode.reset(self._token)


def begin_fixed() -> "Fixed":
    """Honour seeds as written from here on, until `end_fixed`."""
    states: dict[str, object] = {}
    return _mode.set(states), states


def end_fixed(block: "Fixed") -> dict[str, object]:
    """Go back to the policy; return the states from before of the main generators that the
    block seeded, by library."""
    token, states = block
    try:
        _mode.reset(token)
    except ValueError:
        pass  # a generator that another task or thread ends: the block is not in force there
    return states


def canonical(given: object) -> tuple[str | int, ...]:
    """Return a seed of any type as a path. Equal paths, equal streams:

    - an integer, a truth value and an integer scalar of any library are the integer they stand
      for, so 1, True and numpy.int64(1) are one seed;
    - 1, 1.0, "1" and b"1" are four, as are "" and b"";
    - bytes, bytearray and memoryview with equal bytes are one;
    - a list, a tuple, a range and an array with equal parts are one; [1], 1 and [[1]] are three;
    - anything else is its type's name and its repr().
    """
    if isinstance(given, str):
        return ("text", given)
    if isinstance(given, (bytes, bytearray, memoryview)):
        return ("bytes", bytes(given).hex())
    tolist = getattr(given, "tolist", None)  # arrays, tensors and their scalars
    if tolist is not None:
        given = tolist()
    index = getattr(type(given), "__index__", None)
    if index is not None:
        try:
            number = int(index(given))
        except TypeError:
            pass  # an array has the method, whatever its shape
        else:
            # Python may refuse to write larger ones in decimal digits.
            return (number,) if number.bit_length() <= LONG else ("hex", f"{number:x}")
    if isinstance(given, (list, tuple, range)):
        path: list[str | int] = ["list", len(given)]
        for part in given:
            path += canonical(part)
        return tuple(path)
    return ("object", type(given).__name__, repr(given))


def looks_measured(given: object, file: str = "") -> str:
    """Tell whether a seed looks like a clock's time or this process's id; empty if not.

    Times are recognised in whole and parts of seconds down to 1e-9, and cut to 32 or 31 bits
    where the clock was read a moment ago: the finer the unit, the shorter that moment, so that
    an arbitrary number is taken for a time once in a thousand.

    Args:
        given: the seed.
        file: the author's file that gives it. Small process ids, common in containers and as
            seeds, count only where it mentions them.
    """
    if isinstance(given, float):
        number = int(given) if abs(given) < 1e30 else 0
    else:
        parts = canonical(given)
        if len(parts) > 1 or isinstance(parts[0], str):
            return ""
        number = parts[0]
    if number in (os.getpid(), os.getppid()) and (number >= SMALL or _mentions(file, "getp")):
        return "a process id"
    now = time.time_ns()
    if any(abs(number - now // part) < DAY // part for part in PARTS):
        return "a clock"
    up = time.monotonic_ns()
    if any(0 <= up // part - number < MOMENT // part for part in PARTS if number >= COMMON):
        return "a clock"
    if number >= COMMON:
        for part, moment in CUT.items():
            for bits in (32, 31):
                if number < 2**bits and (now // part - number) % 2**bits < moment // part:
                    return "a clock"
    return ""


def _mentions(file: str, word: str) -> bool:
    from linecache import getlines  # costs a start 2 ms

    return any(word in line for line in getlines(file))


def in_own_block() -> bool:
    """Tell whether seedlock itself is setting seeds at the moment."""
    return _mode.get() is OWN
