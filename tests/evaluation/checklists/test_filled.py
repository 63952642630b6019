"""Points and their answers: never more than the records hold, whatever is wrong with them."""

from __future__ import annotations

import copy
import json
import random
import re
from collections.abc import Sequence
from typing import Any

import pytest

from seedlock.errors import BadRecord
from seedlock.evaluation.checklists.answers import AUTHOR, PARTLY, RECORD, Answer
from seedlock.evaluation.checklists.badges import FUNCTIONAL, REPRODUCED, badges
from seedlock.evaluation.checklists.facts import Facts, Recorded, Replayed
from seedlock.evaluation.checklists.filled import RULES, answer, filled
from seedlock.evaluation.checklists.sheet_page import page
from seedlock.evaluation.checklists.sheet_text import markdown, text
from seedlock.evaluation.checklists.sheets import Point, checklists
from seedlock.evaluation.recording.record import parse
from tests.evaluation.made_records import DIGEST, REPORT, made
from tests.evaluation.recording.test_record import BEGUN, places

CLASSES = ("author-failure", "metrics", "not-locked", "changed", "limit", "infrastructure")

ALONE = {"settings", "selection", "replayed", "rerun", "spread", "expectation", "reproduced"}
"""Rules to which one record, good as it may be, does not suffice."""


def facts(*contents: dict[str, Any], replays: Sequence[Replayed] = ()) -> Facts:
    """Return the facts of records run-1 and so on."""
    records = [
        Recorded(f"run-{number}", DIGEST, content) for number, content in enumerate(contents, 1)
    ]
    return Facts(records, replays)


def replay(verdict: str, of: str = "run-1") -> Replayed:
    """Return what a replay came to."""
    return Replayed("replay.json", DIGEST, of, verdict)


def said(rule: str, found: Facts) -> Answer:
    """Return what a rule says to a point that leaves nothing to the author."""
    return answer(Point("1", "Name", "About.", rule), found)


@pytest.mark.parametrize("rule", sorted(RULES))
def test_a_record_that_left_nothing_open_answers_by_itself(rule: str) -> None:
    """All but what takes more than one record; and the answer has its evidence."""
    found = said(rule, facts(made()))

    assert (found.status == RECORD) == (rule not in ALONE), found
    assert found.evidence or found.status != RECORD
    assert bool(found.reasons) == (found.status != RECORD)


SPOILED: list[tuple[str, dict[str, Any], str, str]] = [
    ("level", {"level": "warn"}, "seeds", "ran at level warn"),
    ("watched", {"level": "watch"}, "seeds", "ran at level watch"),
    ("gap", {"processes": [{**REPORT, "gaps": ["threads"]}]}, "seeds", "gaps: threads"),
    ("library's gap", {"processes": [{**REPORT, "libraries": {"x": {"gaps": ["y"]}}}]}, "seeds",
     "gaps: y"),
    ("no report", {"processes": []}, "seeds", "no process left a report"),
    ("half a report", {"processes": [{**REPORT, "status": "running"}]}, "seeds", "no finished"),
    ("kept seed", {"processes": [{**REPORT, "user_seeds": [
        {"policy": "keep", "where": "a.py:1"}]}]}, "seeds", "count as written at a.py:1"),
    ("entropy", {"processes": [{**REPORT, "entropy": [{"where": "a.py:1"}]}]}, "seeds",
     "drew from the system"),
    ("no lock", {"lock": None}, "software", "no lock was in force"),
    ("drift", {"lock": {"sha256": "0", "drift": {"numpy": {}}}}, "dependencies", "numpy"),
    ("changed source", {"source": {**made()["source"], "changed": ["a.py"]}}, "code", "a.py"),
    ("ignored file read", {"source": {**made()["source"], "ignored": {
        "count": 1, "first": [], "read": ["b.txt"]}}}, "code", "b.txt"),
    ("empty source", {"source": {**made()["source"], "files": 0}}, "code", "no file at all"),
    ("no source", {"source": None}, "code", "no source was recorded"),
    ("unverified data", {"data": [{**made()["data"][0], "verified_after": False}]}, "data",
     "set digits was not verified"),
    ("no data", {"data": []}, "data", "no data was declared"),
    ("unknown licence", {"data": [{**made()["data"][0], "licence": "unknown"}]}, "licences",
     "licence of digits is not known"),
    ("other reads", {"reads": {"files": ["/etc/x"], "more": 0, "complete": True, "by": "y"}},
     "reads", "/etc/x"),
    ("reads half seen", {"reads": {"files": [], "more": 0, "complete": False, "by": "audit"}},
     "data", "audit"),
    ("not sealed", {"guarantees": None}, "sealed", "not sealed"),
    ("promise lost", {"guarantees": {"network": {"held": False, "by": "none", "note": ""}}},
     "sealed", "network"),
    ("promise odd", {"guarantees": {"network": {"held": "yes"}}}, "sealed", "network"),
    ("no promise", {"guarantees": {}}, "sealed", "any promise"),
    ("no machine", {"host": {}}, "compute", "does not name the processor"),
    ("no metric", {"metrics": {"declared": [], "final": {}, "series": {}}}, "metrics",
     "no record declares"),
    ("no output", {"outputs": []}, "outputs", "no file came out"),
]  # fmt: skip


@pytest.mark.parametrize(
    ("changes", "rule", "reason"), [row[1:] for row in SPOILED], ids=[row[0] for row in SPOILED]
)
def test_what_did_not_hold_is_no_yes(changes: dict[str, Any], rule: str, reason: str) -> None:
    """And the reason says so; with a second, good record too."""
    for contents in ([made(1, **changes)], [made(1, **changes), made(2)]):
        parse("x", json.dumps(contents[0]).encode())
        found = said(rule, facts(*contents))

        assert found.status != RECORD
        assert any(reason in each for each in found.reasons) or len(contents) == 2, found.reasons


@pytest.mark.parametrize("kind", CLASSES)
def test_nothing_is_answered_by_a_run_that_did_not_end_well(kind: str) -> None:
    """Not even what is true of it: partly, with the class of its end."""
    outcome = {"class": kind, "exit_status": 1, "reasons": [], "notes": []}
    for contents in ([made(1, outcome=outcome)], [made(1), made(2), made(3, outcome=outcome)]):
        for rule in RULES:
            found = said(rule, facts(*contents))

            assert found.status != RECORD
            assert found.status == AUTHOR or any(f"ended as {kind}" in r for r in found.reasons)


def test_a_record_that_says_running_proves_nothing() -> None:
    """Every point of every checklist is the author's, also beside good records."""
    running = {"format": "seedlock-record", "version": 1, "status": "running", **BEGUN}

    for found in (facts(running), facts(made(1), made(2), running)):
        for checklist in filled(checklists(), found)["checklists"]:
            assert checklist["counts"] == {RECORD: 0, PARTLY: 0, AUTHOR: len(checklist["points"])}
        assert not any(each["supported"] for each in badges(found))


def test_what_is_left_to_the_author_is_never_answered_whole() -> None:
    """Nor is what has no rule answered at all."""
    good = facts(made(1, 0.9), made(2, 0.91), replays=[replay("IDENTICAL"),
                                                       replay("IDENTICAL", "run-2")])  # fmt: skip
    for checklist in checklists():
        for point in checklist.points:
            status = answer(point, good).status
            assert point.rule is not None or status == AUTHOR
            assert point.left is None or status != RECORD


def test_spread_needs_two_seeds_of_one_recipe() -> None:
    """With mean, deviation and interval as docs/scores.md has them; failed seeds make it partly."""
    values = [0.9, 0.91, 0.93]
    found = said("spread", facts(*(made(seed, each) for seed, each in enumerate(values))))

    assert found.status == RECORD
    assert "mean 0.913333, sd 0.0153 (n - 1)" in found.said and "3 seeds" in found.said
    assert "0.875388 to 0.951279" in found.said
    assert said("spread", facts(made(1))).status == AUTHOR
    assert said("spread", facts(made(1), made(1, 0.95))).status == AUTHOR
    assert said("spread", facts(made(1), made(2))).status == PARTLY  # equal values
    other = {"command": ["python", "other.py"]}
    assert said("spread", facts(made(1), made(2, 0.95, **other))).status == PARTLY
    assert said("spread", facts(made(1), made(2, 0.95, level="watch"))).status == PARTLY


def test_a_failed_run_has_no_value_in_the_spread() -> None:
    """What it logged before it ended is no sample of what the recipe comes to."""
    failed = made(3, 0.1, outcome={"class": "limit", "exit_status": 1, "reasons": [], "notes": []})

    found = said("spread", facts(made(1, 0.9), made(2, 0.91), failed))

    assert "accuracy: mean 0.905, " in found.said and "2 seeds" in found.said
    assert {name for name, _, _ in found.evidence} == {"run-1", "run-2"}
    assert found.status == PARTLY
    assert said("spread", facts(made(1, 0.9), failed)).status == AUTHOR


def test_a_metric_with_a_slash_in_its_name_has_its_evidence() -> None:
    """As validation/loss, which is a name and no path."""
    name = "validation/loss"
    contents = []
    for seed, value in ((1, 0.5), (2, 0.25)):
        content = made(seed)
        content["metrics"]["declared"] = [{"name": name, "direction": "min", "unit": ""}]
        content["metrics"]["final"] = {name: value}
        contents.append(content)

    for rule in ("spread", "expectation"):
        found = said(rule, facts(*contents))
        assert found.evidence == (
            ("run-1", f"metrics.final.{name}", "0.5"), ("run-2", f"metrics.final.{name}", "0.25"),
        )  # fmt: skip
    assert "seedlock watch --expect" in found.said


def test_a_seed_that_comes_twice_is_no_further_run() -> None:
    """Whoever counts runs is told."""
    assert said("runs", facts(made(1), made(2))).status == RECORD
    assert said("runs", facts(made(1), made(1))).status == PARTLY


@pytest.mark.parametrize(
    ("verdict", "status"),
    [("IDENTICAL", RECORD), ("WITHIN TOLERANCE", PARTLY), ("DIFFERENT", PARTLY),
     ("NOT COMPARABLE", PARTLY)],
)  # fmt: skip
def test_replays(verdict: str, status: str) -> None:
    """Only one that came out the same answers; and only if each record was replayed."""
    one = facts(made(1), replays=[replay(verdict)])
    two = facts(made(1), made(2), replays=[replay(verdict)])

    assert said("replayed", one).status == status
    assert said("replayed", two).status == PARTLY
    good = verdict in ("IDENTICAL", "WITHIN TOLERANCE")
    assert (said("reproduced", one).status == PARTLY) == good
    supported = {each["badge"]: each["supported"] for each in badges(one)}
    assert supported[REPRODUCED] == good
    assert not {each["badge"]: each["supported"] for each in badges(two)}[REPRODUCED]


def test_badges_have_conditions_and_what_is_missing() -> None:
    """A good record supports Functional; each doubt takes it away."""
    good = {each["badge"]: each for each in badges(facts(made(1)))}
    assert good[FUNCTIONAL]["supported"] and good[FUNCTIONAL]["conditions"]
    assert not good[REPRODUCED]["supported"]
    for changes in ({"lock": None}, {"reads": made()["reads"] | {"complete": False}},
                    {"source": None}):  # fmt: skip
        bad = {each["badge"]: each for each in badges(facts(made(1, **changes)))}
        assert not bad[FUNCTIONAL]["supported"] and bad[FUNCTIONAL]["missing"]


def test_badges_are_a_list_in_markdown() -> None:
    """A line each: what only stands on lines of its own would be one paragraph."""
    found = filled(checklists(["acm"]), facts(made(1)))
    *_, end = markdown(found).partition("\nBadges that the records support: ")
    first, empty, *rows = end.splitlines()

    assert first == f"{FUNCTIONAL}." and empty == ""
    assert len(rows) >= 4 and all(row.startswith("- ") for row in rows)
    assert f"\nbadges that the records support: {FUNCTIONAL}\n  " in text(found)


def test_records_broken_in_every_way() -> None:
    """What the schema lets through is filled in, as lines and Markdown, without a traceback."""
    chance = random.Random(3)
    odd: list[Any] = [None, 0, -1.5, "x", [], {}, [None], {"x": None}, [1, "a"], True, "NaN"]
    paths = places(made())
    through = 0
    for _ in range(300):
        content = copy.deepcopy(made())
        for _ in range(chance.randint(1, 3)):
            inner: Any = content
            *before, last = chance.choice(paths)
            try:
                for key in before:
                    inner = inner[key]
                inner[last] = chance.choice(odd)
            except (KeyError, IndexError, TypeError):
                continue
        try:
            parse("x", json.dumps(content).encode())
        except BadRecord:
            continue
        through += 1
        found = filled(checklists(), facts(content, made(2)))
        assert text(found) and markdown(found)
        json.dumps(found)
    assert through > 30


def test_what_records_say_is_text_on_the_page() -> None:
    """Names, commands and paths are anybody's."""
    evil = "<script>alert(1)</script>|`*"
    content = made(1, command=[evil], outputs=[{"path": evil, "sha256": DIGEST, "size": 1}])
    found = filled(checklists(), facts(content))
    html = page(found)

    assert "<script" not in html and "&lt;script&gt;" in html
    assert "src=" not in html and "href=" not in html
    outside = re.sub("`[^`\n]*`", "", markdown(found))
    assert "\\<script\\>" in outside and not re.search(r"(?<!\\)[<|]", outside)
