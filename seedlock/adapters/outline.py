"""The methods that each adapter has, in their order.

For mypy alone, and for whoever writes an adapter: loaded in no process, since an import of NumPy
would pay as much for it as for a module with code.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from seedlock.settings import Settings
    from seedlock.user_seeds import UserSeeds


class Outline(ABC):
    """What a library's adapter implements; `seedlock.adapters` calls it in its sequence."""

    @abstractmethod
    def environment(self, settings: Settings) -> dict[str, str]:
        """Return the variables that must stand before the library is imported."""

    @abstractmethod
    def intercept(self, module: Any, policy: UserSeeds) -> None:
        """Put the policy at every way in which user code seeds the library.

        Args:
            module: each of `entrances`, just imported; where there are none, the module that
                holds the generators.
            policy: what is asked at each call (`choose`, `unseeded`).
        """

    @abstractmethod
    def seed(self, module: Any, seed: int) -> None:
        """Set the library's main generators.

        Args:
            module: the module that holds the generators.
            seed: seed of the library's stream, within the range in `derivation.STREAMS`.
        """

    @abstractmethod
    def set_deterministic(self, module: Any, settings: Settings) -> None:
        """Set the determinism flags that the level asks for."""

    @abstractmethod
    def flags(self, module: Any) -> dict[str, object]:
        """Read the determinism flags back."""

    @abstractmethod
    def state(self, module: Any) -> object:
        """Return the state of all generators as JSON can hold it; None if it can't be read.

        Raises:
            BadState: not at this moment; the text says what to do first.
        """

    @abstractmethod
    def restore(self, module: Any, state: Any) -> None:
        """Put the generators into a state that `state` returned."""

    @abstractmethod
    def gaps(self, settings: Settings) -> list[str]:
        """Return what the library cannot do at this level."""
