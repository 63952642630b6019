"""Was a part of the authors' records replayed, as the policy promised, and the one that the round's
secret and beacon say?

After the reveal anybody can ask, with the published files alone.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from seedlock.errors import BadRound, printable
from seedlock.evaluation.recording.record import JUDGED
from seedlock.evaluation.rounds import lots
from seedlock.evaluation.rounds.canonical import sha256
from seedlock.evaluation.rounds.claims import IF, OPEN, PROVEN, WRONG, Finding
from seedlock.evaluation.rounds.formats import CHECKS, DRAW
from seedlock.evaluation.rounds.round_files import content_of, raw_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence
    from pathlib import Path

    from seedlock.evaluation.rounds.ceremony import Round

FORMAT = "seedlock-spot-check"
VERSION = 1
"""History: 1, the first."""

NAME = re.compile(r"spot-check(-[1-9][0-9]{0,3})?\.json")

ABOUT = "spot checks"


def findings(this: Round, revealed: Mapping[str, Any] | None) -> list[Finding]:
    """Return what the files show of a round's spot checks; nothing where none was promised or made.

    Args:
        this: a round whose authors train, with its seeds drawn.
        revealed: content of the reveal, None before it. Results that it names were there when
            nobody but the organisers could know which records are drawn.
    """
    try:
        return [Finding(ABOUT, state, said) for state, said in _findings(this, revealed)]
    except BadRound as problem:
        return [Finding(ABOUT, WRONG, str(problem))]


def _findings(this: Round, revealed: Mapping[str, Any] | None) -> Iterator[tuple[str, str]]:
    bound = (revealed or {}).get(CHECKS, ())
    yield from ((WRONG, each) for each in _removed(this, bound))
    results = all_of(this)
    promised = lots.fraction(this.policy.spot_checks)
    if not results:
        if promised is not None and not bound:
            said = f"the policy promised that {promised} of the records is replayed, and no result"
            yield OPEN if revealed is None else IF, f"{said} of a spot check is here"
        return
    secret = None if revealed is None else bytes.fromhex(revealed["secret"])
    wrong = False
    for path, content in results.items():
        for each in problems(content, this, secret):
            wrong = True
            yield WRONG, f"{path.name}: {each}"
    if revealed is None:
        yield OPEN, "that the right records were replayed can be proven after the reveal"
    elif not wrong:
        count = sum(bool(each["chosen"]) for content in results.values()
                    for of in content["submissions"] for each in of["records"])  # fmt: skip
        yield PROVEN, f"{count} records were replayed, those that secret and beacon say"
        if not bound:
            said = "that all records were in before anybody could know which are replayed"
            yield IF, f"reveal.json names no result: {said} rests on the organisers' word"


def _removed(this: Round, bound: Sequence[str]) -> Iterator[str]:
    """Say of each result that is not where it was."""
    lacking = set()
    for number, digest in enumerate(bound, 1):
        path = place(this, number)
        if not path.exists():
            lacking.add(path)
            yield f"{path.name} was there at the reveal and is not here"
        elif sha256(raw_of(path)) != digest:
            yield f"{path.name} is not the file that was there at the reveal"
    numbers = sorted(
        int((found[1] or "-1")[1:])
        for each in this.folder.iterdir() if (found := NAME.fullmatch(each.name))
    )  # fmt: skip
    for number in range(1, max(numbers, default=0)):
        path = place(this, number)
        if number not in numbers and path not in lacking:
            yield f"{path.name} is not here, and a later result is"


def read(path: Path) -> dict[str, Any]:
    """Return the result of a spot check.

    Raises:
        BadRound: it is not there, or none.
    """
    content = content_of(path, raw_of(path))
    if content.get("format") != FORMAT or content.get("version") != VERSION:
        raise BadRound(
            f"{printable(str(path), 200)} is no result of a spot check; allowed: the file as "
            f"seedlock spot-check wrote it, version {VERSION}"
        )
    return content


def all_of(this: Round) -> dict[Path, dict[str, Any]]:
    """Return the results of a round's spot checks by their files, the first one first.

    Raises:
        BadRound: one is none.
    """
    found: dict[Path, dict[str, Any]] = {}
    while (path := place(this, len(found) + 1)).exists():
        found[path] = read(path)
    return found


def place(this: Round, number: int) -> Path:
    """Return where the result of a round's first, second ... spot check lies."""
    return this.folder / ("spot-check.json" if number == 1 else f"spot-check-{number}.json")


def taken(results: Iterable[Mapping[str, Any]]) -> dict[lots.Run, str]:
    """Return the digests of the records that spot checks found to be the round's.

    Args:
        results: what `all_of` returned.

    Raises:
        BadRound: a result lacks what it has to hold.
    """
    try:
        return {
            (each["digest"], record["seed_index"]): record["sha256"]
            for content in results
            for each in content["submissions"]
            for record in each["records"]
            if not record["faults"]
        }
    except (KeyError, TypeError) as problem:
        raise _not_whole(problem) from problem


def problems(content: Mapping[str, Any], this: Round, secret: bytes | None) -> list[str]:
    """Return why the chosen part is not the right one, one line each; nothing where it is.

    Args:
        content: what `read` returned.
        this: the round.
        secret: the round's; None before the reveal, when nobody can tell which records are drawn.

    Raises:
        BadRound: the result lacks what it has to hold, or the round's own files do.
    """
    try:
        return list(_problems(content, this, secret))
    except (KeyError, TypeError, ValueError, AttributeError, OverflowError) as problem:
        raise _not_whole(problem) from problem


def _not_whole(problem: Exception) -> BadRound:
    return BadRound(
        f"a spot check's result is not whole: {printable(repr(problem), 80)}; allowed: the file "
        "as seedlock spot-check wrote it"
    )


def _problems(content: Mapping[str, Any], this: Round, secret: bytes | None) -> Iterator[str]:
    if (content["draw"], content["policy"]) != (this.digest(DRAW), this.policy.digest):
        yield "it is of another round: its draw and policy are not this one's"
    part = lots.fraction(content["fraction"])
    least = lots.fraction(this.policy.spot_checks)
    if part is None or (least is not None and part < least):
        yield f"its fraction is {content['fraction']}; the policy promised {least}"
        return
    names = {each["digest"]: each["name"] for each in content["submissions"]}
    for each in this.freeze()["submissions"]:
        if names.get(each["digest"]) != each["name"]:
            yield f"the submission {each['name']} was frozen and is not in it"
    runs, marked = set(), set()
    for each in content["submissions"]:
        for record in each["records"]:
            run = (each["digest"], record["seed_index"])
            if not each["faults"] and record["class"] in JUDGED:
                runs.add(run)
            if record["chosen"]:
                marked.add(run)
    if secret is None:
        return
    expected = set(lots.chosen(secret, this.salt(), runs, part))
    for digest, index in sorted(expected - marked):
        yield f"{names[digest]}, seed index {index}, was drawn and not replayed"
    for digest, index in sorted(marked - expected, key=str):
        yield f"{names.get(digest)}, seed index {index}, was replayed and not drawn"
