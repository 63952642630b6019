"""What becomes of a seed that user code sets itself, and of a generator that gets none.

The one policy behind every way in which a library is seeded (REPRO_USER_SEEDS):
`torch.manual_seed(42)` becomes the seed of the path user, torch, 42 under the root seed. Equal
seeds of the author's give equal streams, in every process of the run, and different ones
different streams.
"""

import os
import time
from _operator import index
from _thread import get_ident
from contextvars import ContextVar
from itertools import count

from seedlock.callers import Sites
from seedlock.derivation import Branch

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from contextvars import Token
    from types import TracebackType

    from seedlock.callers import Site

POLICY: dict[str, object] = {}
OWN: dict[str, object] = {}
_mode: ContextVar[dict[str, object]] = ContextVar("seedlock_mode", default=POLICY)
"""Whose seeds are being set: the user's by policy, seedlock's own, or, in a block of fixed(),
the user's as written; then the value holds the generators' states from before."""

DAY = 86400.0


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
        self._entropy = Branch(self._root, "entropy", path)
        self._made: dict[str, Iterator[int]] = {}
        self._thread = get_ident()

    def choose(
        self, library: str, given: object, bits: int, function: str, main: bool = True
    ) -> int | None:
        """Decide on a seed that user code gives.

        Args:
            library: name in the registry.
            given: the seed as it was given, of whatever type.
            bits: size of the seed that the library takes.
            function: what was called, for the report, where no frame of a library tells.
            main: whether the library's main generator is seeded, not one of the user's own.

        Returns:
            The seed to use, 0 to 2**bits - 1; None to use the given one as it is.

        Raises:
            UserSeedRefused: the policy is to refuse.
        """
        mode = _mode.get()
        if mode is OWN:
            return None
        policy = self.policy
        if mode is not POLICY:
            policy = "fixed"
            if main and library not in mode:
                mode[library] = None  # reading a state must not come back here
                mode[library] = self._state_of(library)
        site = self.sites.note(function, given, policy)
        if site is not None:
            self._suspect(site, given)
        if policy == "mix":
            return self.mixed(library, given, bits)
        if policy == "refuse":
            from seedlock.errors import UserSeedRefused

            raise UserSeedRefused(
                f"{function} was given the seed {given!r}; allowed under REPRO_USER_SEEDS=refuse: "
                "none; take the line out, put it into `with seedlock.fixed():`, or set "
                "REPRO_USER_SEEDS=mix"
            )
        return None

    def mixed(self, library: str, given: object, bits: int) -> int:
        """Return what `given` becomes under the root seed: the path user, library, given."""
        branch = self._users.get(library)
        if branch is None:
            branch = self._users[library] = Branch(self._root, "user", library)
        if type(given) is int:
            return branch.derive(given, bits=bits)
        return branch.derive(*canonical(given), bits=bits)

    def unseeded(self, library: str, bits: int, function: str) -> int:
        """Return the seed of the next generator that is made without one, in the order in which
        this process makes them."""
        made = self._made.get(library)
        if made is None:
            made = self._made[library] = count()
        self.unseeded_sites.note(function, None, "derived")
        if get_ident() != self._thread:
            self.gap(
                "generators without a seed were made in several threads: which gets which stream "
                "depends on scheduling"
            )
        return self._entropy.derive(library, next(made), bits=bits)

    def gap(self, text: str) -> None:
        """Note once what can't be repeated."""
        if text not in self.gaps:
            self.gaps.append(text)

    def _suspect(self, site: "Site", given: object) -> None:
        what = looks_measured(given)
        if what:
            self.gap(f"{site.where} seeds with {what}: {site.function}({given!r})")


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


def begin_fixed() -> "Token[dict[str, object]]":
    """Honour seeds as written from here on, until `end_fixed`."""
    return _mode.set({})


def end_fixed(token: "Token[dict[str, object]]") -> dict[str, object]:
    """Go back to the policy; return the states from before of the main generators that the
    block seeded, by library."""
    states = _mode.get()
    _mode.reset(token)
    return states


def canonical(given: object) -> tuple[str | int, ...]:
    """Return a seed of any type as a path: equal seeds, equal path."""
    try:
        return (int(index(given)),)  # type: ignore[arg-type]
    except TypeError:
        pass  # arrays have the method too, and it takes those with one integer only
    if isinstance(given, str):
        return ("text", given)
    if isinstance(given, (bytes, bytearray, memoryview)):
        return ("bytes", bytes(given).hex())
    tolist = getattr(given, "tolist", None)  # arrays and tensors
    if tolist is not None:
        given = tolist()
        if isinstance(given, int):
            return (given,)
    if isinstance(given, (list, tuple, range)):
        path: list[str | int] = ["list", len(given)]
        for part in given:
            path += canonical(part)
        return tuple(path)
    return (type(given).__name__, repr(given))


def looks_measured(given: object) -> str:
    """Tell whether a seed looks like the time or this process's id; empty if not."""
    if isinstance(given, bool) or not isinstance(given, (int, float)):
        return ""
    if given > 1 and given in (os.getpid(), os.getppid()):
        return "a process id"
    now = time.time()
    if any(abs(given - now * unit) < DAY * unit for unit in (1, 10**3, 10**6, 10**9)):
        return "a clock"
    return ""


def in_own_block() -> bool:
    """Tell whether seedlock itself is setting seeds at the moment."""
    return _mode.get() is OWN
