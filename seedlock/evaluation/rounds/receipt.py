"""What an author gets at the freeze: that their submission is in the list, in a few lines.

Whoever keeps a receipt from before the beacon's time holds the organiser to that very list.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from seedlock.errors import BadRound, printable
from seedlock.evaluation.rounds import formats, merkle
from seedlock.evaluation.rounds.canonical import DIGEST, HEX_32
from seedlock.evaluation.rounds.claims import PROVEN, WRONG, Finding
from seedlock.evaluation.rounds.formats import FREEZE, OPENING
from seedlock.evaluation.rounds.policy import NAMES
from seedlock.evaluation.rounds.round_files import content_of, raw_of

if TYPE_CHECKING:
    from pathlib import Path

    from seedlock.evaluation.rounds.ceremony import Round

FORMAT = "seedlock-round-receipt"
VERSION = 1
"""History: 1, the first."""

MOST = 1 << 40
"""Submissions of a list whose receipts are read."""

KEYS = {
    "format", "version", "round", "opening", "freeze", "root", "index", "size", "submission",
    "path",
}  # fmt: skip


def make(this: Round, name: str) -> dict[str, Any]:
    """Return the receipt of a frozen submission.

    Args:
        this: the round.
        name: the submission's, as the round published it, or its digest, by which its author
            finds it under a pseudonym.

    Raises:
        BadRound: nothing was frozen, or no submission has that name.
    """
    frozen = this.freeze()
    entries = frozen["submissions"]
    names = [each["name"] for each in entries]
    name = next((each["name"] for each in entries if each["digest"] == name), name)
    if name not in names:
        raise BadRound(
            f"'{printable(name)}' is not among the {len(names)} frozen submissions; allowed: "
            f"{printable(', '.join(sorted(names)), 200)}"
        )
    index = names.index(name)
    leaves = [formats.leaf(each) for each in entries]
    return {
        "format": FORMAT, "version": VERSION, "round": frozen["round"],
        "opening": this.digest(OPENING), "freeze": this.digest(FREEZE), "root": frozen["root"],
        "index": index, "size": len(leaves),
        "submission": {key: entries[index][key] for key in ("name", "digest")},
        "path": [each.hex() for each in merkle.proof(leaves, index)],
    }  # fmt: skip


def read(path: Path) -> dict[str, Any]:
    """Return the receipt in a file.

    Raises:
        BadRound: it is none.
    """
    content = content_of(path, raw_of(path))
    try:
        fits = (
            set(content) == KEYS
            and (content["format"], content["version"]) == (FORMAT, VERSION)
            and all(DIGEST.fullmatch(content[key]) for key in ("opening", "freeze"))
            and all(HEX_32.fullmatch(each) for each in (content["root"], *content["path"]))
            and all(type(content[key]) is int for key in ("index", "size"))
            and 0 <= content["index"] < content["size"] <= MOST
            and set(content["submission"]) == {"name", "digest"}
            and NAMES.fullmatch(content["submission"]["name"])
            and DIGEST.fullmatch(content["submission"]["digest"])
        )
    except (TypeError, KeyError):
        fits = False
    if not fits:
        raise BadRound(
            f"{printable(str(path), 200)} is no receipt of version {VERSION}; allowed: what "
            "seedlock round receipt wrote; get it again"
        )
    return content


def check(given: dict[str, Any], this: Round) -> list[Finding]:
    """Return what a receipt says about a round.

    Raises:
        BadRound: the round's freeze is not there or can't be read.
    """
    frozen, name = formats.read(this.folder, FREEZE)[0], given["submission"]["name"]
    path = [bytes.fromhex(each) for each in given["path"]]
    root = bytes.fromhex(given["root"])
    shown = printable(str(name), 100)
    leaf = formats.leaf(given["submission"])
    if not merkle.proven(leaf, given["index"], given["size"], path, root):
        return [_found(WRONG, f"the receipt of {shown} does not lead to its own root")]
    if given["root"] != frozen["root"]:
        said = "the list was changed after the receipt was given"
        return [_found(WRONG, f"the receipt of {shown} leads to another root: {said}")]
    if given["submission"] not in [
        {key: each[key] for key in ("name", "digest")} for each in frozen["submissions"]
    ]:
        return [_found(WRONG, f"{shown}, of which there is a receipt, is not in freeze.json")]
    if given["freeze"] != this.digest(FREEZE) or given["opening"] != this.digest(OPENING):
        said = "opening.json or freeze.json was changed after it was given"
        return [_found(WRONG, f"the receipt of {shown} names other files: {said}")]
    said = f"{shown} is in the list that its receipt names; its digest is to be yours"
    return [_found(PROVEN, said)]


def _found(state: str, said: str) -> Finding:
    return Finding("receipt", state, said)
