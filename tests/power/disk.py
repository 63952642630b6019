"""A disk whose power can fail: a file with ext4 on it, mounted by way of a loop device.

What a file system has not written when the power fails is gone. A copy of the file at some moment
is what the disk had then; mounting it is the start after the failure.
"""

from __future__ import annotations

import subprocess
from pathlib import Path

SIZE = 96 << 20

TRIES = 200


class Disk:
    """A mounted disk.

    Args:
        folder: for its files and the place where it is mounted.
    """

    def __init__(self, folder: Path) -> None:
        self.place = folder / "mounted"
        self._file = folder / "disk"
        self._folder = folder
        self.place.mkdir()
        with self._file.open("wb") as file:
            file.truncate(SIZE)
        _run("mkfs.ext4", "-q", "-F", str(self._file))
        self._mount(self._file)

    def fail(self, name: str) -> Path:
        """Return a copy of what the disk holds now, without a word to the file system.

        A copy takes some time. One during which something was written is no state that the disk
        ever had, and is made again.
        """
        copy = self._folder / name
        for _ in range(TRIES):
            before = self._statistics()
            _run("cp", "--sparse=auto", str(self._file), str(copy))
            if self._statistics() == before:
                return copy
        raise AssertionError("the disk was written to without a pause")

    def restart(self, copy: Path) -> None:
        """Mount what the disk held when the power failed, at the same place."""
        self.close()
        self._mount(copy)

    def close(self, *options: str) -> None:
        """Unmount it."""
        _run("umount", *options, str(self.place))

    def _mount(self, file: Path) -> None:
        _run("mount", "-o", "loop", str(file), str(self.place))
        source = _run("findmnt", "-n", "-o", "SOURCE", str(self.place)).strip()
        self._device = Path(source).name

    def _statistics(self) -> tuple[str, ...]:
        """Return how much was written and is under way (Documentation/block/stat.rst)."""
        words = Path(f"/sys/block/{self._device}/stat").read_text().split()
        return (words[4], words[6], words[8])


def _run(*words: str) -> str:
    done = subprocess.run(words, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout
