"""`seedlock board verify`: an export is proven by its files; each way to change one is named."""

from __future__ import annotations

import json
import shutil
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from seedlock.evaluation.rounds.canonical import sha256
from seedlock.evaluation.rounds.claims import VERDICTS, verdict
from seedlock.evaluation.rounds.verification import Seen
from seedlock.leaderboard import export_verification, rendering
from tests.evaluation.rounds.made_rounds import (
    LOOKED,
    chain,
    read_events,
    seen_of,
    usable_network,
    write_events,
)
from tests.interpreter import Done, run
from tests.leaderboard.exported import OURS, SECOND, copied, export, made, rewrite_sums

SEEDLOCK = str(Path(sys.executable).parent / "seedlock")


@pytest.fixture(scope="module", name="round_folder")
def _round_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    usable_network()
    return made(tmp_path_factory.mktemp("revealed") / "round").folder


@pytest.fixture(scope="module", name="site")
def _site(round_folder: Path) -> Path:
    return export(round_folder, round_folder.parent / "site")


def verified(folder: Path, *options: str) -> Done:
    """Run the command."""
    return run([SEEDLOCK, "board", "verify", str(folder), *options], check=False)


def sums_of(folder: Path) -> str:
    """Return the digest of an export's SHA256SUMS."""
    return sha256((folder / "SHA256SUMS").read_bytes())


def found(folder: Path) -> tuple[str, list[str]]:
    """Return the verdict, and what is wrong."""
    findings = export_verification.verify(folder, LOOKED, Seen())
    return verdict(findings)[0], [each.said for each in findings if each.state == "wrong"]


def test_an_export_verifies(site: Path) -> None:
    """By the command, offline; a private submission's values are the organiser's word, which is
    said, and what nobody noted too."""
    done = verified(site)

    assert done.status == 5, done.out + done.err
    assert done.out.startswith("made-2026: CONDITIONAL")
    assert "wrong" not in done.out
    assert "proven  pages: " in done.out and "proven  board: " in done.out
    (word,) = (line for line in done.lines if "organiser's word" in line)
    assert word.startswith("if      board: the values of 3 runs of 1 submissions")


def test_all_is_proven_of_a_public_round_to_who_noted_in_time(tmp_path: Path) -> None:
    """PROVEN can be reached, so that CONDITIONAL says something."""
    this = made(tmp_path / "round", entries=[OURS, SECOND])
    site = export(this.folder, tmp_path / "site")
    seen = seen_of(this, [(9, read_events(this.folder)[8]["hash"])])

    findings = export_verification.verify(site, LOOKED, seen, sums_of(site))

    assert [each.said for each in findings if each.state != "proven"] == []


def replace(name: str, old: str, new: str) -> Callable[[Path], None]:
    """Return what replaces a text in a file of an export."""

    def tamper(folder: Path) -> None:
        text = (folder / name).read_text()
        assert old in text, name
        (folder / name).write_text(text.replace(old, new, 1))

    return tamper


def _number_in_board(folder: Path) -> None:
    path = folder / "board.json"
    content = json.loads(path.read_bytes())
    ours = next(each for each in content["submissions"] if each["name"] == "ours")
    ours["scores"]["accuracy"]["mean"] += 0.1
    _write_board(path, content)


def _value_in_board(folder: Path) -> None:
    """Change a value and all that follows from it: only the record tells."""
    from seedlock.leaderboard import board_recount, export_layout

    path = folder / "board.json"
    content = json.loads(path.read_bytes())
    ours = next(each for each in content["submissions"] if each["name"] == "ours")
    ours["runs"][0]["metrics"]["accuracy"] = 0.99
    shutil.move(folder / "records", folder.parent / "aside")
    with export_layout.as_round(folder) as place:
        anew = board_recount.recount(place, content, False).standings
    shutil.move(folder.parent / "aside", folder / "records")
    path.write_bytes(anew.as_bytes())


def _private_value_alone(folder: Path) -> None:
    """A private value can be changed, but not without what follows from it."""
    path = folder / "board.json"
    content = json.loads(path.read_bytes())
    hidden = next(each for each in content["submissions"] if each["name"] == "hidden")
    hidden["runs"][0]["metrics"]["accuracy"] = 0.99
    _write_board(path, content)


def _write_board(path: Path, content: dict[str, Any]) -> None:
    text = json.dumps(content, indent=1, sort_keys=True, ensure_ascii=False)
    path.write_text(f"{text}\n")


def _record(folder: Path) -> None:
    path = folder / "records" / "ours" / "1-1.json"
    path.write_bytes(path.read_bytes().replace(b"0.51", b"0.91"))


def _missing_record(folder: Path) -> None:
    (folder / "records" / "ours" / "1-1.json").unlink()


def _private_record(folder: Path) -> None:
    (folder / "records" / "hidden").mkdir()
    (folder / "records" / "hidden" / "0-1.json").write_text("{}")


def _extra(folder: Path) -> None:
    (folder / "submissions" / "nobody.html").write_text("<p>best of all</p>")


def _extra_document(folder: Path) -> None:
    (folder / "files" / "notes.txt").write_text("hello")


def _missing_page(folder: Path) -> None:
    (folder / "submissions" / "ours.html").unlink()


def _ledger(folder: Path) -> None:
    replace("files/ledger.jsonl", "author-failure", "limit")(folder)


def _ledger_anew(folder: Path) -> None:
    """Take an event out and compute the whole chain anew."""
    files = folder / "files"
    events = [json.loads(line) for line in (files / "ledger.jsonl").read_bytes().splitlines()]
    events.pop(4)
    chain(events)
    write_events(files, events)


def _chart(folder: Path) -> None:
    one, other = folder / "submissions" / "ours.html", folder / "submissions" / "second.html"
    first, second = one.read_text(), other.read_text()
    svg = [text[text.index("<svg") : text.index("</svg>") + 6] for text in (first, second)]
    assert svg[0] != svg[1]
    one.write_text(first.replace(svg[0], svg[1]))


TAMPERED: dict[str, tuple[Callable[[Path], None], str, str]] = {
    "a number in board.json": (_number_in_board, "board.json", "scores.accuracy.mean"),
    "a value and all that follows": (_value_in_board, "board.json", "runs[0].metrics.accuracy"),
    "a private value": (_private_value_alone, "board.json", "scores.accuracy"),
    "a number on a page": (
        replace("index.html", "0.5", "0.9"),
        "index.html",
        "is not what is made",
    ),
    "a number in the table": (replace("board.csv", "0.5", "0.9"), "board.csv", "is not what"),
    "a record": (_record, "ours/1-1.json", "another file than the ledger says"),
    "a record that is missing": (_missing_record, "ours/1-1.json", "the board has its"),
    "a private record": (_private_record, "records/hidden/0-1.json", "the round names no such"),
    "an extra page": (_extra, "nobody.html", "is no file of an export"),
    "an extra document": (_extra_document, "notes.txt", "the round names no such file"),
    "a missing page": (_missing_page, "submissions/ours.html", "is missing"),
    "a line of the ledger": (_ledger, "ledger.jsonl", "was changed: its hash"),
    "a ledger computed anew": (_ledger_anew, "ledger.jsonl", "attempt"),
    "a chart of another": (_chart, "submissions/ours.html", "is not what is made"),
    "the style sheet": (replace("static/style.css", "{", "{ "), "style.css", "is not what is"),
    "the policy": (replace("files/policy.toml", "seeds = 3", "seeds = 4"), "policy.toml", "seeds"),
    "the reveal": (replace("files/reveal.json", '"head": "', '"head": "0'), "reveal.json", ""),
}


@pytest.mark.parametrize("name", list(TAMPERED))
def test_each_change_is_found_and_named(site: Path, tmp_path: Path, name: str) -> None:
    """By the sums; and where these were made to fit, by what is computed anew."""
    tamper, file, said = TAMPERED[name]
    folder = copied(site, tmp_path / "site")
    tamper(folder)

    word, wrong = found(folder)
    assert word == "WRONG"
    assert any(file in each for each in wrong), wrong
    assert any("SHA256SUMS" in each or "is missing" in each for each in wrong)

    rewrite_sums(folder)
    word, wrong = found(folder)
    assert word == "WRONG"
    assert any(file in each and said in each for each in wrong), wrong
    assert not any("SHA256SUMS" in each for each in wrong)


def test_exit_statuses(site: Path, tmp_path: Path) -> None:
    """1 for a change, with its line; 3 before the reveal; 78 for what is no export; 2."""
    changed = copied(site, tmp_path / "changed")
    (changed / "index.html").write_text("")
    early = export(made(tmp_path / "round", revealed=False).folder, tmp_path / "early")
    (tmp_path / "none").mkdir()

    wrong, none = (verified(each) for each in (changed, tmp_path / "none"))

    assert wrong.status == 1 and "wrong   files: index.html was changed" in wrong.out
    findings = export_verification.verify(early, LOOKED, Seen())
    assert verdict(findings)[:2] == ("INCOMPLETE", 3)
    assert none.status == 78 and "bad-export" in none.err
    assert verified(site, "--sums", "sha256:12").status == 2


def test_help_has_the_statuses(tmp_path: Path) -> None:
    """Those of the round's own verification, and its own for what is no export."""
    text = verified(tmp_path, "--help").out

    for word, status, _ in VERDICTS.values():
        assert f"\n    {status}  {word}: " in text
    assert "   78  the folder is no exported board" in text


def test_sums_that_somebody_noted(site: Path, tmp_path: Path) -> None:
    """They bind the whole export, the values of private submissions with it."""
    digest = sums_of(site)
    folder = copied(site, tmp_path / "site")
    replace("export.json", "T00:00:00Z", "T01:00:00Z")(folder)
    rewrite_sums(folder)

    same, other = (
        export_verification.verify(each, LOOKED, Seen(), digest) for each in (site, folder)
    )

    said = [f"SHA256SUMS is {word} one that was noted" for word in ("the", "not the")]
    assert [each.said for each in same if "was noted" in each.said] == said[:1]
    assert [each.said for each in other if each.state == "wrong"] == said[1:]


def test_pages_of_another_version_are_said_to_rest_on_the_sums(site: Path, tmp_path: Path) -> None:
    """They can't be made anew then; numbers, ledger and records are computed as ever."""
    folder = copied(site, tmp_path / "site")
    replace("export.json", "seedlock ", "seedlock 9")(folder)
    rewrite_sums(folder)

    findings = export_verification.verify(folder, LOOKED, Seen())

    assert verdict(findings)[0] == "CONDITIONAL"
    (pages,) = (each for each in findings if each.about == "pages")
    assert pages.state == "if" and "seedlock 9" in pages.said
    assert "board" in {each.about for each in findings if each.state == "proven"}


def test_pages_of_other_code_are_not_called_wrong(
    site: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Another commit of the same version makes other pages, which are said to be of other code."""
    files = rendering.code()
    changed = tmp_path / "base.html"
    changed.write_bytes(
        (rendering.CODE / "leaderboard/templates/base.html").read_bytes() + b"<!---->"
    )
    monkeypatch.setattr(rendering, "CODE", tmp_path)
    monkeypatch.setattr(rendering, "code", lambda: [changed])
    rendering.made_by.cache_clear()
    findings = export_verification.verify(site, LOOKED, Seen())
    rendering.made_by.cache_clear()

    (pages,) = (each for each in findings if each.about == "pages")
    assert len(files) > 50 and pages.state == "if"
    assert "they were made by seedlock" in pages.said and pages.said.count("code ") == 2


def test_all_code_behind_a_page_is_digested() -> None:
    """What export_pages imports of the leaderboard, scores, rounds and spot checks is in it; rooms
    below them make no sentence and no number of a page."""
    program = (
        "import sys, seedlock.leaderboard.export_pages\n"
        "from seedlock.leaderboard import rendering\n"
        "known = {str(each) for each in rendering.code()}\n"
        "rooms = 'seedlock.leaderboard', *('seedlock.evaluation.' + each for each in\n"
        "    ('rounds', 'scores', 'spot_checks'))\n"
        "for name, each in sorted(sys.modules.items()):\n"
        "    if name.startswith(rooms) and each.__file__ not in known: print(name)\n"
    )
    assert run([sys.executable, "-c", program]).lines == []


def test_a_link_is_no_file(site: Path, tmp_path: Path) -> None:
    """It could lead to anything."""
    folder = copied(site, tmp_path / "site")
    (folder / "index.html").rename(tmp_path / "outside.html")
    (folder / "index.html").symlink_to(tmp_path / "outside.html")

    word, wrong = found(folder)

    assert word == "WRONG"
    assert "index.html is a link, an empty folder or no file" in wrong
