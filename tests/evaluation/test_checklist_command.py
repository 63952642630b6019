"""`seedlock checklist` as a person uses it: records in, lines, Markdown, JSON or a page out."""

from __future__ import annotations

import json
import sys
from html import unescape
from html.parser import HTMLParser
from pathlib import Path

import pytest

from seedlock.cli import main
from seedlock.errors import BadRecord, BadRound
from seedlock.evaluation.checklists.gathering import gathered
from seedlock.evaluation.checklists.sheets import ORDER
from seedlock.evaluation.file_digests import digest_of
from tests.evaluation.made_records import made, written
from tests.evaluation.recording.test_record import BEGUN
from tests.evaluation.scores.made_results import End
from tests.evaluation.scores.made_results import made as made_round
from tests.interpreter import run


def three(folder: Path) -> list[str]:
    """Return the paths of records of three seeds."""
    return written(folder, *(made(seed, value) for seed, value in ((1, 0.9), (2, 0.91), (3, 0.93))))


class Closed(HTMLParser):
    """See that each tag of a page is closed."""

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Note a tag."""
        if tag != "meta":
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        """Take its beginning away."""
        assert self.open.pop() == tag


def test_every_form_says_the_same(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """All checklists, each point once, with evidence and sources; the page loads nothing."""
    paths = three(tmp_path)
    page = tmp_path / "page.html"

    assert main(["checklist", *paths, "--json", "--html", str(page)]) == 0
    found = json.loads(capsys.readouterr().out)
    assert main(["checklist", *paths]) == 0
    lines = capsys.readouterr().out
    assert main(["checklist", *paths, "--markdown"]) == 0
    document, html = capsys.readouterr().out, unescape(page.read_text())

    assert [each["id"] for each in found["checklists"]] == list(ORDER)
    for checklist in found["checklists"]:
        for point in checklist["points"]:
            assert f"{point['status']:<7} {point['id']} {point['name']}\n" in lines
            assert f"### {point['id']} {point['name']}\n" in document
        assert checklist["source"] in lines and checklist["source"] in document
        assert checklist["source"] in html and checklist["copy"][:60] in html
    assert "mean 0.913333" in lines and "mean 0.913333" in document and "mean 0.913333" in html
    assert "badges that the records support: Artifacts Evaluated, Functional" in lines
    parser = Closed()
    parser.feed(html)
    assert parser.open == [] and "src=" not in html and "href=" not in html


def test_some_of_them_and_which_there_are(capsys: pytest.CaptureFixture[str]) -> None:
    """The list needs no record."""
    assert main(["checklist", "--list"]) == 0
    assert [line.split()[0] for line in capsys.readouterr().out.splitlines()] == list(ORDER)
    assert main(["checklist", "--list", "--only", "acm, neurips"]) == 0
    assert len(capsys.readouterr().out.splitlines()) == 2
    assert main(["checklist"]) == 2
    assert "no record is named; allowed: " in capsys.readouterr().err
    assert main(["checklist", "--list", "--only", ","]) == 2


def test_a_record_of_a_run_that_goes_on(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Is named, and the status says so."""
    running = {"format": "seedlock-record", "version": 1, "status": "running", **BEGUN}
    paths = written(tmp_path, made(), running)

    assert main(["checklist", *paths, "--only", "neurips"]) == 4
    assert "run-2.json says running and proves nothing" in capsys.readouterr().out


def test_a_replay_supports_a_badge(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """On conditions that nobody but people can see to."""
    (path,) = written(tmp_path, made())
    result = tmp_path / "replay.json"
    result.write_text(
        json.dumps(
            {
                "verdict": "IDENTICAL",
                "record": "elsewhere/run.json",
                "sealed": True,
                "record_sha256": digest_of(Path(path)).digest,
            }
        )
    )

    assert main(["checklist", path, "--only", "acm", "--replay", str(result)]) == 0
    out = capsys.readouterr().out

    assert "Functional; Results Validated, Reproduced" in out
    assert "Reproduced: supported, if who replayed them is not of the authors" in out


def test_a_round_stands_for_a_submissions_records(tmp_path: Path) -> None:
    """The public ones; of a private submission there are none to be had."""
    ends: dict[str, tuple[str, list[End]]] = {
        "alpha": ("public", [0.91, 0.92, "author-failure"]), "beta": ("private", [0.9, 0.9, 0.9]),
    }  # fmt: skip
    made_round(tmp_path / "round", ends, reveal=True)

    found = gathered([str(tmp_path / "round")], submission="alpha")

    assert len(found.records) == 3 and len(found.ends()) == 1
    (tmp_path / "round/runs/alpha/0-1.json").unlink()
    for name in ("beta", "gamma", None, "alpha"):
        with pytest.raises(BadRound, match="allowed: "):
            gathered([str(tmp_path / "round")], submission=name)


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ("", "is no result of a replay"), ("[]", "is no result"), ('{"verdict": []}', "is no res"),
        ('{"verdict": "GOOD", "record": "x", "record_sha256": "y"}', "says GOOD"),
        ('{"verdict": "IDENTICAL", "record": "x", "record_sha256": "y"}', "is of x with y"),
        ('{"verdict": "IDENTICAL", "record": "run-1.json"}', "older seedlock, which does not say"),
        ('{"verdict": "IDENTICAL", "record": 7, "record_sha256": []}', "is of 7"),
        ('{"verdict": "IDENTICAL", "record": "x", "record_sha256": null}', "is of x with None"),
    ],
)  # fmt: skip
def test_what_is_no_replay_of_these_is_refused(tmp_path: Path, content: str, said: str) -> None:
    """Nobody's replay supports somebody else's badge."""
    (path,) = written(tmp_path, made())
    result = tmp_path / "replay.json"
    result.write_text(content)

    with pytest.raises(BadRecord, match=said) as refusal:
        gathered([path], [str(result)])

    assert "allowed: " in str(refusal.value)


def test_the_replay_of_a_record_that_was_written_anew(tmp_path: Path) -> None:
    """Another run's record lies at the path by now, and nobody replayed that."""
    (path,) = written(tmp_path, made())
    result = tmp_path / "replay.json"
    of = {"record": path, "record_sha256": digest_of(Path(path)).digest}
    result.write_text(json.dumps({"verdict": "IDENTICAL", **of}))
    written(tmp_path, made(2, 0.99))

    with pytest.raises(BadRecord, match="replay of one of the records as they are"):
        gathered([path], [str(result)])


def test_a_page_that_can_not_be_written_is_told(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Status 74, and the name that was given."""
    page = tmp_path / "none" / "page.html"

    assert main(["checklist", *three(tmp_path), "--html", str(page)]) == 74
    assert f"seedlock checklist: '{page}' can't be written: " in capsys.readouterr().err


def test_what_is_no_record_is_refused(tmp_path: Path) -> None:
    """One line on stderr and status 78."""
    (tmp_path / "x.json").write_text("{}")
    for path in (tmp_path / "x.json", tmp_path / "none.json"):
        done = run([sys.executable, "-m", "seedlock", "checklist", str(path)], check=False)

        assert (done.status, done.err.count("\n")) == (78, 1)
        assert "bad-record" in done.err
