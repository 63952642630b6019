"""Was the part that was replayed the one that the round's secret and beacon say?

After the reveal anybody can ask, with the published files alone.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from seedlock.errors import BadRound, printable
from seedlock.evaluation.replaying.replay import JUDGED
from seedlock.evaluation.rounds.formats import DRAW
from seedlock.evaluation.rounds.round_files import content_of, raw_of
from seedlock.evaluation.spot_checks import choice
from seedlock.evaluation.spot_checks.spot_check import FORMAT, VERSION

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping
    from pathlib import Path

    from seedlock.evaluation.rounds.ceremony import Round


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


def taken(results: Iterable[Mapping[str, Any]]) -> dict[choice.Run, str]:
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


def problems(
    content: Mapping[str, Any], this: Round, secret: bytes, salt: bytes
) -> list[str]:  # fmt: skip
    """Return why the chosen part is not the right one, one line each; nothing where it is.

    Args:
        content: what `read` returned.
        this: the round.
        secret, salt: as `choice.lot` has them.

    Raises:
        BadRound: the result lacks what it has to hold.
    """
    try:
        return list(_problems(content, this, secret, salt))
    except (KeyError, TypeError, ValueError, AttributeError, OverflowError) as problem:
        raise _not_whole(problem) from problem


def _not_whole(problem: Exception) -> BadRound:
    return BadRound(
        f"a spot check's result is not whole: {printable(repr(problem), 80)}; allowed: the file "
        "as seedlock spot-check wrote it"
    )


def _problems(content: Mapping[str, Any], this: Round, secret: bytes, salt: bytes) -> Iterator[str]:
    if (content["draw"], content["policy"]) != (this.digest(DRAW), this.policy.digest):
        yield "it is of another round: its draw and policy are not this one's"
    part = choice.fraction(content["fraction"])
    least = choice.fraction(this.policy.spot_checks)
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
    expected = set(choice.chosen(secret, salt, runs, part))
    for digest, index in sorted(expected - marked):
        yield f"{names[digest]}, seed index {index}, was drawn and not replayed"
    for digest, index in sorted(marked - expected, key=str):
        yield f"{names.get(digest)}, seed index {index}, was replayed and not drawn"
