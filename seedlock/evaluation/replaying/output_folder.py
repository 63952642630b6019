"""Where a replay is put: a new folder in the working folder, or the one that was asked for; never
into an exported board, whose files are all accounted for."""

from __future__ import annotations

from pathlib import Path

EXPORT = ("export.json", "SHA256SUMS")
"""Files of an exported board (leaderboard/export_layout.py). Its SHA256SUMS has every other file,
and whoever verifies the board is told of each further one."""

MOST = 10_000
"""Numbers of folders that are tried."""


def output_folder(given: str | None, name: str) -> Path | str:
    """Return an absolute path for the folder, which is made later, or why there is none.

    Args:
        given: what was asked for, new or empty; None for `NAME-replay-N` in the working folder.
        name: of the record's or bundle's file, without its ending.
    """
    if given is None:
        paths = (Path.cwd() / f"{name}-replay-{number}" for number in range(1, MOST))
        folder = next((path for path in paths if not path.exists()), None)
        if folder is None:
            return f"{name}-replay-1 to {name}-replay-{MOST - 1} are there; say --output DIR"
    else:
        folder = Path(given).resolve()
        if folder.exists() and not (folder.is_dir() and not any(folder.iterdir())):
            return f"--output {given} is not empty; allowed: a new or an empty folder"
    board = _board_around(folder)
    if board is not None:
        return (
            f"{folder} would lie in the exported board {board}, which then says WRONG of itself; "
            "allowed: a folder elsewhere; say --output DIR"
        )
    return folder


def _board_around(folder: Path) -> Path | None:
    real = folder.resolve()
    return next(
        (each for each in real.parents if all((each / name).is_file() for name in EXPORT)), None
    )
