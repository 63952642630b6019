"""`seedlock show`: a record for people, as lines and as a page."""

from __future__ import annotations

import copy
import gzip
import json
import re
import sys
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest

from seedlock.evaluation.recording.show_page import POINTS, curve, page
from seedlock.evaluation.recording.show_text import INCOMPLETE, size, text
from tests.evaluation.recording.test_record import BEGUN, COMPLETE
from tests.interpreter import Done, run

EVIL = "<script>alert(1)</script>&'\""


def shown(path: Path, *options: str) -> Done:
    """Run the command."""
    return run([sys.executable, "-m", "seedlock", "show", str(path), *options], check=False)


def record(**changes: Any) -> dict[str, Any]:
    """Return a complete record with some keys changed."""
    return {**copy.deepcopy(COMPLETE), **changes}


class Tags(HTMLParser):
    """Count the tags of a page and see that each is closed."""

    def __init__(self) -> None:
        super().__init__()
        self.seen: list[str] = []
        self.open: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Note a tag."""
        self.seen.append(tag)
        if tag != "meta":
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Note a tag that closes itself."""
        self.seen.append(tag)

    def handle_endtag(self, tag: str) -> None:
        """Take its beginning away."""
        assert self.open.pop() == tag


def test_lines_and_page(tmp_path: Path) -> None:
    """What it says comes on stdout; the page is whole and loads nothing."""
    path = tmp_path / "run.json"
    path.write_text(json.dumps(record()))

    done = shown(path, "--html", str(tmp_path / "page.html"))

    assert done.status == 0
    assert done.out.startswith("DONE\n")
    html = (tmp_path / "page.html").read_text()
    tags = Tags()
    tags.feed(html)
    assert tags.open == []
    assert "svg" in tags.seen and "script" not in tags.seen
    assert not re.search(r"(?:src|href)=", html)


@pytest.mark.parametrize("kind", ["author-failure", "not-locked", "changed", "metrics", "limit"])
def test_what_is_not_good_does_not_look_good(kind: str) -> None:
    """Neither in the first line nor on the page."""
    content = record(outcome={"class": kind, "exit_status": 1, "reasons": ["because"], "notes": []})

    assert not text(content).startswith("DONE")
    assert "because" in text(content)
    assert 'class="verdict bad"' in page(content)


def test_an_incomplete_record_says_so_first(tmp_path: Path) -> None:
    """And the exit status, too."""
    content = {"format": "seedlock-record", "version": 1, "status": "running", **BEGUN}
    path = tmp_path / "run.json"
    path.write_text(json.dumps(content))

    done = shown(path)

    assert done.status == 4
    assert done.out.startswith(INCOMPLETE)
    assert 'class="verdict bad"' in page(content)


def test_a_stranger_is_refused(tmp_path: Path) -> None:
    """One line on stderr; for a bundle it says how to get at its record."""
    (tmp_path / "x.json").write_text("{}")
    (tmp_path / "x.tar.gz").write_bytes(gzip.compress(b"a bundle"))

    done = shown(tmp_path / "x.json")
    bundle = shown(tmp_path / "x.tar.gz")

    assert (done.status, bundle.status) == (78, 78)
    assert done.err.count("\n") == 1 and "is no record" in done.err
    assert bundle.err.count("\n") == 1 and "tar -xOf BUNDLE record.json" in bundle.err


def test_a_page_that_cant_be_written(tmp_path: Path) -> None:
    """In a folder that is not there, or one that takes no file: one line that says why."""
    path = tmp_path / "run.json"
    path.write_text(json.dumps(record()))

    done = shown(path, "--html", str(tmp_path / "none" / "run.html"))

    assert done.status == 74
    said = f"seedlock show: '{tmp_path}/none/run.html' can't be written: No such file or directory"
    assert (done.out, done.err) == ("", f"{said}\n")


def test_what_a_submission_says_is_text(tmp_path: Path) -> None:
    """Names of metrics and files, commands and reasons are escaped."""
    content = record(
        command=[EVIL],
        outcome={"class": "metrics", "exit_status": 0, "reasons": [EVIL], "notes": []},
        outputs=[{"path": EVIL, "sha256": "sha256:" + "0" * 64, "size": 1}],
        metrics={
            "declared": [{"name": EVIL, "direction": "max", "unit": EVIL}],
            "final": {EVIL: 1.0}, "series": {EVIL: [[0, 1.0]]},
        },
    )  # fmt: skip

    html = page(content)

    assert "<script" not in html
    assert html.count("&lt;script&gt;") >= 5


def test_curves_keep_ends_and_leave_out_what_is_not_finite() -> None:
    """Of many points some are drawn, the first and the last among them."""
    points: list[list[Any]] = [[step, float(step)] for step in range(5 * POINTS)]
    points[7][1] = "NaN"

    drawn = curve("loss", points, {"name": "loss", "direction": "min", "unit": "nats"})

    assert len(drawn["line"].split()) <= POINTS + 1
    assert drawn["line"].split()[0] == "0.00,136.00"
    assert drawn["line"].split()[-1] == "700.00,4.00"
    assert drawn["left_out"] == 1


@pytest.mark.parametrize(
    "points",
    [
        [],
        [[0, 1.0]],
        [[3, 2.0], [4, 2.0]],
        [[0, -1.7e308], [1, 1.7e308]],
        [[0, "NaN"]],
        [[10**400, 0.5], [1, 10**400], [2, 0.5]],
    ],
)
def test_curves_of_any_kind(points: list[list[Any]]) -> None:
    """Empty, flat, of one point, as wide as numbers go and wider: all coordinates are inside."""
    drawn = curve("loss", points, None)

    for pair in drawn["line"].split():
        x, y = map(float, pair.split(","))
        assert 0 <= x <= 700 and 0 <= y <= 140


def test_sizes() -> None:
    """With a unit of 1024."""
    assert [size(each) for each in (None, 160, 1536, 3 << 30)] == [
        "unknown", "160 bytes", "1.5 KiB", "3.0 GiB",
    ]  # fmt: skip
