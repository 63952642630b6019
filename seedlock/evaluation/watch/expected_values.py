"""The values that are expected: from records of runs, or from a round's folder."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from seedlock.errors import printable
from seedlock.evaluation.recording import record
from seedlock.evaluation.recording.recipe import differences
from seedlock.evaluation.watch.expectation import BadExpectation

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path


@dataclass
class Values:
    """Values of one metric, one per model.

    Attributes:
        metric: its name.
        direction: `max`, `min` or None.
        values: finite numbers.
        seeds: of each, as text; None where they are hidden.
        notes: what a reader should know.
    """

    metric: str
    direction: str | None
    values: list[float]
    seeds: list[str] | None
    notes: list[str] = field(default_factory=list)


def of_records(paths: Sequence[Path], metric: str | None, anyway: bool = False) -> Values:
    """Return the final values of a metric in records of one recipe.

    Args:
        paths: the files.
        metric: its name; None for the one that they declare.
        anyway: take records of different recipes, too.

    Raises:
        BadRecord: a file is no record.
        BadExpectation: a run did not end well, lacks the metric, or is of another recipe; a seed
            comes twice; they declare several metrics and none was named.
    """
    contents = [(printable(str(path), 200), record.load(path)) for path in paths]
    for shown, content in contents:
        kind = content["outcome"]["class"] if "outcome" in content else content["status"]
        if kind != record.DONE:
            raise BadExpectation(
                f"{shown}: its run is {kind}; allowed: records of runs that ended well; leave it "
                "out"
            )
    name = metric or _only(contents)
    notes = _of_one_recipe(contents, anyway)
    seeds = [str(content["seed"]) for _, content in contents]
    for place, seed in enumerate(seeds):
        if seed in seeds[:place]:
            raise BadExpectation(
                f"{contents[place][0]} is a second record of seed {seed}, and no further model; "
                "allowed: one record per seed; leave it out"
            )
    values = [_final(shown, content, name) for shown, content in contents]
    directions = {
        each["direction"] for _, content in contents for each in content["metrics"]["declared"]
        if each["name"] == name
    }  # fmt: skip
    return Values(name, directions.pop() if len(directions) == 1 else None, values, seeds, notes)


def of_round(folder: Path, submission: str | None, metric: str | None) -> Values:
    """Return the values of a round's submission, one per seed that ended well.

    Raises:
        BadRound: the folder is not whole.
        BadExpectation: there is no such submission or metric, or no value.
    """
    from seedlock.evaluation.scores import standings

    content = standings.of_round(folder).as_dict()
    names = [each["name"] for each in content["submissions"]]
    if submission is None and len(names) == 1:
        submission = names[0]
    if submission not in names:
        given = "no submission is named" if submission is None else f"{submission!r} is none"
        raise BadExpectation(
            f"{printable(given, 120)} of the round's; allowed: "
            f"{printable(', '.join(names) or 'a round with submissions', 300)}; say --submission"
        )
    metrics = content["metrics"]
    if metric is None and len(metrics) == 1:
        metric = next(iter(metrics))
    if metric is None or metric not in metrics:
        raise BadExpectation(
            f"metric {printable(str(metric))} is none of the round's; allowed: "
            f"{', '.join(metrics)}; say --metric"
        )
    found = content["submissions"][names.index(submission)]
    ended = [each for each in found["runs"] if metric in each["metrics"]]
    if not ended:
        raise BadExpectation(
            f"{printable(str(submission))} has no value of {metric}; allowed: a submission of "
            "which runs ended well"
        )
    seeds = content["seeds"]
    left_out = len(found["runs"]) - len(ended)
    said = f"{left_out} of {len(found['runs'])} seeds of the round have no value"
    notes = [said] if left_out else []
    return Values(
        metric, metrics[metric]["direction"], [each["metrics"][metric] for each in ended],
        None if seeds is None else [seeds[each["seed_index"]] for each in ended], notes,
    )  # fmt: skip


def _only(contents: Sequence[tuple[str, Mapping[str, Any]]]) -> str:
    names = [each["name"] for each in contents[0][1]["metrics"]["declared"]]
    if len(names) != 1:
        said = f"declares {', '.join(names)}" if names else "declares no metric"
        raise BadExpectation(
            f"{contents[0][0]} {printable(said, 200)}; allowed: one of a record's metrics; say "
            "--metric NAME"
        )
    return str(names[0])


def _final(shown: str, content: Mapping[str, Any], name: str) -> float:
    value = content["metrics"]["final"].get(name)
    if isinstance(value, bool) or not isinstance(value, (int, float)) or not math.isfinite(value):
        said = "has no metric" if value is None else f"says {value} for metric"
        raise BadExpectation(
            f"{shown} {said} {printable(name)}; allowed: "
            f"{printable(', '.join(sorted(content['metrics']['final'])) or 'a number', 200)}"
        )
    return float(value)


def _of_one_recipe(contents: Sequence[tuple[str, Mapping[str, Any]]], anyway: bool) -> list[str]:
    first_name, first = contents[0]
    found = []
    for shown, content in contents[1:]:
        apart = differences(first, content)
        if apart:
            found.append(f"{shown} differs from {first_name} in {', '.join(apart)}")
    if found and not anyway:
        raise BadExpectation(
            f"{found[0]}: no further model of one recipe; allowed: records that differ in the "
            "seed; leave it out, or say --anyway"
        )
    return found
