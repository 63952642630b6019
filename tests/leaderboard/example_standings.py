"""A small board with one of everything: what pages and commands are drawn from in tests.

`python -m tests.leaderboard.example_standings` writes example_standings.json anew.
"""

from __future__ import annotations

import hashlib
from pathlib import Path

from seedlock.evaluation.rounds.policy import Policy
from seedlock.evaluation.rounds.policy_file import parse
from seedlock.evaluation.scores.results import (
    IDENTICAL,
    RUN_BY_ORGANISERS,
    Run,
    Submission,
)
from seedlock.evaluation.scores.standings import Standings, build

FILE = Path(__file__).with_name("example_standings.json")

POLICY = b"""\
name = "sample-2026"
seeds = 5
deadline = 2026-12-01T12:00:00Z
beacon = "none"
[metrics.accuracy]
direction = "max"
[metrics.loss]
direction = "min"
unit = "nats"
[scores]
failed = "worst"
"""

SEEDS = [
    "5627463696250880846", "13360843094083294133", "902316644087219950", "17411083570133241877",
    "7730158221094423108",
]  # fmt: skip

NODE = "AMD EPYC 7763, 2 processors"
OTHER = "AMD EPYC 7763, 2 processors, NVIDIA A100-SXM4-40GB"

VALUES: dict[str, tuple[str, list[tuple[float, float] | str]]] = {
    "wide-mlp": ("public", [
        (0.953, 0.171), (0.949, 0.178), (0.957, 0.166), (0.951, 0.175), (0.955, 0.169)]),
    "tree-net": ("public", [
        (0.951, 0.175), (0.956, 0.168), (0.947, 0.181), (0.954, 0.171), (0.950, 0.177)]),
    "quiet-giant": ("private", [
        (0.962, 0.139), (0.934, 0.214), (0.958, 0.150), (0.941, 0.199), (0.966, 0.131)]),
    "conv-a": ("public", [
        (0.912, 0.290), (0.918, 0.276), (0.905, 0.304), (0.921, 0.271), (0.909, 0.297)]),
    "conv-b": ("public", [
        (0.903, 0.309), (0.911, 0.292), (0.907, 0.300), (0.908, 0.298), (0.900, 0.316)]),
    "late-start": ("public", [
        (0.931, 0.231), (0.928, 0.239), (0.934, 0.226), "waiting", "waiting"]),
    "crash-prone": ("public", [
        (0.944, 0.195), "author-failure", (0.947, 0.190), "limit", (0.941, 0.199)]),
    "constant": ("public", [(0.8, 0.65)] * 5),
    "hidden-linear": ("private", [
        (0.861, 0.488), (0.858, 0.494), (0.866, 0.479), (0.859, 0.492), (0.863, 0.484)]),
    "all-failed": ("public", ["author-failure"] * 5),
}  # fmt: skip


def submission(name: str, visibility: str, ends: list[tuple[float, float] | str]) -> Submission:
    """Return a submission whose runs ended so."""
    runs = []
    for index, end in enumerate(ends):
        attempt = 2 if (name, index) == ("tree-net", 3) else 1
        if end == "waiting":
            runs.append(Run(index))
            continue
        digest = hashlib.sha256(f"{name} {index}".encode()).hexdigest()
        state = end if isinstance(end, str) else "done"
        metrics = {} if isinstance(end, str) else dict(zip(("accuracy", "loss"), end, strict=True))
        reasons = {"author-failure": ["exit status 1"], "limit": ["memory: more than 8 GiB"]}
        runs.append(
            Run(
                index, attempt, state, state, reasons.get(state, ()),
                f"runs/{name}/{index}-{attempt}.json", digest,
                round(41.5 + 3 * index + len(name), 3), metrics,
                OTHER if name == "quiet-giant" or (name, index) == ("conv-b", 4) else NODE,
            )
        )  # fmt: skip
    digest = f"sha256:{hashlib.sha256(name.encode()).hexdigest()}"
    attempts = sum(each.attempt for each in runs)
    checked = IDENTICAL if name == "wide-mlp" else RUN_BY_ORGANISERS
    return Submission(name, digest, visibility, runs, attempts, checked)


def policy(text: bytes = POLICY) -> Policy:
    """Return the example's policy."""
    return parse(Path("policy.toml"), text)


def example() -> Standings:
    """Return the example."""
    found = [submission(name, *rest) for name, rest in VALUES.items()]
    return build(policy(), found, seeds=SEEDS, revealed=True)


if __name__ == "__main__":
    FILE.write_bytes(example().as_bytes())
