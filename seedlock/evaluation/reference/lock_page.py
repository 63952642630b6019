"""What the page about a lock tells: packages, bits, accuracy, speed, size, frameworks compared.

`lock_markdown` and `lock_html` put the same content into words.
"""

from __future__ import annotations

from statistics import median
from typing import TYPE_CHECKING, Any

from seedlock.evaluation.recording.record import DONE
from seedlock.evaluation.reference import lock_changes, stored
from seedlock.evaluation.reference.speed import ratio
from seedlock.evaluation.scores import summaries

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from seedlock.evaluation.reference.speed import Ratio
    from seedlock.evaluation.scores.summaries import Summary

FACTS = ("date", "seedlock", "python", "level", "seeds", "jobs")
"""Of a measurement that are shown as they are."""


def content(
    after: Mapping[str, Any],
    before: Mapping[str, Any] | None = None,
    checked: Mapping[str, Any] | None = None,
    locks: Mapping[str, str] | None = None,
    locks_before: Mapping[str, str] | None = None,
    sizes: Mapping[str, int] | None = None,
    sizes_before: Mapping[str, int] | None = None,
    accepted: str = "",
) -> dict[str, Any]:
    """Return what the page tells.

    Args:
        after: measurement under the lock that the page is about.
        before: the one that was stored before; None for a first lock.
        checked: what `checking.check` returned about both; None for a first lock.
        locks, locks_before: texts of the lock files, None where they are not at hand.
        sizes, sizes_before: bytes by package, None where they are not known.
        accepted: why a lock that FAILs is released nevertheless.
    """
    names = sorted(after["models"])
    models = {name: model(after["models"][name]) for name in names}
    old = {} if before is None else before["models"]
    return {
        "first": before is None,
        "verdict": None if checked is None else checked["verdict"],
        "accepted": accepted,
        "facts": [facts(each) for each in (before, after) if each is not None],
        "packages": _packages(before, after, locks, locks_before),
        "judged": {} if checked is None else dict(checked["models"]),
        "models": models,
        "models_before": {name: model(old[name]) for name in sorted(old)},
        "tasks": tasks(after["models"]),
        "speed": {
            name: _speed(old[name], after["models"][name]) for name in names if name in old
        },
        "other_machine": before is not None and _machine(before) != _machine(after),
        "sizes": _sizes(sizes, sizes_before),
    }  # fmt: skip


def facts(content: Mapping[str, Any]) -> dict[str, Any]:
    """Return what a measurement was made with, for the head of the page."""
    return {name: content[name] for name in FACTS} | {
        "lock": dict(content["lock"]),
        "machine": _machine(content),
    }


def model(stored_model: Mapping[str, Any]) -> dict[str, Any]:
    """Return what a model came to, in numbers."""
    runs = stored_model["runs"]
    values, reached = stored.values(stored_model), stored.epochs(stored_model)
    failed = [run["seed"] for run in runs if run["seed"] not in values]
    memory = [each for run in runs if (each := run["peak_memory_bytes"]) is not None]
    wall = [run["wall_s"] for run in runs if run["outcome"] == DONE]
    return {
        **{name: stored_model[name] for name in ("framework", "task", "metric", "direction")},
        "values": values,
        "summary": summaries.summary(list(values.values())),
        "failed": failed,
        "epochs": median(reached) if reached else None,
        "reached": len(reached),
        "runs": len(runs),
        "wall_s": summaries.summary(wall),
        "peak_bytes": max(memory, default=None),
    }


def tasks(models: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Return the tasks, each with the names of its models."""
    found: dict[str, dict[str, Any]] = {}
    for name in sorted(models):
        each = models[name]
        task = found.setdefault(each["task"], {
            "name": each["task"], "title": each["title"], "metric": each["metric"],
            "direction": each["direction"], "target": each["target"], "models": [],
        })  # fmt: skip
        task["models"].append(name)
    return [found[name] for name in sorted(found)]


def _packages(
    before: Mapping[str, Any] | None, after: Mapping[str, Any],
    locks: Mapping[str, str] | None, locks_before: Mapping[str, str] | None,
) -> dict[str, Any]:  # fmt: skip
    """Return changes by lock; by installed version where the locks before are not at hand."""
    if before is None:
        return {"by": "first", "changes": {}}
    if locks and locks_before:
        return {"by": "locks", "changes": lock_changes.between(locks_before, locks)}
    changed = lock_changes.of_versions(before["packages"], after["packages"])
    return {"by": "versions", "changes": {"installed packages": changed}}


def _speed(before: Mapping[str, Any], after: Mapping[str, Any]) -> Ratio | None:
    def times(runs: Sequence[Mapping[str, Any]]) -> dict[int, float]:
        return {run["seed"]: run["wall_s"] for run in runs if run["outcome"] == DONE}

    return ratio(times(before["runs"]), times(after["runs"]))


def _machine(content: Mapping[str, Any]) -> str:
    host = content["host"]
    cpu = (host.get("cpu") or {}).get("model") or "unknown processor"
    processors = host.get("processors")
    return f"{cpu}, {processors} processors" if processors else str(cpu)


def _sizes(
    after: Mapping[str, int] | None, before: Mapping[str, int] | None
) -> dict[str, Any] | None:
    if after is None:
        return None
    old = after if before is None else before
    changed = [name for name in {*after, *old} if after.get(name, 0) != old.get(name, 0)]
    changed.sort(key=lambda name: (-abs(after.get(name, 0) - old.get(name, 0)), name))
    largest = sorted(after, key=lambda name: (-after[name], name))
    return {
        "after": sum(after.values()),
        "before": None if before is None else sum(before.values()),
        "packages": len(after),
        "changed": [
            {"name": name, "before": old.get(name, 0), "after": after.get(name, 0)}
            for name in changed
        ],
        "largest": [{"name": name, "after": after[name]} for name in largest[:10]],
    }


def counted(page: Mapping[str, Any]) -> dict[str, list[str]]:
    """Return the names of models by verdict."""
    found: dict[str, list[str]] = {}
    for name, each in page["judged"].items():
        found.setdefault(each["verdict"], []).append(name)
    return found


def summary_of(page: Mapping[str, Any], side: str, name: str) -> Summary | None:
    """Return the summary of a model's values; None where it has none.

    Args:
        page: what `content` returned.
        side: `models` or `models_before`.
        name: of the model.
    """
    found: Summary | None = page[side].get(name, {}).get("summary")
    return found
