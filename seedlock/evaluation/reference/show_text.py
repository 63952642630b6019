"""A stored measurement of reference runs, as lines for people."""

from __future__ import annotations

from statistics import median
from typing import TYPE_CHECKING, Any

from seedlock.evaluation.recording.record import DONE
from seedlock.evaluation.reference import stored
from seedlock.evaluation.scores.summaries import deviation, mean

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

ROW = "{:<20} {:<10} {:>9} {:>9} {:>9} {:>9} {:>7} {:>8} {:>9}"
HEAD = ROW.format("model", "metric", "mean", "sd", "least", "most", "epochs", "seconds", "memory")


def lines(content: Mapping[str, Any]) -> Iterator[str]:
    """Yield what a stored measurement holds."""
    cpu = content["host"].get("cpu") or {}
    yield (
        f"measured {content['date']} with seedlock {content['seedlock']} ({content['scheme']}), "
        f"level {content['level']}, seeds 1 to {content['seeds']}"
    )
    yield f"on {cpu.get('model', 'an unknown processor')}, {content['jobs']} runs at a time"
    for name, digest in sorted(content["lock"].items()):
        yield f"{name} {digest}"
    yield ""
    yield HEAD
    for name, model in content["models"].items():
        yield _row(name, model)
    yield "epochs: median until the target; seconds: mean processor time of a run; memory: the most"
    for name, model in content["models"].items():
        for run in model["runs"]:
            if run["outcome"] != DONE:
                yield f"{name}, seed {run['seed']}: {run['outcome']}: {'; '.join(run['reasons'])}"


def _row(name: str, model: Mapping[str, Any]) -> str:
    runs = model["runs"]
    values, epochs = [*stored.values(model).values()], stored.epochs(model)
    memory = max((run["peak_memory_bytes"] or 0 for run in runs), default=0)
    spread = f"{deviation(values):.4f}" if len(values) > 1 else "-"
    ends = (f"{least:.4f}" for least in (min(values), max(values))) if values else ("-", "-")
    return ROW.format(
        name, model["metric"], f"{mean(values):.4f}" if values else "-", spread, *ends,
        f"{median(epochs):.1f}" if epochs else "-",
        f"{sum(run['processor_s'] for run in runs) / len(runs):.1f}", f"{memory / 2**20:.0f} MiB",
    )  # fmt: skip
