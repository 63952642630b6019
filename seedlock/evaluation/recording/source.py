"""The source that a run works with: its revision, and whether it changes while the run goes on."""

from __future__ import annotations

import os
import subprocess
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from seedlock.errors import SourceTooLarge
from seedlock.evaluation.file_digests import check_name, digest_of, of_listing

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Sequence
    from pathlib import Path

MOST_FILES = 10_000
MOST_BYTES = 1 << 30
"""Bounds of a folder that no git repository tells the source from: more is somebody's home."""

PASSED_OVER = {".git", "__pycache__", ".mypy_cache", ".pytest_cache", ".ruff_cache", ".venv"}
"""Folders that are no source, where git does not say what is."""

SHOWN = 20
"""How many ignored files a record names that nobody read."""

ABSENT = "absent"

LISTING = "source.sha256"
"""File in a run's folder with the digest of each file of the source, as `sha256sum` prints it: its
own SHA-256 is the source's digest, and `sha256sum -c` names what changed since."""


@dataclass(frozen=True)
class Source:
    """A folder with a program, as it was at one moment.

    Attributes:
        folder: where.
        revision: git's commit; None without a repository.
        dirty: files that differ from that commit, are new or are gone; of a folder without a
            repository, none: nothing tells.
        files: digest of each file by its name below the folder, ignored ones left out.
        digest: one for all of them, by the rule for folders.
        links: names of links to folders within it, which count for nothing in the digest.
        ignored: files, and folders with a slash, that lie there and are in no digest: what git
            ignores, and repositories within this one. Caches and environments (`PASSED_OVER`) and
            what the run writes are left out; so is all this where git does not tell.
    """

    folder: Path
    revision: str | None
    dirty: tuple[str, ...]
    files: dict[str, str]
    digest: str
    links: tuple[str, ...] = ()
    ignored: tuple[str, ...] = ()

    def as_dict(self) -> dict[str, Any]:
        """Return it without the folder's path, JSON-ready."""
        return {
            "revision": self.revision,
            "digest": self.digest,
            "dirty": [{"file": name, "sha256": self.files.get(name)} for name in self.dirty],
            "files": len(self.files),
            "ignored": {"count": len(self.ignored), "first": list(self.ignored[:SHOWN])},
        }

    def changes(self, later: Source) -> list[str]:
        """Return the names of files that are not what they were."""
        names = sorted({*self.files, *later.files})
        return [name for name in names if self.files.get(name) != later.files.get(name)]


def look(
    folder: Path, without: Sequence[Path] = (), known: Collection[str] | None = None
) -> Source:
    """Read the source in a folder.

    In a git repository: the files that git tracks, and new ones that it does not ignore.
    Elsewhere: all files, but for caches and environments.

    Args:
        folder: absolute path.
        without: files and folders below it that the run itself writes.
        known: names of the source's files where a bundle says them: git is not asked, since a
            repository around the folder knows nothing of them. New files count beside them.

    Raises:
        OSError: a file can't be read.
        NotDigestible: a name can't stand in a listing.
        SourceTooLarge: no git repository, and more than `MOST_FILES` or `MOST_BYTES`.
    """
    asked = ("ls-files", "-z", "--cached", "--others", "--exclude-standard")
    listed = _git(folder, *asked) if known is None else None
    in_git = listed is not None
    names = set(listed.split("\0")) - {""} if listed is not None else set(_all(folder))
    names.update(known or ())
    excluded = [os.path.relpath(each, folder) for each in without]
    kept = [name for name in sorted(names) if not _is_below(name, excluded)]
    if not in_git:
        _refuse_too_large(folder, kept)
    files: dict[str, str] = {}
    links: list[str] = []
    within: list[str] = []
    for name in kept:
        path = folder / name
        check_name(name)
        if path.is_symlink() and path.is_dir():
            (links if _leads_inside(path, folder) else within).append(name)
        elif path.is_dir():
            within.append(f"{name.rstrip(os.sep)}/")  # a repository within this one
        elif path.exists():  # and was not deleted
            files[name] = digest_of(path).digest
    revision, dirty = _standing(folder, excluded) if in_git else (None, ())
    ignored = sorted([*within, *(_ignored(folder, excluded) if in_git else ())])
    digest = of_listing(files.items())
    return Source(folder, revision, dirty, files, digest, tuple(links), tuple(ignored))


def _leads_inside(link: Path, folder: Path) -> bool:
    inside = link.resolve().is_relative_to(folder.resolve())
    return inside and not os.path.isabs(os.readlink(link))


def _ignored(folder: Path, excluded: Sequence[str]) -> Iterable[str]:
    """Yield what git ignores; a folder of which it ignores all as one."""
    asked = ("ls-files", "-z", "--others", "--ignored", "--exclude-standard", "--directory")
    for name in (_git(folder, *asked) or "").split("\0"):
        plain = name.rstrip("/")
        if plain and not PASSED_OVER & set(plain.split("/")) and not _is_below(plain, excluded):
            yield name


def _standing(folder: Path, excluded: Sequence[str]) -> tuple[str | None, tuple[str, ...]]:
    commit = _git(folder, "rev-parse", "--verify", "--quiet", "HEAD")
    revision = commit.strip() if commit else None
    # --no-renames: a file that was moved is one that is gone and one that is new.
    asked = ("status", "--porcelain=v1", "-z", "--no-renames", "--untracked-files=all", ".")
    prefix = (_git(folder, "rev-parse", "--show-prefix") or "").strip()
    entries = (_git(folder, *asked) or "").split("\0")
    names = [entry[3:].removeprefix(prefix) for entry in entries if entry]
    return revision, tuple(sorted(each for each in names if not _is_below(each, excluded)))


def _git(folder: Path, *words: str) -> str | None:
    """Return what git prints; None where it fails, as in a folder that is no repository."""
    # Hooks and file-system monitors of the repository are somebody's programs.
    safe = ("-c", "core.fsmonitor=false", "-c", "core.hooksPath=/dev/null")
    environ = {**os.environ, "GIT_OPTIONAL_LOCKS": "0", "LC_ALL": "C"}
    try:
        asked = subprocess.run(
            ["git", *safe, *words], cwd=folder, env=environ, capture_output=True, check=False
        )
    except FileNotFoundError:
        return None  # no git here
    return os.fsdecode(asked.stdout) if asked.returncode == 0 else None


def _all(folder: Path) -> Iterable[str]:
    for current, folders, names in os.walk(folder):
        links = [name for name in folders if os.path.islink(os.path.join(current, name))]
        folders[:] = sorted(
            name for name in folders
            if name not in PASSED_OVER
            and not os.path.exists(os.path.join(current, name, "pyvenv.cfg"))
        )  # fmt: skip
        for name in (*names, *links):
            if name in links or os.path.isfile(os.path.join(current, name)):
                yield os.path.relpath(os.path.join(current, name), folder)


def _is_below(name: str, folders: Sequence[str]) -> bool:
    return any(name == each or name.startswith(f"{each}{os.sep}") for each in folders)


def _refuse_too_large(folder: Path, names: Sequence[str]) -> None:
    size = sum((folder / name).stat().st_size for name in names)
    if len(names) > MOST_FILES or size > MOST_BYTES:
        raise SourceTooLarge(
            f"{folder} holds {len(names)} files, {size >> 20} MiB, and is no git repository; "
            f"allowed: {MOST_FILES} files, {MOST_BYTES >> 20} MiB; say --source FOLDER, or git "
            "init there and ignore what is no source"
        )
