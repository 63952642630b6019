"""The page about a lock as one HTML file, with a picture of each task's seeds."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from seedlock.evaluation import charts
from seedlock.evaluation.charts import Row
from seedlock.evaluation.pages import render
from seedlock.evaluation.reference.judging import EQUAL_BITS, EQUAL_DISTRIBUTION
from seedlock.evaluation.reference.lock_blocks import Lines, Picture, Table
from seedlock.evaluation.reference.lock_markdown import TITLE
from seedlock.evaluation.reference.lock_page import summary_of
from seedlock.evaluation.reference.lock_words import headline, sections

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from seedlock.evaluation.charts import Chart
    from seedlock.evaluation.reference.lock_blocks import Block

GOOD = (EQUAL_BITS, EQUAL_DISTRIBUTION)


def page(content: Mapping[str, Any]) -> str:
    """Return the page.

    Args:
        content: what `lock_page.content` returned.
    """
    verdict, sentence = headline(content)
    return render(
        "lock.html",
        {"kind": _kind},
        title=TITLE,
        verdict=verdict,
        sentence=sentence,
        good=content["first"] or verdict in GOOD,
        sections=sections(content),
        pictures={task["name"]: picture(content, task) for task in content["tasks"]},
    )


def picture(content: Mapping[str, Any], task: Mapping[str, Any]) -> Chart | None:
    """Return the seeds of a task in all frameworks, before and now; None without a value."""
    rows = list(_rows(content, task))
    ticks = f"{task['metric']}, target {task['target']:g}"
    title = f"{task['name']}: {task['title']}"
    return charts.seeds(rows, f"task-{task['name']}", title, ticks, "model and lock")


def _rows(content: Mapping[str, Any], task: Mapping[str, Any]) -> Iterator[Row]:
    for group, name in enumerate(task["models"]):
        framework = content["models"][name]["framework"]
        sides = {"models_before": "before", "models": "" if content["first"] else "now"}
        for side, word in sides.items():
            found = summary_of(content, side, name)
            if found is not None:
                values = tuple(content[side][name]["values"].items())
                yield Row(
                    f"{framework} {word}".strip(), None, values, (), found.mean, found.low,
                    found.high, group,
                )  # fmt: skip


def _kind(block: Block) -> str:
    if isinstance(block, Table):
        return "table"
    if isinstance(block, Lines):
        return "lines"
    return "picture" if isinstance(block, Picture) else "text"
