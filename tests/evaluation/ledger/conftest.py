"""Ledgers with a clock of the test's own."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from seedlock.evaluation.ledger.ledger import Ledger
from tests.evaluation.ledger.made import Clock, play


@pytest.fixture(name="where")
def _where(tmp_path: Path) -> str:
    """Where a new ledger may be: here a file; tests/services/conftest.py has a database."""
    return str(tmp_path / "ledger.db")


@pytest.fixture(name="clock")
def _clock() -> Clock:
    return Clock()


@pytest.fixture(name="ledger")
def _ledger(where: str, clock: Clock) -> Iterator[Ledger]:
    """An empty ledger."""
    with Ledger.open(where, clock=clock) as ledger:
        yield ledger


@pytest.fixture(name="reopen")
def _reopen(where: str, clock: Clock) -> Iterator[Callable[[], Ledger]]:
    """A maker of further ways to the same ledger, as other processes have them."""
    opened: list[Ledger] = []

    def make() -> Ledger:
        opened.append(Ledger.open(where, create=False, clock=clock))
        return opened[-1]

    yield make
    for each in opened:
        each.close()


@pytest.fixture(scope="session", name="template")
def _template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A ledger that went through all that can happen: some thirty events."""
    path = tmp_path_factory.mktemp("ledger") / "ledger.db"
    clock = Clock()
    with Ledger.open(path, clock=clock) as ledger:
        play(ledger, clock)
        assert ledger.verify().problems == []
    return path


@pytest.fixture(name="played")
def _played(template: Path, where: str) -> Iterator[Ledger]:
    """A copy of it, to be broken."""
    shutil.copy(template, where)
    with Ledger.open(where, create=False) as ledger:
        yield ledger
