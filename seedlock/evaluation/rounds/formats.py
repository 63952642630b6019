"""The published files of a round, by their formats (docs/rounds.md#files)."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from seedlock.errors import BadRound, printable
from seedlock.evaluation.rounds.beacon import MOST_ROUNDS, SIGNATURE
from seedlock.evaluation.rounds.canonical import DIGEST, HEX_32, canonical, moment, sha256
from seedlock.evaluation.rounds.policy import from_dict
from seedlock.evaluation.rounds.round_files import content_of, raw_of
from seedlock.evaluation.submission.submission_file import NAMES, VISIBILITIES

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

OPENING, FREEZE, DRAW, REVEAL = "opening", "freeze", "draw", "reveal"

STEPS = (OPENING, FREEZE, DRAW, REVEAL)

DOES = {OPENING: "open", FREEZE: "freeze", DRAW: "draw", REVEAL: "reveal"}
"""The command that takes each step."""
"""In their order; each is written to STEP.json with format `seedlock-round-STEP`."""

VERSION = 1
"""Of all four. History: 1, the first."""

CHECKS = "spot_checks"
"""Key of a reveal where authors train: digests of the results of spot checks that were there, the
first one first."""

MOST_SEED = 2**64 - 1

SEED = re.compile(r"0|[1-9][0-9]{0,19}")
"""Seeds stand in files as texts: many readers of JSON round numbers above 2**53."""


def file_of(folder: Path, step: str) -> Path:
    """Return the path of a step's file."""
    return folder / f"{step}.json"


def described(step: str, **content: Any) -> dict[str, Any]:
    """Return a step's file with its format and version."""
    return {"format": f"seedlock-round-{step}", "version": VERSION, **content}


def read(folder: Path, step: str) -> tuple[dict[str, Any], str]:
    """Return the content of a step's file and the digest of its bytes.

    Raises:
        BadRound: it is not there, or not of its format.
    """
    path = file_of(folder, step)
    shown = printable(str(path), 200)
    if not path.exists():
        raise BadRound(
            f"{shown} is not there; allowed: the folder of a round that came so far; say seedlock "
            f"round {DOES[step]} first, or get the file where it was published"
        )
    raw = raw_of(path)
    return parse(path, step, raw), sha256(raw)


def parse(path: Path, step: str, raw: bytes) -> dict[str, Any]:
    """Return the content of a step's file, whatever it is called.

    Args:
        path: for errors.
        step: whose file it is to be, one of `STEPS`.
        raw: its bytes.

    Raises:
        BadRound: it is not of that step's format.
    """
    shown = printable(str(path), 200)
    content = content_of(path, raw)
    expected = f"seedlock-round-{step}"
    if content.get("format") != expected or content.get("version") != VERSION:
        given = f"{content.get('format')} version {content.get('version')}"
        raise BadRound(
            f"{shown} is '{printable(given, 60)}'; allowed: {expected} version {VERSION}; read it "
            "with the seedlock that wrote it"
        )
    keys = KEYS[step]
    known = {**keys, **{key: of for key, of in FURTHER.get(step, {}).items() if key in content}}
    wrong = sorted({*content, *known, "format", "version"} - (content.keys() & known.keys())
                   - {"format", "version"})  # fmt: skip
    wrong += [key for key in known if key not in wrong and not _fits(known[key], content[key])]
    if wrong:
        raise BadRound(
            f"{shown}: {printable(', '.join(wrong), 80)} is missing, unknown or of another form; "
            "allowed: the file as seedlock round wrote it; get it again"
        )
    return content


def leaf(entry: dict[str, Any]) -> bytes:
    """Return a submission as a leaf of the tree: its digest and its name."""
    return canonical({"digest": entry["digest"], "name": entry["name"]})


def _fits(check: Callable[[Any], bool], value: Any) -> bool:
    try:
        return check(value)
    except (ValueError, KeyError, TypeError, AttributeError, OverflowError):
        return False


def _text(pattern: re.Pattern[str]) -> Callable[[Any], bool]:
    return lambda value: isinstance(value, str) and bool(pattern.fullmatch(value))


def _moment(value: Any) -> bool:
    moment(value)
    return True


def _policy(value: Any) -> bool:
    from_dict(value)
    return True


def _entry(value: Any) -> bool:
    return (
        set(value) == {"name", "digest", "visibility"}
        and _text(NAMES)(value["name"])
        and _text(DIGEST)(value["digest"])
        and value["visibility"] in VISIBILITIES
    )


def _entries(value: Any) -> bool:
    return isinstance(value, list) and bool(value) and all(_fits(_entry, each) for each in value)


def _beacon(value: Any) -> bool:
    return value is None or (
        set(value) == {"network", "round", "signature", "randomness"}
        and isinstance(value["network"], str)
        and type(value["round"]) is int
        and 0 < value["round"] <= MOST_ROUNDS
        and _text(SIGNATURE)(value["signature"])
        and _text(HEX_32)(value["randomness"])
    )


def _seeds(value: Any) -> bool:
    return (
        isinstance(value, list)
        and bool(value)
        and all(_text(SEED)(each) and int(each) <= MOST_SEED for each in value)
    )


def _digests(value: Any) -> bool:
    return isinstance(value, list) and all(_text(DIGEST)(each) for each in value)


def _head(value: Any) -> bool:
    return value is None or (
        set(value) == {"events", "head"}
        and type(value["events"]) is int
        and value["events"] >= 0
        and _text(HEX_32)(value["head"])
    )


def _version_text(value: Any) -> bool:
    return isinstance(value, str) and len(value) <= 100


_NAME, _HEX, _DIGEST = _text(NAMES), _text(HEX_32), _text(DIGEST)

KEYS: dict[str, dict[str, Callable[[Any], bool]]] = {
    OPENING: {
        "seedlock": _version_text, "policy": _policy, "policy_digest": _DIGEST,
        "commitment": _HEX, "opened": _moment,
    },
    FREEZE: {
        "round": _NAME, "opening": _DIGEST, "submissions": _entries, "root": _HEX,
        "frozen": _moment, "early": lambda value: isinstance(value, bool),
    },
    DRAW: {
        "round": _NAME, "freeze": _DIGEST, "beacon": _beacon, "seeds_commitment": _HEX,
        "seeds": lambda value: value is None or _seeds(value), "drawn": _moment,
    },
    REVEAL: {
        "round": _NAME, "draw": _DIGEST, "secret": _HEX, "seeds": _seeds, "ledger": _head,
        "revealed": _moment,
    },
}  # fmt: skip
"""What each file holds beside `format` and `version`."""

FURTHER: dict[str, dict[str, Callable[[Any], bool]]] = {REVEAL: {CHECKS: _digests}}
"""What some hold besides."""
