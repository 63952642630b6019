"""A server and sets for the tests of data."""

from __future__ import annotations

import hashlib
import random
from collections.abc import Iterator
from pathlib import Path

import pytest

from seedlock.evaluation.data.caching import Cache
from seedlock.evaluation.data.data_lock import DataSet

from .server import Server

BODY = random.Random(0).randbytes(300_000)
"""More than one piece of a download's, no two of them alike."""


@pytest.fixture(name="server")
def _server() -> Iterator[Server]:
    server = Server()
    yield server
    server.close()


@pytest.fixture(name="cache")
def _cache(tmp_path: Path) -> Cache:
    return Cache(tmp_path / "cache")


def a_file(source: str, body: bytes = BODY, name: str = "digits") -> DataSet:
    """Return a set of one file."""
    return DataSet(name, hashlib.sha256(body).hexdigest(), "file", len(body), "CC0-1.0", source)


def listing(folder: Path) -> list[str]:
    """Return all that lies below a folder, but for the locks of a cache."""
    return sorted(
        str(path.relative_to(folder)) for path in folder.rglob("*") if path.suffix != ".lock"
    )
