"""`seedlock round` as people use it."""

from __future__ import annotations

import io
import json
import os
import pty
import subprocess
import sys
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest

from seedlock import cli
from seedlock.errors import BadBeacon, BadPassphrase, BadRound
from seedlock.evaluation.rounds import canonical, claims
from seedlock.evaluation.rounds.ceremony import Round
from seedlock.evaluation.submission.submission_file import SAMPLE
from tests.evaluation.rounds import made_rounds
from tests.evaluation.rounds.made_rounds import (
    DEADLINE,
    DRAWN,
    ENTRIES,
    FROZEN,
    LOOKED,
    NO_BEACON,
    NUMBER,
    OPENED,
    POLICY,
    PUBLIC_KEY,
    REVEAL_BY,
    REVEALED,
    SIGNATURES,
)  # fmt: skip
from tests.interpreter import environment, run

LATER = NO_BEACON.replace("2026-", "2126-").replace("2027-", "2127-")
"""A policy whose deadline is far from any clock on which tests run."""


class Clock:
    """What the command takes for this machine's clock."""

    def __init__(self) -> None:
        self.now = OPENED

    def __call__(self) -> datetime:
        """Return the moment that was set."""
        return self.now


@pytest.fixture(name="clock")
def clock_fixture(monkeypatch: pytest.MonkeyPatch) -> Iterator[Clock]:
    """A clock that tests set, and no passphrase in the environment."""
    clock = Clock()
    monkeypatch.setattr(canonical, "now", clock)
    monkeypatch.delenv("REPRO_PASSPHRASE_FILE", raising=False)
    yield clock


@pytest.fixture(name="folder")
def folder_fixture(tmp_path: Path) -> Path:
    """A round's folder with a policy beside it and two submissions in it."""
    (tmp_path / "policy.toml").write_text(POLICY)
    for name in ("ours", "theirs"):
        submission = tmp_path / "round" / "submissions" / name
        submission.mkdir(parents=True)
        (submission / "Dockerfile").write_text("FROM conference/repro-base\n")
        (submission / "data.lock").write_text("version = 1\n")
        text = SAMPLE.replace("my-method", name).replace('"8g"', '"2g"')
        (submission / "submission.toml").write_text(text)
    return tmp_path / "round"


def said(*words: str | Path) -> int:
    """Say `seedlock round` in this process, whose clock can be set; return its exit status.

    Raises:
        SeedlockError: it is refused; `cli.main` would end this process.
    """
    options = cli._parser().parse_args(["round", *map(str, words)])
    status: int = options.command(options)
    return status


def carried_out(folder: Path, clock: Clock) -> None:
    """Go all the way to the draw."""
    assert said("open", folder, "--policy", folder.parent / "policy.toml") == 0
    clock.now = FROZEN
    assert said("freeze", folder) == 0
    clock.now = DRAWN
    assert said("draw", folder, "--beacon", SIGNATURES[NUMBER]) == 0


def test_a_round_from_open_to_verify(
    folder: Path, clock: Clock, capsys: pytest.CaptureFixture[str]
) -> None:
    """Each step says what comes next; at its end an author with notes has it proven."""
    assert said("open", folder, "--policy", folder.parent / "policy.toml") == 0
    opened = capsys.readouterr().out
    assert "next: publish opening.json" in opened
    assert "; seedlock round freeze after 2026-12-01T12:00:00Z" in opened
    clock.now = FROZEN
    assert said("freeze", folder) == 0
    frozen = capsys.readouterr().out
    assert "give receipts before round 1000 of tests" in frozen
    assert said("receipt", "ours", folder) == 0
    (folder.parent / "receipt.json").write_text(capsys.readouterr().out)
    clock.now = DRAWN
    assert said("draw", folder, "--beacon", SIGNATURES[NUMBER]) == 0
    drawn = capsys.readouterr().out
    assert "seedlock evaluate" in drawn
    this = Round(folder)
    entries = this.freeze()["submissions"]
    ledger = made_rounds.Ledger(this, entries)
    for each in entries:
        for index, seed in enumerate(this.seeds()):
            ledger.attempt(each, index, 1, "done", runs=(folder, seed))
    ledger.write(folder)
    clock.now = REVEALED
    assert said("show", folder) == 0
    trained = capsys.readouterr().out
    assert said("reveal", folder) == 0
    revealed = capsys.readouterr().out
    for each in (opened, frozen, drawn, trained, revealed):
        assert "(to a server: seedlock board publish)" in each.rpartition("next: ")[2]
    clock.now = LOOKED
    head = ledger.events[4]
    noted: list[str | Path] = [
        "--seen", f"opening={this.digest('opening')}", "--seen", f"ledger=5:{head['hash']}",
        "--receipt", folder.parent / "receipt.json", "--network", PUBLIC_KEY,
    ]  # fmt: skip

    assert said("verify", folder, *noted) == 0
    assert capsys.readouterr().out.startswith("made-2026: PROVEN: ")
    assert said("verify", folder) == 5
    assert "CONDITIONAL" in capsys.readouterr().out
    assert said("verify", folder, *noted, "--json") == 0
    content = json.loads(capsys.readouterr().out)
    assert (content["verdict"], content["exit_status"]) == ("PROVEN", 0)
    assert {each["state"] for each in content["findings"]} == {"proven"}
    (folder / "reveal.json").write_text("{}")
    assert said("verify", folder, *noted) == 1
    (folder / "reveal.json").unlink()
    assert said("verify", folder, *noted) == 3
    clock.now = REVEAL_BY.replace(day=2)
    assert said("verify", folder, *noted) == 4


def test_show(folder: Path, clock: Clock, capsys: pytest.CaptureFixture[str]) -> None:
    """Where a round stands, for people and as JSON, and never a seed of it."""
    carried_out(folder, clock)
    capsys.readouterr()
    assert said("show", folder) == 0
    lines = capsys.readouterr().out
    assert said("show", folder, "--json") == 0
    content = json.loads(capsys.readouterr().out)

    assert "reveal    not yet" in lines
    assert Round(folder).digest("freeze") in lines
    assert content["submissions"] == 2
    assert list(content["steps"]) == ["draw", "freeze", "opening"]
    assert not any(str(seed) in lines + json.dumps(content) for seed in Round(folder).seeds())


@pytest.mark.parametrize(
    ("at", "word"),
    [(OPENED, "freeze after"), (FROZEN, "freeze before"), (FROZEN, "seedlock board fetch first"),
     (DRAWN, "later beacon"), (REVEAL_BY.replace(month=4), "it is void")],
)  # fmt: skip
def test_what_is_next(
    folder: Path, clock: Clock, capsys: pytest.CaptureFixture[str], at: datetime, word: str
) -> None:
    """By the clock."""
    made_rounds.opened(folder)
    clock.now = at

    assert said("show", folder) == 0
    assert word in capsys.readouterr().out


@pytest.mark.parametrize("form", ["json", "file", "stdin"])
def test_a_beacon_in_each_form(
    folder: Path, clock: Clock, form: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A relay's JSON, a file with it, or what comes in."""
    made_rounds.opened(folder)
    clock.now = FROZEN
    assert said("freeze", folder) == 0
    clock.now = DRAWN
    text = json.dumps({"round": NUMBER, "signature": SIGNATURES[NUMBER]})
    (folder.parent / "beacon.json").write_text(text)
    with (folder.parent / "beacon.json").open() as file:
        monkeypatch.setattr(sys, "stdin", file)
        value = {"json": text, "file": str(folder.parent / "beacon.json"), "stdin": "-"}[form]

        assert said("draw", folder, "--beacon", value) == 0


def test_a_beacon_that_is_no_text(
    folder: Path, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Bytes that come in are refused as a signature that is none."""
    made_rounds.opened(folder)
    clock.now = FROZEN
    assert said("freeze", folder) == 0
    clock.now = DRAWN
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(b"\xff\xfe"), "utf-8"))

    with pytest.raises(BadBeacon, match="96 hexadecimal digits"):
        said("draw", folder, "--beacon", "-")


@pytest.mark.parametrize(
    ("words", "status", "told"),
    [
        (["freeze", "{folder}"], 78, "--early"),
        (["draw", "{folder}", "--beacon", "00"], 78, "say seedlock round freeze first"),
        (["reveal", "{folder}"], 2, "say seedlock ledger export {folder} -o {folder}/ledger.jsonl"),
        (["reveal", "{folder}", "--without-ledger"], 78, "draw.json is not there"),
        (["receipt", "ours", "{folder}"], 78, "freeze.json is not there"),
        (["open", "{folder}", "--policy", "{folder}.toml"], 78, "was opened already"),
        (["open", "{folder}x", "--policy", "none.toml"], 78, "none.toml is not there"),
        (["show", "{folder}x"], 78, "say seedlock round open first"),
        (["verify", "{folder}x"], 78, "opening.json is not there"),
        (["verify", "{folder}", "--seen", "opening=1"], 2, "--seen opening=1; allowed"),
        (["verify", "{folder}", "--seen", "x"], 2, "--seen x; allowed"),
        (["verify", "{folder}", "--seen", "ledger=a:b"], 2, "allowed"),
        (["verify", "{folder}", "--network", "x"], 2, "--network x; allowed"),
        (["verify", "{folder}", "--receipt", "{folder}.toml"], 78, "no JSON object"),
        (["freeze", "{folder}", "--early", "--submissions", "none"], 78, "none is no folder"),
        ([], 2, "usage: seedlock round [-h] COMMAND"),
    ],
)
def test_what_is_refused(
    folder: Path, clock: Clock, capfd: pytest.CaptureFixture[str], words: list[str], status: int,
    told: str,
) -> None:  # fmt: skip
    """With the exit status of its kind, one line, and nothing written."""
    made_rounds.opened(folder)
    before = sorted(folder.rglob("*"))

    words = [each.format(folder=folder) for each in words]
    command = [sys.executable, "-m", "seedlock", "round", *words]
    done = run(command, check=False, cwd=folder.parent)

    assert done.status == status, done.err
    assert told.format(folder=folder) in done.err
    assert "Traceback" not in done.err
    assert sorted(folder.rglob("*")) == before


def test_submissions_that_do_not_fit(
    folder: Path, clock: Clock, capsys: pytest.CaptureFixture[str]
) -> None:
    """All of them are named, and nothing is frozen."""
    made_rounds.opened(folder)
    clock.now = FROZEN
    ours, theirs = (folder / "submissions" / name for name in ("ours", "theirs"))
    text = (ours / "submission.toml").read_text()
    (ours / "submission.toml").write_text(text.replace('"2g"', '"5g"').replace('"max"', '"min"'))
    (theirs / "submission.toml").unlink()
    (folder / "submissions" / ".hidden").mkdir()

    with pytest.raises(BadRound, match=r"[23] of what") as caught:
        said("freeze", folder)
    line = str(caught.value)
    assert "metric accuracy is min, the policy says max" in line
    assert "limit memory is 5g, the policy allows 4g" in line
    assert "theirs" in line
    assert not Round(folder).has("freeze")


def test_a_submission_that_git_ignores(folder: Path, clock: Clock) -> None:
    """Its digest would be that of no files."""
    made_rounds.opened(folder)
    clock.now = FROZEN
    subprocess.run(["git", "init", "-q", folder.parent], check=True)
    (folder.parent / ".gitignore").write_text("submissions/\n")

    with pytest.raises(BadRound, match="git ignores"):
        said("freeze", folder)


def test_a_passphrase_from_a_file(
    folder: Path, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    """REPRO_PASSPHRASE_FILE is enough for each step; its last line feed does not count."""
    (folder.parent / "phrase").write_text("swordfish\n")
    monkeypatch.setenv("REPRO_PASSPHRASE_FILE", str(folder.parent / "phrase"))
    carried_out(folder, clock)

    assert Round(folder).passphrase_needed
    assert len(Round(folder).seeds("swordfish")) == 3
    (folder.parent / "phrase").write_text("other")
    clock.now = REVEALED
    with pytest.raises(BadPassphrase, match="does not open"):
        said("reveal", folder, "--without-ledger")
    (folder.parent / "phrase").write_text("\n")
    with pytest.raises(BadPassphrase, match="empty"):
        said("reveal", folder, "--without-ledger")
    monkeypatch.setenv("REPRO_PASSPHRASE_FILE", "none")
    with pytest.raises(BadPassphrase, match="can't be read"):
        said("reveal", folder, "--without-ledger")
    monkeypatch.delenv("REPRO_PASSPHRASE_FILE")
    with pytest.raises(BadPassphrase, match="no terminal"):
        said("reveal", folder, "--without-ledger")


def test_a_passphrase_from_a_person(tmp_path: Path) -> None:
    """Asked for twice at the terminal, not shown there, and not taken if it differs, or if there
    is none but Ctrl-D."""
    (tmp_path / "policy.toml").write_text(LATER)
    cases = ((b"swordfish\nswordfish\n", 0), (b"swordfish\nswordfisch\n", 78), (b"\x04", 78))
    for typed, status in cases:
        folder = tmp_path / str(status)
        ours, its = pty.openpty()
        process = subprocess.Popen(
            [sys.executable, "-m", "seedlock", "round", "open", str(folder), "--passphrase",
             "--policy", str(tmp_path / "policy.toml")],
            stdin=its, stdout=its, stderr=its, env=environment(), start_new_session=True,
        )  # fmt: skip
        os.close(its)
        shown = b""
        for line in typed.splitlines(keepends=True):
            while not shown.rstrip().endswith(b":"):
                shown += os.read(ours, 1000)
            os.write(ours, line)
            shown += b"|"
        while True:
            try:
                more = os.read(ours, 1000)
            except OSError:
                break
            if not more:
                break
            shown += more
        os.close(ours)

        assert process.wait() == status, shown
        assert b"swordfis" not in shown and b"Traceback" not in shown
        assert (folder / "opening.json").exists() == (status == 0)
    assert Round(tmp_path / "0").passphrase_needed
    assert Round(tmp_path / "0").secret("swordfish")


@pytest.mark.parametrize("level", ["strict", "watch"])
def test_an_opening_under_a_seed_leaves_it(tmp_path: Path, level: str) -> None:
    """Under REPRO_SEED=7 REPRO_ENTROPY=lock two rounds have two secrets, and no report or trace of
    the command is left."""
    (tmp_path / "policy.toml").write_text(LATER)
    secrets = set()
    for name in ("one", "two"):
        run(
            [sys.executable, "-m", "seedlock", "round", "open", name, "--policy", "policy.toml"],
            cwd=tmp_path, REPRO_SEED="7", REPRO_ENTROPY="lock" if level == "strict" else "count",
            REPRO_LEVEL=level, REPRO_REPORT=str(tmp_path / "reports"), REPRO_TRACE="step",
            REPRO_LOCK="warn",
        )  # fmt: skip
        secrets.add(Round(tmp_path / name).secret(None).exposed())

    assert len(secrets) == 2
    for path in (tmp_path / "reports").rglob("*"):
        for secret in secrets:
            assert not any(each in path.read_bytes() for each in made_rounds.forms_of(secret))


def test_no_output_has_the_secret(folder: Path, clock: Clock, tmp_path: Path) -> None:
    """No step prints it, no error and no traceback, with all local variables shown; and what a run
    under the organiser's environment reports has neither passphrase nor the way to it."""
    carried_out(folder, clock)
    secret = Round(folder).secret(None).exposed()
    program = (
        "import sys, traceback\n"
        "from pathlib import Path\n"
        "from seedlock.evaluation.rounds import secret_file, steps, hidden_seeds\n"
        "from seedlock.evaluation.rounds.ceremony import Round\n"
        "from seedlock.evaluation.rounds.canonical import now\n"
        "def broken(*arguments): raise OSError(28, 'No space left on device')\n"
        "this = Round(Path(sys.argv[1]))\n"
        "for name in ('put', 'stamp'):\n"
        "    kept = getattr(steps, name)\n"
        "    setattr(steps, name, broken)\n"
        "    try: steps.reveal_round(this, None, now())\n"
        "    except OSError as problem:\n"
        "        told = traceback.TracebackException.from_exception(problem)\n"
        "        print(''.join(told.format()), this.__dict__, vars(Round))\n"
        "    setattr(steps, name, kept)\n"
        "place = secret_file.place(this.folder)\n"
        "place.write_text(place.read_text().replace('version', 'vers'))\n"
        "try: this.seeds()\n"
        "except Exception as problem:\n"
        "    told = traceback.TracebackException.from_exception(problem, capture_locals=False)\n"
        "    print(''.join(told.format()), repr(problem.__context__))\n"
    )
    done = run([sys.executable, "-c", program, str(folder)], check=False)
    shows = [
        run([sys.executable, "-m", "seedlock", "round", *words, str(folder)], check=False)
        for words in (["show", "--json"], ["verify", "--json"], ["freeze"], ["reveal"], ["draw"])
    ]

    assert done.out.count("No space left") == 2
    assert "no secret of a round" in done.out
    text = "".join(each.out + each.err for each in (done, *shows)).encode()
    assert not any(each in text for each in made_rounds.forms_of(secret))


def test_a_full_disk(tmp_path: Path) -> None:
    """Status 74, the file's name, no half file, and the same command goes on."""
    (tmp_path / "policy.toml").write_text(LATER)
    words = [sys.executable, "-m", "seedlock", "round", "open", "round", "--policy", "policy.toml"]

    done = run(["sh", "-c", f"ulimit -f 0; exec {' '.join(words)}"], check=False, cwd=tmp_path)
    assert done.status == 74, done.err
    assert "secret.json" in done.err
    assert not [path for path in (tmp_path / "round").rglob("*") if path.is_file()]
    run(words, cwd=tmp_path)


def test_an_environment_of_a_run_lacks_the_passphrase() -> None:
    """Neither a run that seedlock starts nor a report has the variable."""
    from seedlock.evaluation.plan import OWN
    from seedlock.evaluation.recording.record import kept_environment
    from seedlock.evaluation.sealing.variables import listed

    variables = {"REPRO_PASSPHRASE_FILE": "/somewhere", "REPRO_LEVEL": "strict"}

    assert "REPRO_PASSPHRASE_FILE" in OWN
    assert kept_environment(variables) == {"REPRO_LEVEL": "strict"}
    assert "REPRO_PASSPHRASE_FILE" not in listed(variables)


def test_help_has_the_statuses() -> None:
    """Each command's help says how it ends."""
    for command in ("open", "freeze", "receipt", "draw", "reveal", "show", "verify"):
        text = run([sys.executable, "-m", "seedlock", "round", command, "--help"]).out
        assert "exit status:" in text
        assert "   78  " in text
    for word, status, _ in claims.VERDICTS.values():
        assert f"\n    {status}  {word}: " in text


def test_names_of_the_tests() -> None:
    """The submissions that the command reads have the names that others have."""
    names: list[Any] = [each["name"] for each in ENTRIES]

    assert names == ["ours", "theirs"]
    assert OPENED < DEADLINE
