"""What `seedlock submit` does beside handing in: list, take back, and pack for the form."""

from __future__ import annotations

import json
import os
from typing import TYPE_CHECKING, Any

from seedlock.errors import BadSubmission, printable
from seedlock.evaluation import full_disk
from seedlock.evaluation.submission import handed_files
from seedlock.leaderboard import archive
from seedlock.leaderboard.board_errors import BoardRefused

if TYPE_CHECKING:
    from pathlib import Path
    from typing import BinaryIO

    from seedlock.evaluation.submission.submission_file import Submission
    from seedlock.leaderboard.client import Client


def rows_of(server: Client, name: str, what: str, key: str) -> list[dict[str, Any]]:
    """Return all rows of a round's list.

    Args:
        server: where they are.
        name: the round's.
        what: the list's address below the round's.
        key: of the rows in each page's answer.

    Raises:
        BoardRefused, BoardUnavailable: the server does not tell.
    """
    rows: list[dict[str, Any]] = []
    page = pages = 1
    while page <= pages:
        told = server.get("rounds", name, what, page=str(page))
        rows += told[key]
        page, pages = page + 1, told["pages"]
    return rows


def listed(server: Client, name: str, as_json: bool) -> str:
    """Return as text the uploads of a round that a token may see, the first ones first.

    Raises:
        BoardRefused, BoardUnavailable: the server does not tell.
    """
    rows = rows_of(server, name, "submissions", "uploads")
    if as_json:
        return json.dumps(rows, indent=1, sort_keys=True)
    lines = [
        f"{row['number']}  {row['name']}  {row['digest']}  {row['uploaded']}  {_state(row)}"
        for row in rows
    ]
    counting = sum(bool(row["counts"]) for row in rows)
    return _text([*lines, f"{name}: {counting} of {len(rows)} uploads count"])


def withdraw(server: Client, name: str, submission: str, as_json: bool) -> str:
    """Take back the upload that counts for a submission's name; return as text what counts then.

    Raises:
        BoardRefused, BoardUnavailable: there is none, it is too late, or another refusal.
    """
    found = _counting(server, name, submission)
    if found is None:
        raise BoardRefused(
            f"no upload of '{printable(submission)}' counts; allowed: a name of seedlock submit "
            "--list whose last upload counts"
        )
    server.delete("rounds", name, "uploads", str(found["number"]))
    now = _counting(server, name, submission)
    if as_json:
        return json.dumps({"withdrawn": found, "counts": now}, indent=1, sort_keys=True)
    left = "none of this name" if now is None else (
        f"upload {now['number']}, {now['digest']}; say it again to take it back too"
    )  # fmt: skip
    return _text([
        f"{submission}: WITHDRAWN, upload {found['number']}, {found['digest']}",
        f"counts    {left}",
    ])  # fmt: skip


def handed(file: BinaryIO) -> str:
    """Return as text how much an archive hands in, and what of it looks like no source; the file
    stays where it was.

    Raises:
        BadSubmission: it is no archive of a submission.
    """
    before = file.tell()
    sizes = archive.sizes(file)
    file.seek(before)
    return "\n".join(handed_files.lines(sizes))


def write_archive(submission: Submission, path: Path, as_json: bool) -> str:
    """Write a submission's archive into a new file, for the form on the round's page; return as
    text what it is.

    Raises:
        BadSubmission: something is there, or the folder can't be handed in.
        OSError: it can't be written; nothing half is left there.
    """
    temporary = path.with_name(f".{path.name}.{os.getpid()}.tmp")
    if (path.parent.resolve() / path.name).is_relative_to(submission.folder):
        raise BadSubmission(
            f"{printable(str(path), 200)} lies in the submission's folder and would become a part "
            "of it; allowed: a file outside of it; name another, as ../NAME.tar.gz"
        )
    try:
        with full_disk.naming(temporary), temporary.open("x+b") as file:
            handed = archive.pack(submission.folder, file)
            size = file.seek(0, os.SEEK_END)
            file.flush()
            os.fsync(file.fileno())
        os.link(temporary, path)  # unlike a rename, never over another
    except FileExistsError as problem:
        raise BadSubmission(
            f"{printable(str(path), 200)} is there already; allowed: the name of a new file; "
            "remove it, or name another"
        ) from problem
    finally:
        temporary.unlink(missing_ok=True)
    if as_json:
        about = {"file": str(path), "name": submission.name, "digest": handed.digest, "size": size}
        return json.dumps(about, indent=1, sort_keys=True)
    return _text([
        f"{submission.name}: {path}, {size} bytes, {handed.files} files",
        f"digest    {handed.digest}",
    ])  # fmt: skip


def _counting(server: Client, name: str, submission: str) -> dict[str, Any] | None:
    rows = rows_of(server, name, "submissions", "uploads")
    return next((row for row in rows if row["name"] == submission and row["counts"]), None)


def _state(row: dict[str, Any]) -> str:
    if row["withdrawn"]:
        return f"withdrawn {row['withdrawn']}"
    return "counts" if row["counts"] else "replaced"


def _text(lines: list[str]) -> str:
    return "\n".join(printable(line, 400) for line in lines)
