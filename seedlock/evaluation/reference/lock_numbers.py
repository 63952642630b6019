"""The numbers of the page about a lock: accuracy, speed, size, frameworks side by side."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from seedlock.evaluation.number_text import at, plain, with_spread
from seedlock.evaluation.reference.judging import EQUAL_BITS
from seedlock.evaluation.reference.lock_blocks import NOTHING, Picture, Table
from seedlock.evaluation.reference.lock_page import summary_of

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from seedlock.evaluation.reference.lock_blocks import Block
    from seedlock.evaluation.scores.summaries import Summary

MIB = 1 << 20

MOST_CHANGED = 30
"""Packages whose size changed that are listed."""

METHOD = (
    "Differences are this lock less the one before, with 95 % Welch intervals. A model FAILs where "
    "Welch's test and the exact permutation test both tell values or epochs to the target apart, "
    "in either direction; p is the larger of the two, by Holm's method over all models whose bits "
    "differ, so that a lock that changes nothing FAILs with a probability of 5 % at most. "
    "Smallest loss: what these seeds would have shown with 80 % power. MLPerf's rule: reference "
    'convergence points as its rule book states them, one-sided; "slower" is seedlock\'s '
    "two-sided variant of it, and decides nothing."
)


def accuracy(page: Mapping[str, Any]) -> Iterator[Block]:
    """Yield what models came to, per task."""
    yield "Epochs to the target: the median of the runs that came to it."
    for task in page["tasks"]:
        more = "more" if task["direction"] == "max" else "less"
        yield (
            f"{task['name']}: {task['title']}; {task['metric']}, {more} is better, target "
            f"{plain(task['target'])}"
        )
        yield Picture(task["name"])
        if page["first"]:
            head = ["model", "mean", "sd", "least", "most", "epochs to the target", "failed seeds"]
            yield Table(head, [_alone(page, name) for name in task["models"]])
        else:
            yield Table(
                ["model", "before", "this lock", "difference", "p", "smallest loss",
                 "epochs to the target", "MLPerf's rule", "failed seeds", "verdict"],
                [_compared(page, name) for name in task["models"]],
            )  # fmt: skip
    if not page["first"]:
        yield METHOD


def _alone(page: Mapping[str, Any], name: str) -> list[str]:
    found, model = summary_of(page, "models", name), page["models"][name]
    if found is None:
        return [name, *[NOTHING] * 4, _epochs(model), _seeds(model["failed"])]
    like = _mean(found)
    spread = NOTHING if found.sd is None else f"{found.sd:.2g}"
    ends = [at(each, like.partition(" ")[0]) for each in (found.minimum, found.maximum)]
    return [name, like, spread, *ends, _epochs(model), _seeds(model["failed"])]


def _compared(page: Mapping[str, Any], name: str) -> list[str]:
    model, old = page["models"][name], page["models_before"].get(name)
    judged = page["judged"].get(name)
    judgement = judged["judgement"] if judged else None
    before, after = (summary_of(page, side, name) for side in ("models_before", "models"))
    means = [NOTHING if each is None else _mean(each) for each in (before, after)]
    epochs = f"{_epochs(old) if old else NOTHING}, now {_epochs(model)}"
    failed = _seeds(model["failed"])
    verdict = judged["verdict"] if judged else NOTHING
    if judgement is None:
        return [name, *means, NOTHING, NOTHING, NOTHING, epochs, NOTHING, failed, verdict]
    tested = verdict != EQUAL_BITS
    loss = judgement["smallest_loss"] if tested else None
    return [
        name, *means, _difference(judgement["values"] or {}) if tested else "0",
        f"{judgement['p_values']:.2g}" if tested else NOTHING,
        NOTHING if loss is None else f"{loss:.2g}",
        epochs, _rule(judgement["convergence"]), failed, verdict,
    ]  # fmt: skip


def _mean(found: Summary) -> str:
    half = None if found.low is None or found.high is None else (found.high - found.low) / 2
    value, spread = with_spread(found.mean, half)
    return value if spread is None else f"{value} ± {spread}"


def _difference(values: Mapping[str, Any]) -> str:
    difference, low, high = (values.get(name) for name in ("difference", "low", "high"))
    if difference is None:
        return NOTHING
    if low is None or high is None:
        return f"{difference:+.3g}"
    return f"{difference:+.2g} ({low:+.2g} to {high:+.2g})"


def _epochs(model: Mapping[str, Any]) -> str:
    if model["epochs"] is None:
        return f"none of {model['runs']} runs"
    missed = model["runs"] - model["reached"]
    return plain(model["epochs"]) + (f" ({missed} missed it)" if missed else "")


def _rule(convergence: Mapping[str, Any]) -> str:
    if convergence["passes"] is None:
        return str(convergence["text"])
    passes = "passes" if convergence["passes"] else "fails: too fast"
    slower = convergence["within"] is False and convergence["passes"]
    return f"{passes}, but {convergence['text']}" if slower else passes


def _seeds(seeds: Sequence[int]) -> str:
    return ", ".join(map(str, seeds)) if seeds else "none"


def speed(page: Mapping[str, Any]) -> Iterator[Block]:
    """Yield how long runs took, and their memory."""
    machine = page["facts"][-1]["machine"]
    yield (
        f"As observed on this machine ({machine}), from start to end of a run with its imports; "
        "other work on the machine is in it."
    )
    if page["other_machine"]:
        yield (
            "The lock before was measured on another machine or another number of processors: the "
            "ratio is of both, and says nothing about the lock."
        )
    head = ["model", "seconds", "memory"] + ([] if page["first"] else ["before", "ratio"])
    rows = []
    for name, model in page["models"].items():
        row = [name, _wall(model), _bytes(model["peak_bytes"])]
        if not page["first"]:
            ratio, old = page["speed"].get(name), page["models_before"].get(name)
            row += [_wall(old) if old else NOTHING, _ratio(ratio)]
        rows.append(row)
    yield Table(head, rows)


def _wall(model: Mapping[str, Any]) -> str:
    return NOTHING if model["wall_s"] is None else f"{model['wall_s'].mean:.1f}"


def _ratio(ratio: Any) -> str:
    if ratio is None:
        return NOTHING
    if ratio.low is None:
        return f"{ratio.value:.2f}"
    return f"{ratio.value:.2f} ({ratio.low:.2f} to {ratio.high:.2f})"


def _bytes(count: int | None) -> str:
    if count is None:
        return NOTHING
    return f"{count / MIB:.0f} MiB" if count >= MIB or not count else f"{count / MIB:.2g} MiB"


def size(page: Mapping[str, Any]) -> Iterator[Block]:
    """Yield how much room the packages take."""
    sizes = page["sizes"]
    if sizes is None:
        yield "Not measured: the page was not written in the environment of this lock."
        return
    total = f"{sizes['packages']} packages, together {_bytes(sizes['after'])} once installed"
    if sizes["before"] is not None:
        total += f", before {_bytes(sizes['before'])}"
    yield f"{total}: the files in their wheels, unpacked, without what Python compiles of them."
    if sizes["before"] is None:
        yield Table(["largest", "size"], [
            [each["name"], _bytes(each["after"])] for each in sizes["largest"]
        ])  # fmt: skip
        return
    if sizes["changed"]:
        yield Table(["package", "before", "this lock"], [
            [each["name"], _bytes(each["before"]), _bytes(each["after"])]
            for each in sizes["changed"][:MOST_CHANGED]
        ])  # fmt: skip


def frameworks(page: Mapping[str, Any]) -> Iterator[Block]:
    """Yield the tasks, each in all frameworks."""
    yield (
        "One task, the same architecture, initial distribution, optimizer and schedule as far as "
        "the frameworks have them. Means with 95 % Student intervals over the seeds."
    )
    for task in page["tasks"]:
        yield f"{task['name']}, {task['metric']}:"
        yield Table(
            ["framework", task["metric"], "epochs to the target", "seconds", "memory"],
            [_framework(page, name) for name in task["models"]],
        )


def _framework(page: Mapping[str, Any], name: str) -> list[str]:
    model, found = page["models"][name], summary_of(page, "models", name)
    return [
        model["framework"], NOTHING if found is None else _mean(found), _epochs(model),
        _wall(model), _bytes(model["peak_bytes"]),
    ]  # fmt: skip
