"""PYTHONHASHSEED, which must stand before the interpreter starts, and addresses, which must not be
random: the order of sets follows both.

CPython reads PYTHONHASHSEED once, so a process that was started with another value is started
again, in place, with the command line it had (`sys.orig_argv`).
"""

from __future__ import annotations

import os
import sys

from seedlock.derivation import stream_seed
from seedlock.settings import HASH_SEED_NOTE, RESTARTED
from seedlock.trial_imports import import_adapters

TYPE_CHECKING = False  # typing would cost a program that has no use for it 8 ms
if TYPE_CHECKING:
    from seedlock.errors import HashSeedNotTaken
    from seedlock.settings import Settings

ADDR_NO_RANDOMIZE = 0x0040000
ASK = 0xFFFFFFFF
"""Constants of personality(2)."""

RANDOM_ADDRESSES = (
    "the order of sets of plain objects depends on addresses: address space randomisation could "
    "not be switched off"
)

IGNORED = "PYTHONHASHSEED is ignored under -E and -I: the order of sets of text is not locked"


def hash_seed_variables(settings: Settings) -> dict[str, str]:
    """Return the variables that a process needs before its interpreter starts."""
    value = str(stream_seed(settings.seed, "python.hash", settings.streams))
    return {
        "PYTHONHASHSEED": value,
        HASH_SEED_NOTE: f"{settings.seed} {settings.streams} {value}",
    }


def hash_seed_in_force(settings: Settings) -> bool:
    """Tell whether this interpreter started under the derived PYTHONHASHSEED and took it."""
    wanted = hash_seed_variables(settings)["PYTHONHASHSEED"]
    return settings.hash_seed == wanted and not sys.flags.ignore_environment


def lock_hash_seed(settings: Settings) -> tuple[bool, list[str]]:
    """Make sure that this interpreter hashes text under the derived PYTHONHASHSEED.

    Returns:
        Whether the interpreter was started again for it, and gaps. Does not return when it has
        to start again: the process image is replaced.

    Raises:
        HashSeedNotTaken: the interpreter was started again and still has another value.
    """
    restarted = os.environ.pop(RESTARTED, "") == str(os.getpid())
    variables = hash_seed_variables(settings)
    if hash_seed_in_force(settings):
        os.environ.update(variables)
        return restarted, []
    import_adapters()
    if sys.flags.ignore_environment:
        return restarted, [IGNORED]
    if not sys.executable or not sys.orig_argv or not sys.orig_argv[0]:
        return restarted, [
            "an embedded interpreter cannot be started again for PYTHONHASHSEED: "
            "the order of sets of text is not locked"
        ]
    if restarted:
        from seedlock.errors import HashSeedNotTaken

        raise HashSeedNotTaken(
            f"PYTHONHASHSEED is '{settings.hash_seed}' after a restart; "
            f"allowed: {variables['PYTHONHASHSEED']}; remove what sets it before Python starts"
        )
    os.environ.update(variables)
    os.environ[RESTARTED] = str(os.getpid())
    keep_addresses()
    os.execv(sys.executable, [sys.executable, *sys.orig_argv[1:]])


def keep_addresses() -> None:
    """Switch address space randomisation off for the program that this process becomes, where
    the kernel allows it: the order of sets of plain objects follows their addresses.

    Children inherit it. As `setarch -R` does (util-linux; personality(2)).
    """
    from ctypes import CDLL, c_ulong  # loaded only by a process that is about to be another one

    change = getattr(CDLL(None), "personality", None)
    if change is not None:
        change.argtypes = [c_ulong]
        current: int = change(ASK)
        if current != -1:
            change(current | ADDR_NO_RANDOMIZE)


def addresses_are_random() -> bool | None:
    """Tell whether this process's address space is randomised; None where that can't be read."""
    try:
        with open("/proc/self/personality", encoding="ascii") as file:
            personality = int(file.read(), 16)
        with open("/proc/sys/kernel/randomize_va_space", encoding="ascii") as file:
            everywhere = int(file.read())
    except OSError:
        return None
    return everywhere != 0 and not personality & ADDR_NO_RANDOMIZE


def hash_seed_gap(settings: Settings) -> list[str]:
    """Return the gap that remains when the lock comes after the interpreter's start."""
    if hash_seed_in_force(settings):
        return []
    wanted = hash_seed_variables(settings)["PYTHONHASHSEED"]
    return [
        "seedlock.lock() comes too late for PYTHONHASHSEED: the order of sets of text is not "
        f"locked; start Python with PYTHONHASHSEED={wanted} or with REPRO_SEED set"
    ]


def wrong_note(settings: Settings) -> HashSeedNotTaken:
    """Return the error for a `HASH_SEED_NOTE` that is not what the derivation gives."""
    from seedlock.errors import HashSeedNotTaken

    return HashSeedNotTaken(
        f"PYTHONHASHSEED is '{settings.hash_seed}'; allowed: "
        f"{hash_seed_variables(settings)['PYTHONHASHSEED']}; unset {HASH_SEED_NOTE}, "
        "which claims otherwise"
    )
