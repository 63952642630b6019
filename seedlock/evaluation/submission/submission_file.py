"""`submission.toml`: what an author hands in, read and checked."""

from __future__ import annotations

import os
import re
import sys
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING, Any

from seedlock.errors import BadSubmission, printable
from seedlock.evaluation.recording.metrics import DIRECTIONS, Metric
from seedlock.metrics import LONGEST_NAME

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

if TYPE_CHECKING:
    from collections.abc import Mapping

NAME = "submission.toml"

VISIBILITIES = ("public", "private")

NAMES = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,99}")
"""Names of submissions: they become names of files and parts of addresses."""

SIGNING_KEYS = re.compile(r"ed25519:[A-Za-z0-9+/]{43}=")

LARGEST = 1 << 20
"""Bytes of a file that is read at all."""

KEYS = {
    "name", "command", "visibility", "image", "data", "metrics", "limits", "signing_key",
}  # fmt: skip

SAMPLE = """\
name = "my-method"
command = ["python", "train.py", "--out", "{output}"]
visibility = "private"          # or "public"
data = "data.lock"              # leave it out if there is none

[image]
dockerfile = "Dockerfile"       # or name = "conference/repro-base", if nothing is added to it

[metrics.accuracy]
direction = "max"               # or "min"
unit = ""

[limits]                        # each may be left out
memory = "8g"
processors = "2"
processes = "512"
time = "1h"
disk = "4g"
"""
"""What the errors and the documents show."""


@dataclass(frozen=True)
class Submission:
    """A submission as its file says it.

    Attributes:
        folder: where the file lies, absolute; the program is there.
        name: of letters, digits, dots, dashes and underscores.
        command: the words of the command; `{output}` becomes the output folder.
        visibility: one of `VISIBILITIES`.
        dockerfile: file below the folder from which the image is built, or None.
        image: name of an image that holds all but the program, or None.
        data: the file that pins the data, or None.
        metrics: the declared ones, at least one.
        limits: texts by their names, as `memory` and `8g`.
        signing_key: public half of the key with which its author signs records, or None
            (docs/spot-checks.md).
    """

    folder: Path
    name: str
    command: tuple[str, ...]
    visibility: str
    dockerfile: Path | None
    image: str | None
    data: Path | None
    metrics: tuple[Metric, ...]
    limits: Mapping[str, str]
    signing_key: str | None = None


def read(folder: Path) -> Submission:
    """Return the submission in a folder.

    Raises:
        BadSubmission: its file is missing, can't be read, or says what is not allowed.
    """
    path = folder / NAME
    try:
        if path.stat().st_size > LARGEST:
            raise _bad(path, "the whole", "larger than 1 MiB", "a file of some lines")
        return _submission(folder, path, tomllib.loads(path.read_text(encoding="utf-8")))
    except OSError as problem:
        raise BadSubmission(
            f"{printable(str(path), 200)} can't be read: {os.strerror(problem.errno or 5)}; "
            f"allowed: a folder with a {NAME}; docs/submission.md has one to copy"
        ) from problem
    except (ValueError, RecursionError) as problem:  # also of integers that int() or str() refuses
        raise BadSubmission(
            f"{printable(str(path), 200)} is not TOML: {printable(str(problem), 120)}; "
            "allowed: TOML 1.0 in UTF-8; docs/submission.md has one to copy"
        ) from problem


def _submission(folder: Path, path: Path, content: dict[str, Any]) -> Submission:
    _only(path, "", content, KEYS)
    name = content.get("name")
    if not isinstance(name, str) or not NAMES.fullmatch(name):
        raise _bad(path, "name", name, "letters, digits, dots, dashes and underscores, up to 100")
    visibility = content.get("visibility")
    if visibility not in VISIBILITIES:
        raise _bad(path, "visibility", visibility, " or ".join(VISIBILITIES))
    dockerfile, image = _image(folder, path, content.get("image"))
    data = content.get("data")
    return Submission(
        folder,
        name,
        _command(path, content.get("command")),
        visibility,
        dockerfile,
        image,
        None if data is None else _file(folder, path, "data", data),
        _metrics(path, content.get("metrics")),
        _limits(path, content.get("limits", {})),
        _signing_key(path, content.get("signing_key")),
    )


def _command(path: Path, given: Any) -> tuple[str, ...]:
    words = isinstance(given, list) and bool(given) and all(
        isinstance(word, str) and word and "\0" not in word for word in given
    )  # fmt: skip
    if not words:
        allowed = 'a list of words, as ["python", "train.py"]'
        raise _bad(path, "command", given, allowed)
    return tuple(given)


def _image(folder: Path, path: Path, given: Any) -> tuple[Path | None, str | None]:
    allowed = 'a table with either dockerfile = "Dockerfile" or name = "IMAGE"'
    if not isinstance(given, dict) or set(given) not in ({"dockerfile"}, {"name"}):
        raise _bad(path, "image", given, allowed)
    if "dockerfile" in given:
        return _file(folder, path, "image.dockerfile", given["dockerfile"]), None
    name = given["name"]
    # What docker takes for an option is no image.
    if not isinstance(name, str) or not name.isprintable() or not name or name.startswith("-"):
        raise _bad(path, "image.name", name, "an image's name")
    return None, name


def _file(folder: Path, path: Path, key: str, given: Any) -> Path:
    allowed = "a file below the submission's folder, by its relative path"
    if not isinstance(given, str) or not given or "\0" in given:
        raise _bad(path, key, given, allowed)
    plain = PurePosixPath(given)
    file = folder / plain
    if plain.is_absolute() or ".." in plain.parts or not file.is_file():
        raise _bad(path, key, given, f"{allowed}, that is there")
    if not file.resolve().is_relative_to(folder.resolve()):
        raise _bad(path, key, given, f"{allowed}; this is a link that leads out")
    return file


def _metrics(path: Path, given: Any) -> tuple[Metric, ...]:
    if not isinstance(given, dict) or not given:
        raise _bad(path, "metrics", given, "a table for each metric, as [metrics.accuracy]")
    found = []
    for name, table in given.items():
        if not name.isprintable() or not 0 < len(name) <= LONGEST_NAME:
            raise _bad(path, "metrics", name, f"names of 1 to {LONGEST_NAME} printable characters")
        if not isinstance(table, dict):
            raise _bad(path, f"metrics.{name}", table, 'a table with direction = "max" or "min"')
        _only(path, f"metrics.{name}.", table, {"direction", "unit"})
        direction, unit = table.get("direction"), table.get("unit", "")
        if direction not in DIRECTIONS:
            raise _bad(path, f"metrics.{name}.direction", direction, " or ".join(DIRECTIONS))
        if not isinstance(unit, str) or not (unit.isprintable() or not unit):
            raise _bad(path, f"metrics.{name}.unit", unit, "printable characters")
        found.append(Metric(name, direction, unit))
    return tuple(found)


def _limits(path: Path, given: Any) -> dict[str, str]:
    if not isinstance(given, dict):
        raise _bad(path, "limits", given, 'a table, as memory = "8g"')
    found = {}
    for name, value in given.items():
        number = isinstance(value, (int, float)) and not isinstance(value, bool)
        if not number and not isinstance(value, str):
            raise _bad(path, f"limits.{name}", value, 'a text or a number, as "8g" or 2')
        found[name] = str(value)
    return found


def _signing_key(path: Path, given: Any) -> str | None:
    if given is not None and (not isinstance(given, str) or not SIGNING_KEYS.fullmatch(given)):
        allowed = "ed25519: and 44 characters of base64, as seedlock sign --new-key prints it"
        raise _bad(path, "signing_key", given, allowed)
    return given


def _only(path: Path, where: str, table: dict[str, Any], known: set[str]) -> None:
    for key in table:
        if key not in known:
            raise _bad(path, f"{where}{key}", "there", f"the keys {', '.join(sorted(known))}")


def _bad(path: Path, key: str, given: Any, allowed: str) -> BadSubmission:
    shown = "missing" if given is None else f"'{printable(str(given), 60)}'"
    return BadSubmission(
        f"{printable(str(path), 200)}: {printable(key, 60)} is {shown}; allowed: {allowed}; "
        "docs/submission.md has one to copy"
    )
