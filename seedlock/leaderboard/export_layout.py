"""What lies where in an exported board, and from there back to a round's folder.

Pages are *.html and static/, the standings board.json and board.csv. files/ has what the round
published: policy, steps, ledger, spot checks; records/NAME/INDEX-ATTEMPT.json, after the reveal,
the records of public submissions. export.json says when it was made and by what, README.txt how to
check it, SHA256SUMS has the digest of every other file, as `sha256sum -c` reads them.
"""

from __future__ import annotations

import re
import shutil
import tempfile
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from seedlock.errors import BadExport, BadRound, printable
from seedlock.evaluation.ledger.states import tells_of_author
from seedlock.evaluation.rounds import checked_part, formats, ledger_lines, policy_file
from seedlock.evaluation.rounds.canonical import moment
from seedlock.evaluation.rounds.ceremony import Round
from seedlock.evaluation.rounds.formats import DRAW, FREEZE, OPENING, REVEAL
from seedlock.evaluation.rounds.round_files import content_of, raw_of
from seedlock.evaluation.spot_checks import publishing

if TYPE_CHECKING:
    from collections.abc import Iterator

ABOUT, SUMS, BOARD, CSV, README = (
    "export.json", "SHA256SUMS", "board.json", "board.csv", "README.txt",
)  # fmt: skip

FILES, RECORDS = "files", "records"

RUNS = "runs"
"""Folder of the records in a round's folder."""

FORMAT, VERSION = "seedlock-export", 1
"""History: 1, the first."""

KEYS = {"format", "version", "at", "made_by", "records"}


def about(folder: Path) -> dict[str, Any]:
    """Return what an export says of itself: `at`, `made_by` and whether it has `records`.

    Raises:
        BadExport: there is none, or it is of another format.
    """
    path = folder / ABOUT
    try:
        content = content_of(path, raw_of(path))
    except BadRound as problem:
        raise BadExport(
            f"{printable(str(folder), 200)} is no exported board: {problem}; get it again"
        ) from problem
    kinds = isinstance(content.get("records"), bool) and isinstance(content.get("made_by"), str)
    if (content.get("format"), content.get("version")) != (FORMAT, VERSION):
        given = printable(f"{content.get('format')} version {content.get('version')}", 60)
    elif set(content) != KEYS or not kinds or not _is_moment(content["at"]):
        given = "with other keys or values"
    else:
        return content
    raise BadExport(
        f"{printable(str(path), 200)} is {given}; allowed: {FORMAT} version {VERSION}, as seedlock "
        "board export wrote it"
    )


def round_name(folder: Path) -> str:
    """Return the name of the round in an export, or what stands for it where that can't be read."""
    try:
        return Round(folder / FILES).policy.name
    except BadRound:
        return "a round"


def _is_moment(text: object) -> bool:
    try:
        moment(text)
    except ValueError:
        return False
    return True


def published(folder: Path) -> list[str]:
    """Return the names of a round's published documents that are in a folder."""
    names = [formats.file_of(folder, step).name for step in (OPENING, FREEZE, DRAW, REVEAL)]
    names += [policy_file.NAME, ledger_lines.NAME]
    checks = [each.name for each in folder.glob("spot-check*.json") if _CHECK.fullmatch(each.name)]
    return sorted(name for name in (*names, *checks) if (folder / name).is_file())


_CHECK = re.compile(r"spot-check(-[1-9][0-9]{0,5})?\.json")

_RECORD = re.compile(r"(0|[1-9][0-9]{0,4})-[1-9][0-9]{0,4}\.json")


def public_records(this: Round) -> list[str]:
    """Return `NAME/INDEX-ATTEMPT.json` of the records of public submissions that a round names and
    its folder holds; none before the reveal, since records hold their seeds.

    Raises:
        BadRound: a file of the round can't be read.
    """
    return [each for each in named_records(this) if (this.folder / RUNS / each).is_file()]


def named_records(this: Round) -> list[str]:
    """Return the same, whether the folder holds them or not; raises as `public_records`."""
    if not this.has(REVEAL):
        return []
    public = {each["digest"]: each["name"] for each in this.freeze()["submissions"]
              if each["visibility"] == "public"}  # fmt: skip
    if this.policy.published:
        runs = checked_part.taken(checked_part.all_of(this).values())
        named = {f"{public[of]}/{index}-1.json" for of, index in runs if of in public}
    else:
        named = set()
        for event in _course(this).ended:
            name, path = public.get(event["submission"]), event["content"]["record"]
            prefix = f"{RUNS}/{name}/"
            plain = isinstance(path, str) and path.startswith(prefix)
            if name and plain and _RECORD.fullmatch(path[len(prefix) :]):
                named.add(path[len(RUNS) + 1 :])
    return sorted(named)


def told_of_private(this: Round) -> list[str]:
    """Return where documents of a round tell more of private submissions than names, digests and
    scores: why their runs failed may name their files.

    Raises:
        BadRound: a file of the round can't be read.
    """
    if not this.has(FREEZE):
        return []
    private = {each["digest"] for each in this.freeze()["submissions"]
               if each["visibility"] != "public"}  # fmt: skip
    found = []
    if (this.folder / ledger_lines.NAME).exists():
        for event in _course(this).ended:
            told = tells_of_author(event["content"]["reasons"])
            if event["submission"] in private and told:
                found.append(f"{ledger_lines.NAME}, event {event['sequence']}")
    for path, check in checked_part.all_of(this).items() if this.has(DRAW) else ():
        for each in check["submissions"]:
            if publishing.tells(each) and each["digest"] not in _public(this):
                found.append(f"{path.name}, submission {printable(str(each['name']))}")
    return found


def _public(this: Round) -> set[str]:
    return {each["digest"] for each in this.freeze()["submissions"]
            if each["visibility"] == "public"}  # fmt: skip


def _course(this: Round) -> ledger_lines.Course:
    path = this.folder / ledger_lines.NAME
    try:
        return ledger_lines.read(path) if path.exists() else ledger_lines.Course()
    except ledger_lines.Broken as problem:
        raise BadRound(
            f"{printable(str(path), 200)}: {problem}; allowed: what seedlock ledger export wrote; "
            "export it again"
        ) from problem


@contextmanager
def as_round(folder: Path) -> Iterator[Path]:
    """Lay an export's files out as a round's folder has them, for as long as the block lasts.

    Raises:
        OSError: a file can't be read or copied.
    """
    with tempfile.TemporaryDirectory(prefix="seedlock-board-") as name:
        place = Path(name)
        for document in published(folder / FILES):
            shutil.copyfile(folder / FILES / document, place / document)
        (place / RUNS).symlink_to((folder / RECORDS).absolute())
        yield place
