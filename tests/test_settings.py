"""settings.py: the environment, checked and frozen."""

from __future__ import annotations

import pytest

from seedlock.errors import BadSetting, printable
from seedlock.settings import Settings, parse_seed


def test_defaults() -> None:
    """A seed alone gives level strict, derived streams and no report."""
    settings = Settings({"REPRO_SEED": "7"})

    assert settings.as_dict() == {
        "seed": 7,
        "level": "strict",
        "threads": None,
        "spinning_threads": None,
        "streams": "derived",
        "lock": "refuse",
        "tf32": "keep",
        "report": None,
        "lock_file": None,
        "hash_seed": None,
        "user_seeds": "mix",
        "entropy": "count",
        "entropy_allow": None,
        "trace": None,
        "trace_steps": None,
        "trace_values": 0,
        "reads": False,
        "least_driver": None,
        "lineage": "",
        "giver": "",
        "rank": None,
    }


def test_a_window_of_steps_keeps_values() -> None:
    """256 MiB with REPRO_TRACE_STEPS, none without, and what REPRO_TRACE_VALUES says."""
    asked = {"REPRO_SEED": "7", "REPRO_REPORT": "r", "REPRO_TRACE": "op"}
    window = {**asked, "REPRO_TRACE_STEPS": "12:14"}

    assert Settings(asked).trace_values == 0
    assert (Settings(window).trace_steps, Settings(window).trace_values) == ((12, 14), 256)
    assert Settings({**window, "REPRO_TRACE_VALUES": "3"}).trace_values == 3


def test_settings_are_immutable() -> None:
    """What was asked for can't be changed afterwards."""
    settings = Settings({"REPRO_SEED": "7"})

    with pytest.raises(AttributeError, match="immutable"):
        settings.seed = 8


@pytest.mark.parametrize(("text", "seed"), [("0", 0), ("18446744073709551615", 2**64 - 1)])
def test_the_ends_of_the_range_are_allowed(text: str, seed: int) -> None:
    """Seeds run from 0 to 2**64 - 1."""
    assert parse_seed(text) == seed


@pytest.mark.parametrize(
    ("given", "threads"),
    [({}, (4, 1)), ({"REPRO_THREADS": "4"}, (4, 4)), ({"REPRO_THREADS": "1024"}, (1024, 1024))],
)
def test_level_portable_fixes_the_number_of_threads(
    given: dict[str, str], threads: tuple[int, int]
) -> None:
    """Four, one where threads wait by spinning, unless a number is asked for."""
    settings = Settings({"REPRO_SEED": "7", "REPRO_LEVEL": "portable", **given})

    assert (settings.threads, settings.spinning_threads) == threads


def test_an_error_says_what_given_allowed_and_cure() -> None:
    """One line names the variable, its value, what is allowed, how to cure it, and the slug."""
    with pytest.raises(BadSetting) as caught:
        Settings({"REPRO_SEED": "7", "REPRO_LEVEL": "tight"})

    assert str(caught.value) == (
        "REPRO_LEVEL is 'tight'; allowed: seed, warn, strict, portable, watch; "
        "set it like REPRO_LEVEL=strict or unset it [docs/messages.md#bad-level]"
    )


@pytest.mark.parametrize(
    ("text", "shown"),
    [("a\nb\tc", "a?b?c"), ("\u0667", "??"), ("\udc80", "?"), ("x" * 50, "x" * 40)],
)
def test_a_bad_value_is_shown_in_one_printable_line(text: str, shown: str) -> None:
    """No value breaks the line or the terminal."""
    assert printable(text) == shown
