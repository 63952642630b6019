"""The files of the checklists: their form, their rules, and what the document says of them."""

from __future__ import annotations

from pathlib import Path

import pytest

from seedlock.evaluation.checklists import sheets
from seedlock.evaluation.checklists.filled import RULES
from seedlock.evaluation.checklists.sheets import BadChecklist, Checklist, checklists, read
from tests.interpreter import REPOSITORY

FOLDER = Path(sheets.__file__).parent / "points"

GOOD = """\
format = 1
id = "x"
title = "X"
edition = "1"
source = "https://example.org"
seen = "2026-11-22"
copy = "the page"
[[points]]
id = "1"
name = "Seeds"
about = "How they were set."
rule = "seeds"
left = "why"
"""


@pytest.mark.parametrize("name", sheets.ORDER)
def test_each_file_is_a_checklist_with_rules_that_there_are(name: str) -> None:
    """By the checks that a reader would otherwise meet as a traceback."""
    found = read(name, (FOLDER / f"{name}.toml").read_text(), RULES)

    assert found.id == name
    assert found.source.startswith(("https://", "docs/"))


def test_every_file_is_shown_and_every_rule_is_used() -> None:
    """Nothing lies about."""
    assert {path.stem for path in FOLDER.iterdir()} == set(sheets.ORDER)
    assert {point.rule for each in checklists() for point in each.points} - {None} == set(RULES)


def test_some_of_them() -> None:
    """In the package's order, and one that is not there is refused."""
    assert [each.id for each in checklists(["acm", "neurips"])] == ["neurips", "acm"]
    with pytest.raises(BadChecklist, match="allowed: neurips, "):
        checklists(["neurips", "x"])


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("format = 1", "format = 2", "has format 2"),
        ('title = "X"', 'title = ""', "title is ''"),
        ('title = "X"', "title = 1", "title is 1"),
        ('edition = "1"\n', "", "lacks edition"),
        ('seen = "2026-11-22"', 'seen = "today"', "was seen 'today'"),
        ('name = "Seeds"', 'label = "Seeds"', "lacks name"),
        ('left = "why"', 'right = "why"', "has right"),
        ('rule = "seeds"', 'rule = "guess"', "rule of 1 is 'guess'"),
        ('rule = "seeds"\n', "", "has no rule that leaves"),
        ('left = "why"', '[[points]]\nid = "1"\nname = "a"\nabout = "b"', "has 1 twice"),
        ("[[points]]", "[points]", "has no points"),
        ("[[points]]", "[[points", "no TOML"),
    ],
)
def test_what_is_no_checklist_is_refused(old: str, new: str, said: str) -> None:
    """With the key and what may stand there."""
    assert read("x", GOOD, RULES).points[0].rule == "seeds"

    with pytest.raises(BadChecklist, match=said) as refusal:
        read("x", GOOD.replace(old, new), RULES)

    assert "allowed: " in str(refusal.value)


def test_the_principles_go_along_a_models_life() -> None:
    """Each of the five stages has points, and in each there is one that records answer."""
    (found,) = checklists(["principles"])
    stages: dict[str, bool] = {}
    for point in found.points:
        stage = point.name.partition(":")[0]
        stages[stage] = stages.get(stage, False) or (point.rule is not None and not point.left)

    assert stages == dict.fromkeys(
        ("Solution design", "Data collection", "Model development", "Data and model legacy",
         "Deployment tracking"), True,
    )  # fmt: skip


def row(checklist: Checklist) -> str:
    """Return what the document's table says of a checklist."""
    whole = [each.id for each in checklist.points if each.rule and not each.left]
    part = [each.id for each in checklist.points if each.left]
    alone = [each.id for each in checklist.points if not each.rule]
    return f"| `{checklist.id}` | " + " | ".join(
        ", ".join(ids) or "-" for ids in (whole, part, alone)
    ) + " |"  # fmt: skip


def test_the_document_says_who_answers_what() -> None:
    """The table of docs/checklists.md, and each source, are those of the files."""
    text = (REPOSITORY / "docs/checklists.md").read_text()

    for each in checklists():
        assert row(each) in text
        assert each.source in text or each.id == "principles"
