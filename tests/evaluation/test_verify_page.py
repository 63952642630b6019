"""verify_page.py and verify_text.py: what a reader sees, and what a submission can't put there."""

from __future__ import annotations

import copy
from html.parser import HTMLParser
from typing import Any

import pytest

from seedlock.evaluation.verify_page import page, pictures
from seedlock.evaluation.verify_text import text

EVIL = "<script>alert(1)</script>\x1b[2J'\""

EVENT = {"kind": "step", "step": 12, "op": "SGD.step", "at": "train.py:33", "digest": "aa"}
DIVERGENCE = {
    "place": "", "index": 40, "step": 12, "kind": "step", "op": "SGD.step", "at": "train.py:33",
    "first": EVENT, "second": {**EVENT, "digest": "bb"}, "differs": ["digest"],
    "source": "opt.step()",
    "element": {"array": 0, "name": "fc.weight", "dtype": "float32", "index": [1, 2],
                "first_text": "0.1", "second_text": "0.2", "first_bits": "0x3dcccccd",
                "second_bits": "0x3dccccce", "distance": 1, "unit": "ulp"},
    "causes": [{"text": "a race", "evidence": "index_add", "cure": "sort", "guess": True}],
}  # fmt: skip
TIMELINE = {
    "place": "", "events": [100, 100], "kinds": [{"step": 20}, {"step": 20}], "steps": [20, 20],
    "width": 1, "equal": [True] * 12 + [False] * 8,
}  # fmt: skip
PAIR = {
    "first": "A-1", "second": "A-2", "divergence": DIVERGENCE, "result": DIVERGENCE, "results": 40,
    "files": 2, "recognised": 1, "timelines": [TIMELINE], "same": False, "same_results": False,
    "findings": [{"file": "r.json", "where": "loss", "kind": "difference", "first": "0.5",
                  "second": "0.6", "note": "", "metric": True}],
}  # fmt: skip
RESULT = {
    "schema": 1, "seedlock": "0", "command": ["python"], "folder": "/f", "working_folder": "/w",
    "repeat": "seedlock verify -- python", "seeds": [7, 8], "trace": "step",
    "outcome": "not repeatable", "exit_status": 1, "deaf_because": [],
    "reasons": ["it proves nothing"],
    "verdicts": {"repeatable": "NOT REPEATABLE", "seed": "UNKNOWN"}, "last_lines": [],
    "runs": [{"name": "A-1", "seed": 7, "status": "finished", "exit_status": 0, "seconds": 1.5,
              "steps": 20, "folder": "/f/A-1", "left_over": [], "survivors": []}],
    "comparisons": [PAIR, {**PAIR, "second": "B-1"}], "advice": ["train.py:33: look here"],
    "bisected": {"step": 12, "pairs": 1, "first": "bisect-1", "second": "bisect-2", "note": "",
                 "divergence": DIVERGENCE},
    "gaps": ["a gap"], "notes": ["a note"],
}  # fmt: skip


def poisoned(value: Any) -> Any:
    """Return a result in which each text of the submission's is an attack."""
    if isinstance(value, dict):
        return {key: poisoned(each) for key, each in value.items()}
    if isinstance(value, list):
        return [poisoned(each) for each in value]
    return value + EVIL if isinstance(value, str) else value


class Reader(HTMLParser):
    """Collects elements, attributes and text, and whether elements are closed in order."""

    def __init__(self) -> None:
        super().__init__()
        self.elements: list[str] = []
        self.attributes: list[tuple[str, str | None]] = []
        self.text = ""
        self.open: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append(tag)
        self.attributes += attrs
        if tag not in ("meta", "rect", "line"):
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append(tag)
        self.attributes += attrs

    def handle_endtag(self, tag: str) -> None:
        if tag not in ("rect", "line"):
            assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.text += data


def read(result: dict[str, Any]) -> Reader:
    """Return the page, read."""
    reader = Reader()
    reader.feed(page(result))
    assert not reader.open
    return reader


def test_a_page_tells_everything() -> None:
    """Verdicts, where and how two runs part, findings, advice, runs, gaps and how to repeat it."""
    found = read(RESULT)

    for each in (
        "NOT REPEATABLE", "SEED UNKNOWN", "it proves nothing",
        "step 12, step SGD.step at train.py:33", "opt.step()",
        "0x3dcccccd", "1 ulp apart", "a race", "The operation, found by tracing step 12", "r.json",
        "metric, difference", "train.py:33: look here", "a gap", "a note",
        "seedlock verify -- python",
    ):  # fmt: skip
        assert each in found.text, each


def test_a_page_stands_alone() -> None:
    """It loads nothing, runs nothing, says that it must not, and fits a phone and the dark."""
    found, source = read(RESULT), page(RESULT)

    assert not {"script", "link", "img", "iframe", "object", "embed"} & set(found.elements)
    assert not {"src", "href"} & {name for name, _ in found.attributes}
    assert "default-src 'none'" in source
    assert "width=device-width" in source
    assert "prefers-color-scheme: dark" in source


def test_a_submission_can_not_write_the_page() -> None:
    """What it names, prints or computes is text."""
    result = copy.deepcopy(RESULT)
    for key in ("comparisons", "advice", "gaps", "notes", "repeat", "folder", "last_lines", "runs"):
        result[key] = poisoned(result[key])
    result["bisected"]["divergence"] = poisoned(DIVERGENCE)  # type: ignore[index]

    found = read(result)

    assert "script" not in found.elements
    assert not any(name.startswith("on") for name, _ in found.attributes)
    assert EVIL in found.text


def test_a_submission_can_not_move_the_cursor() -> None:
    """Control characters do not reach the terminal."""
    result = {**RESULT, "advice": [EVIL], "last_lines": [EVIL, "a\rb"]}

    printed = text(result, verbose=True)

    assert "\x1b" not in printed
    assert "\r" not in printed


def test_the_picture() -> None:
    """Equal steps are one green bar, different ones a red one, and the mark stands where the two
    part, with a label that stays within the picture."""
    (row,) = pictures(PAIR)["rows"]

    assert [(bar["x"], bar["width"], bar["equal"]) for bar in row["bars"]] == [
        (0, 420, True), (420, 280, False)
    ]  # fmt: skip
    assert row["mark"]["x"] == 420
    assert (row["mark"]["side"], row["mark"]["percent"]) == ("right", 40)
    assert not row["same"]


@pytest.mark.parametrize("steps", [0, 1, 10**7])
def test_a_picture_of_any_length(steps: int) -> None:
    """Also of a process without steps."""
    timeline = {**TIMELINE, "steps": [steps, steps // 2], "equal": [False] * min(steps, 500)}

    assert read({**RESULT, "comparisons": [{**PAIR, "timelines": [timeline]}] * 2})


def test_the_text_is_short_and_verbose_long() -> None:
    """Without --verbose a screen: the rest is on the page."""
    result = {**RESULT, "advice": [f"advice {n}" for n in range(30)]}

    assert "… and 25 more" in text(result)
    assert "advice 29" in text(result, verbose=True)
    assert "a gap" not in text(result)


@pytest.mark.parametrize("outcome", ["invalid", "failed", "interrupted"])
def test_what_was_not_judged(outcome: str) -> None:
    """The reason stands where the verdicts would."""
    result = {
        **RESULT, "outcome": outcome, "comparisons": [], "bisected": None,
        "verdicts": {"repeatable": "UNKNOWN", "seed": "UNKNOWN"}, "reasons": ["because"],
    }  # fmt: skip

    assert text(result).split()[:2] == [outcome.upper(), "because"]
    assert "because" in read(result).text
    assert "REPEATABLE" not in read(result).text
