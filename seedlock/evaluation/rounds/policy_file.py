"""`policy.toml`: an organiser's file, read and checked."""

from __future__ import annotations

import os
import re
import sys
from datetime import datetime, timedelta, timezone
from typing import TYPE_CHECKING, Any

from seedlock.errors import BadPolicy, BadSetting, printable
from seedlock.evaluation.data.data_lock import NAME as SET_NAME
from seedlock.evaluation.recording.metrics import DIRECTIONS, Metric
from seedlock.evaluation.rounds import beacon
from seedlock.evaluation.rounds.canonical import DIGEST, stamp
from seedlock.evaluation.rounds.policy import (
    COMPARE,
    FAILED,
    INDEPENDENT,
    MOST_RETRIES,
    MOST_SEEDS,
    NAMED,
    NAMES,
    PRIVATE,
    PSEUDONYMS,
    TRAINERS,
    Policy,
)
from seedlock.evaluation.sealing import limits
from seedlock.metrics import LONGEST_NAME
from seedlock.settings import STRICT

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

if TYPE_CHECKING:
    from pathlib import Path

NAME = "policy.toml"

LARGEST = 1 << 20
"""Bytes of a file that is read at all."""

VOID_AFTER = timedelta(days=365)
"""From the deadline to `reveal_by`, where the policy does not say."""

KEYS = {
    "name", "seeds", "deadline", "reveal_by", "retries", "level", "train", "beacon", "image",
    "data", "metrics", "limits", "scores", "spot_checks", "private",
}  # fmt: skip

OWN = {"network", "round", "public_key", "genesis", "period"}


def read(path: Path) -> Policy:
    """Return the policy in a file.

    Raises:
        BadPolicy: it is missing, can't be read, or says what is not allowed.
    """
    try:
        if path.stat().st_size > LARGEST:
            raise _Wrong("the whole", "larger than 1 MiB", "a file of some lines").at(path)
        raw = path.read_bytes()
    except OSError as problem:
        raise BadPolicy(
            f"{printable(str(path), 200)} can't be read: {os.strerror(problem.errno or 5)}; "
            "allowed: a policy; docs/rounds.md has one to copy"
        ) from problem
    return parse(path, raw)


def parse(path: Path, raw: bytes) -> Policy:
    """Return the policy in a file's bytes.

    Args:
        path: for errors.
        raw: what the file holds.

    Raises:
        BadPolicy: it is no TOML or says what is not allowed.
    """
    try:
        return _policy(tomllib.loads(raw.decode("utf-8")))
    except (ValueError, RecursionError) as problem:  # also of integers that int() or str() refuses
        raise BadPolicy(
            f"{printable(str(path), 200)} is not TOML: {printable(str(problem), 120)}; "
            "allowed: TOML 1.0 in UTF-8; docs/rounds.md has one to copy"
        ) from problem
    except _Wrong as wrong:
        raise wrong.at(path) from wrong


class _Wrong(Exception):
    """A key says what is not allowed."""

    def __init__(self, key: str, given: object, allowed: str) -> None:
        shown = "missing" if given is None else f"'{printable(str(given), 60)}'"
        super().__init__(f"{printable(key, 60)} is {shown}; allowed: {allowed}")

    def at(self, path: Path) -> BadPolicy:
        """Return the error that names the file."""
        return BadPolicy(f"{printable(str(path), 200)}: {self}; docs/rounds.md has one to copy")


def _policy(given: dict[str, Any]) -> Policy:
    _only("", given, KEYS)
    name = given.get("name")
    if not isinstance(name, str) or not NAMES.fullmatch(name):
        raise _Wrong("name", name, "letters, digits, dots, dashes and underscores, up to 100")
    deadline = _moment("deadline", given.get("deadline"))
    reveal_by = _moment("reveal_by", given.get("reveal_by", deadline + VOID_AFTER))
    network, number = _beacon(given.get("beacon"))
    if network is not None and number is not None:
        due = network.time_of(number)
        if due <= deadline:
            first = network.first_after(deadline)
            raise _Wrong("beacon.round", number, f"{first} or later: it comes after the deadline")
        if reveal_by <= due:
            raise _Wrong("reveal_by", stamp(reveal_by), f"later than {stamp(due)}, the beacon's")
    if reveal_by <= deadline:
        raise _Wrong("reveal_by", stamp(reveal_by), "a moment after the deadline")
    train = _choice("train", given.get("train", "organiser"), TRAINERS)
    private = _choice("private", given.get("private", NAMED), PRIVATE)
    if private == PSEUDONYMS and train == "authors":
        # Their signed records name the submission as its author does.
        raise _Wrong("private", private, f'{NAMED}, where train = "authors"')
    scores = _table("scores", given.get("scores", {}))
    _only("scores.", scores, {"failed", "compare"})
    return Policy(
        name,
        _whole("seeds", given.get("seeds"), 1, MOST_SEEDS),
        deadline,
        reveal_by,
        _whole("retries", given.get("retries", 2), 0, MOST_RETRIES),
        _choice("level", given.get("level", "strict"), STRICT),
        train,
        network,
        number,
        _image(given.get("image")),
        _data(_table("data", given.get("data", {}))),
        _metrics(given.get("metrics")),
        _limits(_table("limits", given.get("limits", {}))),
        _choice("scores.failed", scores.get("failed", "worst"), FAILED),
        _fraction(given.get("spot_checks"), train),
        _choice("scores.compare", scores.get("compare", INDEPENDENT), COMPARE),
        private,
    )


def _moment(key: str, given: object) -> datetime:
    allowed = "a moment with its offset, without parts of a second, as 2026-12-01T12:00:00Z"
    if not isinstance(given, datetime) or given.tzinfo is None or given.microsecond:
        raise _Wrong(key, given, allowed)
    if not 1971 <= given.year <= 9000:
        raise _Wrong(key, given, "a year from 1971 to 9000")
    return given.astimezone(timezone.utc)


def _beacon(given: object) -> tuple[beacon.Network | None, int | None]:
    if given == "none":
        return None, None
    if not isinstance(given, dict):
        raise _Wrong("beacon", given, 'a table [beacon], or beacon = "none"')
    name = given.get("network")
    own = name != beacon.QUICKNET.name
    _only("beacon.", given, OWN if own else {"network", "round"})
    number = _whole("beacon.round", given.get("round"), 1, beacon.MOST_ROUNDS)
    network = beacon.QUICKNET
    if own:
        if not isinstance(name, str) or not NAMES.fullmatch(name):
            allowed = "quicknet, or a name with public_key, genesis and period"
            raise _Wrong("beacon.network", name, allowed)
        key = given.get("public_key")
        if not isinstance(key, str) or not beacon.PUBLIC_KEY.fullmatch(key):
            allowed = "192 hexadecimal digits, small ones; quicknet needs none"
            raise _Wrong("beacon.public_key", key, allowed)
        network = beacon.Network(
            name, key, _whole("beacon.genesis", given.get("genesis"), 0, 2**40),
            _whole("beacon.period", given.get("period"), 1, 2**31),
        )  # fmt: skip
        if not beacon.usable(network):
            raise _Wrong("beacon.public_key", key, "a point of G2 that is a key")
    try:
        late = network.time_of(number).year > 9000
    except ValueError:
        late = True
    if late:
        raise _Wrong("beacon.round", number, "one that comes before the year 9000")
    return network, number


def _image(given: object) -> dict[str, str | None] | None:
    if given is None:
        return None
    table = _table("image", given)
    _only("image.", table, {"name", "lock"})
    name, lock = table.get("name"), table.get("lock")
    if not isinstance(name, str) or not name or not name.isprintable() or name.startswith("-"):
        raise _Wrong("image.name", name, "an image's name")
    if lock is not None:
        _digest("image.lock", lock)
    return {"name": name, "lock": lock}


def _data(given: dict[str, Any]) -> dict[str, str]:
    for name, digest in given.items():
        if not re.fullmatch(SET_NAME, name):
            raise _Wrong("data", name, "names of sets as in data.lock")
        _digest(f"data.{name}", digest)
    return dict(given)


def _metrics(given: object) -> tuple[Metric, ...]:
    if not isinstance(given, dict) or not given:
        raise _Wrong("metrics", given, "a table for each metric, as [metrics.accuracy]")
    found = []
    for name, each in given.items():
        if not name.isprintable() or not 0 < len(name) <= LONGEST_NAME:
            raise _Wrong("metrics", name, f"names of 1 to {LONGEST_NAME} printable characters")
        table = _table(f"metrics.{name}", each)
        _only(f"metrics.{name}.", table, {"direction", "unit"})
        unit = table.get("unit", "")
        if not isinstance(unit, str) or not (unit.isprintable() or not unit):
            raise _Wrong(f"metrics.{name}.unit", unit, "printable characters")
        direction = _choice(f"metrics.{name}.direction", table.get("direction"), DIRECTIONS)
        found.append(Metric(name, direction, unit))
    return tuple(sorted(found, key=lambda each: each.name))


def _limits(given: dict[str, Any]) -> limits.Limits:
    for name, value in given.items():
        if not isinstance(value, (str, int, float)) or isinstance(value, bool):
            raise _Wrong(f"limits.{name}", value, 'a text or a number, as "8g" or 2')
        if name not in limits.NAMES:
            raise _Wrong(f"limits.{name}", "there", f"the keys {', '.join(limits.NAMES)}")
        try:
            limits.parse({name: str(value)})
        except BadSetting as problem:
            allowed = "a limit as in submission.toml (docs/submission.md)"
            raise _Wrong(f"limits.{name}", value, allowed) from problem
    return limits.parse({name: str(value) for name, value in given.items()})


def _fraction(given: object, train: str) -> str:
    if given is None:
        return "0"
    if train != "authors":
        raise _Wrong("spot_checks", given, 'none, unless train = "authors"')
    if isinstance(given, bool) or not isinstance(given, (int, float)) or not 0 <= given <= 1:
        raise _Wrong("spot_checks", given, "a number from 0 to 1, as 0.1")
    return f"{given:.6f}".rstrip("0").rstrip(".")


def _whole(key: str, given: object, least: int, most: int) -> int:
    if type(given) is not int or not least <= given <= most:
        raise _Wrong(key, given, f"a whole number from {least} to {most}")
    return given


def _choice(key: str, given: object, allowed: tuple[str, ...]) -> str:
    if not isinstance(given, str) or given not in allowed:
        raise _Wrong(key, given, " or ".join(allowed))
    return given


def _digest(key: str, given: object) -> None:
    if not isinstance(given, str) or not DIGEST.fullmatch(given):
        raise _Wrong(key, given, "sha256: and 64 hexadecimal digits, small ones")


def _table(key: str, given: object) -> dict[str, Any]:
    if not isinstance(given, dict):
        raise _Wrong(key, given, "a table")
    return given


def _only(where: str, table: dict[str, Any], known: set[str]) -> None:
    for key in table:
        if key not in known:
            raise _Wrong(f"{where}{key}", "there", f"the keys {', '.join(sorted(known))}")
