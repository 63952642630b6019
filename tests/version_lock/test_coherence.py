"""The days that the images are made of agree: the base's, the lock's, and the time of all files."""

from __future__ import annotations

import os
import re
from datetime import UTC, date, datetime
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from .conftest import ROOT

if TYPE_CHECKING:
    from collections.abc import Iterator

DOCKERFILES = sorted(path for path in ROOT.glob("Dockerfile*") if path.suffix != ".dockerignore")
NOT_OURS = re.compile(r"\.|build$|__pycache__$")


@pytest.fixture(name="base")
def base_fixture(lock: Path) -> str:
    """The reference of the base image."""
    [line] = re.findall(r"^base (.+)$", (lock / "images.lock").read_text(), re.MULTILINE)
    return str(line)


@pytest.fixture(name="base_day")
def base_day_fixture(base: str) -> date:
    """The day of the base image, from its tag."""
    [day] = re.findall(r":\w+-(\d{8})-", base)
    return datetime.strptime(day, "%Y%m%d").replace(tzinfo=UTC).date()


def midnight(day: date) -> int:
    """Return the seconds since 1970 at which a day began in UTC."""
    return int(datetime(day.year, day.month, day.day, tzinfo=UTC).timestamp())


def texts() -> Iterator[tuple[str, str]]:
    """Yield name and text of each file of the checkout."""
    for folder, folders, names in os.walk(ROOT):
        folders[:] = [name for name in folders if name == ".ci" or not NOT_OURS.match(name)]
        for path in (Path(folder, name) for name in names):
            content = path.read_bytes()
            if b"\0" not in content:
                yield str(path.relative_to(ROOT)), content.decode()


def found(pattern: str) -> list[tuple[str, str]]:
    """Return file and group 1 of each match in the checkout."""
    return [
        (name, match[1])
        for name, text in texts()
        for match in re.finditer(pattern, text, re.MULTILINE)
    ]


@pytest.mark.parametrize("dockerfile", DOCKERFILES, ids=lambda path: path.name)
def test_dockerfile_has_the_base_and_its_day(dockerfile: Path, base: str, base_day: date) -> None:
    """Each Dockerfile starts from the locked base, and its files get the base's day, 00:00 UTC."""
    text = dockerfile.read_text()

    assert re.findall(r"^ARG BASE_IMAGE=(.+)$", text, re.MULTILINE) == [base]
    epochs = re.findall(r"^ARG SOURCE_DATE_EPOCH=(.+)$", text, re.MULTILINE)
    assert epochs == [str(midnight(base_day))]


def test_no_other_day_of_the_base_is_written_anywhere(base: str, base_day: date) -> None:
    """Whatever file repeats the base's dated tag or the epoch has the same one."""
    tags = found(r"\b(bookworm-\d{8}(?:-slim)?)\b")
    epochs = found(r"SOURCE_DATE_EPOCH\W{1,3}(\d{5,})")

    assert {name for name, _ in tags} >= {"Dockerfile", "version-lock/images.lock"}
    assert "Dockerfile" in {name for name, _ in epochs}
    [tag] = re.findall(r":([^@]+)@", base)
    assert [(name, other) for name, other in tags if other != tag] == []
    epoch = str(midnight(base_day))
    assert [(name, other) for name, other in epochs if other != epoch] == []


def test_base_is_of_the_release_that_the_debian_lock_is_of(base: str, lock: Path) -> None:
    """The Debian packages are resolved in the base's own release."""
    [suite] = re.findall(r"^suite=(\w+)$", (lock / "debian-lock.sh").read_text(), re.MULTILINE)

    assert re.findall(r":(\w+)-", base) == [suite]


def test_lock_is_not_older_than_its_base(lock: Path, base_day: date) -> None:
    """The day of the Python lock is the base's or a later one, and the README names that day."""
    day = (lock / "day").read_text().strip()

    assert date.fromisoformat(day) >= base_day
    assert f"newest of {day}" in (lock / "README.md").read_text()
