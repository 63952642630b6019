"""What becomes of a seed that user code sets itself, and of a generator that gets none.

The one policy behind every way in which a library is seeded (REPRO_USER_SEEDS):
`torch.manual_seed(42)` becomes the seed of the path user, torch, 42 under the root seed. Equal
seeds of the author's give equal streams, in every process of the run, and different ones
different streams.
"""

import os
import sys
from _thread import get_ident
from itertools import count

from seedlock.branches import Branch
from seedlock.callers import Sites, importing, shown
from seedlock.seed_values import LONG, canonical, looks_measured
from seedlock.stand_ins import OWN, POLICY, mode

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from contextvars import Token

    from seedlock.callers import Caller, Site
    from seedlock.trace import Trace

    StateOf = Callable[[str], object]
    Fixed = tuple[Token[dict[str, object]], dict[str, object]]

SEVERAL_THREADS = "generators without a seed were made in several threads, in no fixed order"
DRAWN_IN_THREADS = "bytes in the place of the system's were drawn in several threads, in no order"

MODULES = {"python": "random"}
"""Packages of libraries that are not named after them."""


def _from_system(bits: int) -> int:
    # The function itself: what `os` holds by now counts the program's calls.
    urandom: Callable[[int], bytes] = getattr(os.urandom, "__wrapped__", os.urandom)
    return int.from_bytes(urandom(-(-bits // 8)), "big") >> (-bits % 8)


_watchers: "list[Callable[[bool], None]]" = []


class UserSeeds:
    """The policy of one process.

    Attributes:
        root: root seed, 0 to 2**64 - 1.
        policy: one of `settings.USER_SEED_POLICIES`.
        watches: whether nothing is decided, at level watch.
        sites: call sites of seeds that user code set.
        unseeded_sites: call sites of generators that got none.
        gaps: what can't be repeated, as it is found.
        path: place in the family of processes and tasks, without rank 0.
        trace: where each seed is written down as well, if anywhere.
    """

    trace: "Trace | None" = None

    def __init__(self, root: int, policy: str, state_of: "StateOf", watches: bool = False) -> None:
        self.policy = "keep" if watches else policy
        self.watches = watches
        self.sites = Sites()
        self.unseeded_sites = Sites()
        self.gaps: list[str] = []
        self.root = root
        self._state_of = state_of
        self._users: dict[str, Branch] = {}
        self.enter("")

    def enter(self, path: str, thread: int | None = None) -> None:
        """Take a place in the family of processes and tasks: count anew from it.

        Args:
            path: the place.
            thread: the one whose generators need no order among threads; None for this one.
        """
        self.path = path
        self._made: dict[str, tuple[Iterator[int], Branch]] = {}
        self._thread = thread or get_ident()
        self._last: dict[int, tuple[Site, bool]] = {}

    def choose(
        self,
        library: str,
        given: object,
        bits: int,
        function: str,
        main: bool = True,
        written: object = None,
        caller: "Caller | None" = None,
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
            caller: who gave it, where the library put the call off.

        Returns:
            The seed to use, 0 to 2**bits - 1; None to use the given one as it is.

        Raises:
            UserSeedRefused: the policy is to refuse.
        """
        if not self.mixes(library, given, function, main, written, caller):
            return None
        return self.mixed(library, given, bits)

    def mixes(
        self,
        library: str,
        given: object,
        function: str,
        main: bool = True,
        written: object = None,
        caller: "Caller | None" = None,
    ) -> bool:
        """Note a seed that user code gives, as `choose` does; return whether the root seed decides
        it too, for a library that has its own way to mix the two.

        Raises:
            UserSeedRefused: the policy is to refuse.
        """
        current = mode.get()
        policy = self.policy
        if current is not POLICY:
            if current is OWN:
                return False
            policy = "fixed"
            if main and library not in current and not self.watches:
                current[library] = None  # reading a state must not come back here
                current[library] = self._state_of(library)
        elif policy == "refuse":
            imports = caller.importing if caller is not None else importing(sys._getframe(1))
            policy = "keep" if imports else policy
        written = given if written is None else written
        site, new = self.sites.met(function, written, policy, caller)
        if new:
            self._suspect(site, given)
        if self.trace is not None:
            self.trace.event("seed", site.function, site.where, shown(written))
        if policy == "refuse":
            from seedlock.errors import UserSeedRefused

            raise UserSeedRefused(
                f"{function} was given the seed {shown(given)}; allowed under "
                "REPRO_USER_SEEDS=refuse: none; take the line out, put it into "
                "`with seedlock.fixed():`, or set REPRO_USER_SEEDS=mix"
            )
        return policy == "mix"

    def decides(self) -> bool:
        """Tell whether the outside seed is mixed into seeds here: no under the policy keep, in a
        block of fixed(), and where seedlock sets seeds itself."""
        return self.policy != "keep" and mode.get() is POLICY

    def mixed(self, library: str, given: object, bits: int) -> int:
        """Return what `given` becomes under the root seed: the path user, library, given."""
        branch = self._users.get(library)
        if branch is None:
            branch = self._users[library] = Branch(self.root, "user", library)
        if type(given) is int and given.bit_length() <= LONG:
            return branch.derive(given, bits=bits)
        return branch.derive(*canonical(given), bits=bits)

    def unseeded(self, library: str, bits: int, function: str) -> int:
        """Return the seed of the next generator that is made without one.

        The author's are numbered in the order in which this process or task makes them, another
        library's apart: tempfile makes one in whichever task of a worker needs it first.
        """
        site, _ = self.unseeded_sites.met(function, None, "derived")
        if not site.kind:
            itself = site.package in ("", MODULES.get(library, library))
            site.kind = library if itself else f"{library} {site.package}"
        thread = get_ident()
        self._last[thread] = (site, thread != self._thread and self.gap(SEVERAL_THREADS))
        number, branch = self._next(site.kind)
        seed = _from_system(bits) if self.watches else branch.derive(number, bits=bits)
        if self.trace is not None:
            self.trace.event("unseeded", site.function, site.where, str(seed))
        return seed

    def author_made(self) -> bool:
        """Tell whether the author's code made generators without a seed in this place."""
        return any(" " not in kind for kind in self._made if kind != "system")

    def system(self, size: int) -> bytes:
        """Return the next bytes that stand for what the system would give (REPRO_ENTROPY=lock)."""
        number, branch = self._next("system")
        if get_ident() != self._thread:
            self.gap(DRAWN_IN_THREADS)
        words = [branch.derive(number, at, bits=256) for at in range(-(-size // 32))]
        return b"".join([word.to_bytes(32, "big") for word in words])[:size]

    def _next(self, kind: str) -> tuple[int, Branch]:
        made = self._made.get(kind)
        if made is None:
            made = self._made.setdefault(kind, (count(), self._branch(kind)))  # whole, for threads
        return next(made[0]), made[1]

    def _branch(self, kind: str) -> Branch:
        return Branch(self.root, "entropy", self.path, *kind.split(" "))

    def positions(self) -> dict[str, int]:
        """Return how many generators without a seed there were, by library and maker."""
        found = {kind: read(made)[0] for kind, (made, _) in list(self._made.items())}
        self.go_on_from(found)
        return found

    def go_on_from(self, positions: dict[str, int]) -> None:
        """Count on from what `positions` returned."""
        self._made = {
            kind: (count(number), self._branch(kind)) for kind, number in positions.items()
        }

    def withdraw(self) -> None:
        """Take back the note of this thread's last unseeded generator: it gets a seed after all."""
        site, gap = self._last.pop(get_ident(), (None, False))
        if site is not None:
            site.count -= 1
            if self.trace is not None:
                self.trace.take_back()
        if gap:
            self.gaps.remove(SEVERAL_THREADS)

    def gap(self, text: str) -> bool:
        """Note once what can't be repeated; return whether it is new."""
        new = text not in self.gaps
        if new:
            self.gaps.append(text)
        return new

    def _suspect(self, site: "Site", given: object) -> None:
        what = looks_measured(given, site.where.rpartition(":")[0])
        if what:
            self.gap(f"{site.where} seeds with {what}: {site.function}({shown(given)})")


def begin_fixed() -> "Fixed":
    """Honour seeds as written from here on, until `end_fixed`."""
    states: dict[str, object] = {}
    token = mode.set(states)
    _tell_watchers()
    return token, states


def end_fixed(block: "Fixed") -> dict[str, object]:
    """Go back to the policy; return the states from before of the main generators that the
    block seeded, by library."""
    token, states = block
    try:
        mode.reset(token)
    except ValueError:
        pass  # a generator that another task or thread ends: the block is not in force there
    _tell_watchers()
    return states


def is_innermost(block: "Fixed") -> bool:
    """Tell whether a block is the one that is in force in this thread or task."""
    return mode.get() is block[1]


def read(counter: "Iterator[int]") -> "tuple[int, Iterator[int]]":
    """Return the next number of a counter and a counter that stands there still."""
    number = next(counter)
    return number, count(number)


def watch_fixed(watcher: "Callable[[bool], None]") -> None:
    """Call `watcher` in each thread that enters or leaves a block of fixed(), with whether it is
    in one then; and now, if it is."""
    _watchers.append(watcher)
    if in_fixed_block():
        watcher(True)


def _tell_watchers() -> None:
    fixed = in_fixed_block()
    for watcher in _watchers:
        watcher(fixed)


def in_fixed_block() -> bool:
    """Tell whether seeds count as written at the moment, by fixed()."""
    current = mode.get()
    return current is not POLICY and current is not OWN
