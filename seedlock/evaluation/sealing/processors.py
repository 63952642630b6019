"""Which processors a sealed run gets: as many as its limit, and none that another one has.

A limit of time alone would let a program see all processors of the machine: it makes a thread for
each, they wait for each other, and since how a sum is split follows the number of threads, its
results would differ between machines under one limit. Bound to processors it sees as many as it
may use (sched_getaffinity(2)): limited to 1 of two processors, PyTorch and JAX made one thread.

Runs side by side, of one seedlock or several, must not be bound to the same ones while others idle.
So each claims its own by a name that the kernel gives to one process of a network namespace at a
time and takes back at its end, however it ends: an abstract Unix socket (unix(7)). Nothing is left
to clean up, and runs of different users see each other's claims. Where there are not enough, those
with the fewest claims are shared.
"""

from __future__ import annotations

import math
import socket
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Collection

ROUNDS = 256
"""How many runs may share a processor before nobody counts any more."""


class Claim:
    """Processors that this process holds until `release`.

    Args:
        wanted: how many; fractions count as one.
        among: numbers of those that may be taken.

    Attributes:
        numbers: those taken, sorted; fewer than wanted where `among` has no more.
    """

    def __init__(self, wanted: float, among: Collection[int]) -> None:
        count = min(math.ceil(wanted), len(among))
        self.numbers: list[int] = []
        self._held: list[socket.socket] = []
        for already in range(ROUNDS):
            for number in sorted(set(among) - set(self.numbers)):
                if len(self.numbers) < count and self._take(number, already):
                    self.numbers.append(number)
            if len(self.numbers) == count:
                break
        else:
            self.numbers += sorted(set(among) - set(self.numbers))[: count - len(self.numbers)]
        self.numbers.sort()

    @property
    def text(self) -> str:
        """The numbers as taskset and engines take them: `0,2`."""
        return ",".join(map(str, self.numbers))

    def release(self) -> None:
        """Give the processors back; more than once does nothing."""
        for each in self._held:
            each.close()
        self._held.clear()

    def _take(self, number: int, already: int) -> bool:
        name = socket.socket(socket.AF_UNIX)
        try:
            name.bind(f"\0seedlock-processor-{number}-{already}")
        except OSError:
            name.close()
            return False
        self._held.append(name)
        return True
