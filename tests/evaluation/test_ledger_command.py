"""`seedlock ledger`, as somebody says it."""

from __future__ import annotations

import json
import shutil
import sqlite3
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from seedlock import cli
from seedlock.evaluation.ledger.ledger import Ledger
from tests.evaluation.ledger.conftest import _template  # noqa: F401
from tests.interpreter import run

SEEDLOCK = str(Path(sys.executable).parent / "seedlock")


@pytest.fixture(name="round_folder")
def _round_folder(template: Path, tmp_path: Path) -> Iterator[Path]:
    """A round's folder with a ledger."""
    shutil.copy(template, tmp_path / "ledger.db")
    yield tmp_path


def head(folder: Path) -> str:
    """Return the ledger's head."""
    with Ledger.open(folder, create=False) as ledger:
        return "{}:{}".format(*ledger.head())


def say(*words: str | Path) -> int:
    """Run a command in this process."""
    return cli.main([str(each) for each in words])


def test_a_whole_ledger(round_folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Verified, exported, and the file verified against the head that was printed."""
    noted, file = head(round_folder), round_folder / "ledger.jsonl"

    assert say("ledger", "verify", round_folder, "--head", noted) == 0
    assert capsys.readouterr().out == f"WHOLE   {noted.split(':')[0]} events, head {noted}\n"
    assert say("ledger", "export", round_folder, "-o", file) == 0
    assert capsys.readouterr().out == f"{noted}\n"
    assert say("ledger", "verify", file, "--head", noted, "--json") == 0
    said = json.loads(capsys.readouterr().out)
    assert said == {
        "whole": True, "events": int(noted.split(":")[0]), "head": noted, "problems": []
    }  # fmt: skip


def test_a_changed_ledger(round_folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Status 1, the row and the reason."""
    with sqlite3.connect(round_folder / "ledger.db") as connection:
        connection.execute("DROP TRIGGER events_no_update")
        connection.execute("UPDATE events SET worker = 'x\x1b[2J' WHERE sequence = 7")

    assert say("ledger", "verify", round_folder) == 1
    out = capsys.readouterr().out
    assert out.startswith("row 7 was changed: its hash is ")
    assert "NOT WHOLE" in out
    assert say("ledger", "verify", round_folder, "--head", "9999:" + "0" * 64, "--json") == 1
    assert len(json.loads(capsys.readouterr().out)["problems"]) == 2
    assert say("ledger", "show", round_folder) == 0
    assert "\x1b" not in capsys.readouterr().out


def test_events_are_shown(round_folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Those of one submission, those after one; as lines or as JSON."""
    say("ledger", "show", round_folder, "--submission", "two", "--json")
    events = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    say("ledger", "show", round_folder, "--after", "20")
    lines = capsys.readouterr().out.splitlines()

    assert len({event["submission"] for event in events}) == 1
    assert len(events) > 5
    assert lines[0].split()[0] == "21"
    assert "by worker" in "".join(lines)


@pytest.mark.parametrize(
    "words, said",
    [
        (["verify", "--head", "5"], "--head '5'; allowed: SEQUENCE:HASH"),
        (["show", "--after", "-1"], "--after '-1'; allowed:"),
        (["show", "--submission", "none"], "--submission 'none' is not in the ledger"),
    ],
)
def test_a_wrong_command_line(
    words: list[str], said: str, round_folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Status 2 and one line."""
    assert say("ledger", words[0], round_folder, *words[1:]) == 2

    assert said in capsys.readouterr().err


def test_no_ledger(tmp_path: Path) -> None:
    """Status 78, and none is made."""
    for words in (["ledger", "verify"], ["ledger", "export"], ["ledger", "show"], ["status"]):
        done = run([SEEDLOCK, *words], cwd=tmp_path, check=False)

        assert (done.status, done.out) == (78, "")
        assert "there is no ledger" in done.err
        assert "docs/messages.md#bad-ledger" in done.err
    assert not list(tmp_path.iterdir())
