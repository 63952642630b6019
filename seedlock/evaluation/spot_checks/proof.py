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
    from collections.abc import Iterator, Mapping
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
        raise BadRound(
            f"spot-check.json is not whole: {printable(repr(problem), 80)}; allowed: the file as "
            "seedlock spot-check wrote it"
        ) from problem


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
