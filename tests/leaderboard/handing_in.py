"""Submissions and rounds for the tests of what is handed in and published."""

from __future__ import annotations

import io
import json
from collections.abc import Mapping
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

from seedlock.evaluation.rounds import steps
from seedlock.evaluation.rounds.ceremony import Round
from seedlock.leaderboard import archive
from tests.evaluation.recording.test_show_command import record
from tests.leaderboard.conftest import START, Site, bearer

POLICY = """\
name = "{name}"
seeds = 2
deadline = {deadline}
reveal_by = 2099-01-01T00:00:00Z
retries = 2
beacon = "none"
train = "{train}"
[metrics.loss]
direction = "min"
[limits]
memory = "4g"
"""

SUBMISSION = """\
name = "{name}"
command = ["python", "train.py"]
visibility = "{visibility}"
{more}
[image]
name = "conference/repro-base"
"""

LOSS = {"loss": "min"}
"""Metrics of the rounds here, with their directions."""

DAY = 86_400.0
"""Seconds from `START` to the deadline of the rounds here."""


def at(seconds: float) -> datetime:
    """Return a moment so many seconds after 1970."""
    return datetime.fromtimestamp(seconds, timezone.utc)


def submission(
    folder: Path, name: str = "mine", visibility: str = "private", program: str = "print(1)\n",
    more: str = "", metrics: Mapping[str, str] = LOSS,
) -> Path:  # fmt: skip
    """Write a submission and return its folder."""
    folder.mkdir(parents=True, exist_ok=True)
    text = SUBMISSION.format(name=name, visibility=visibility, more=more)
    for metric, direction in metrics.items():
        text += f'[metrics.{metric}]\ndirection = "{direction}"\n'
    (folder / "submission.toml").write_text(text)
    (folder / "train.py").write_text(program)
    return folder


def packed(folder: Path) -> tuple[bytes, archive.Handed]:
    """Return a submission's archive and what it holds."""
    into = io.BytesIO()
    handed = archive.pack(folder, into)
    return into.getvalue(), handed


def opened(
    folder: Path, name: str = "small", deadline: float = START + DAY, train: str = "organiser"
) -> Round:  # fmt: skip
    """Open a round of two seeds and return it."""
    folder.parent.mkdir(parents=True, exist_ok=True)
    policy = folder.with_name(f"{folder.name}.toml")
    text = POLICY.format(name=name, deadline=at(deadline).isoformat(), train=train)
    policy.write_text(text)
    return steps.open_round(folder, policy, at(deadline - 2 * DAY))


def put(site: Site, token: str, name: str, path: Path) -> Any:
    """Publish a file of a round, and return the answer."""
    return site.client.put(
        f"/api/v1/rounds/{name}/files/{path.name}", content=path.read_bytes(),
        headers=bearer(token),
    )  # fmt: skip


def hand_in(site: Site, token: str, name: str, raw: bytes, **parameters: str) -> Any:
    """Hand an archive in, and return the answer."""
    return site.client.post(
        f"/api/v1/rounds/{name}/submissions", content=raw, params=parameters,
        headers={**bearer(token), "Content-Type": "application/gzip"},
    )  # fmt: skip


def authors_record(seed: int, digest: str, **other: Any) -> bytes:
    """Return the record of a run that an author made of a submission."""
    content = record(
        submission=None, seed=seed, level="portable", data=[],
        metrics={"declared": [{"name": "loss", "direction": "min", "unit": ""}],
                 "final": {"loss": 0.5}, "series": {"loss": []}},
    )  # fmt: skip
    content["source"] = {
        "revision": None, "digest": digest, "dirty": [], "files": 2, "changed": [],
        "ignored": {"count": 0, "first": [], "read": []}, "working_folder": ".",
    }  # fmt: skip
    return json.dumps({**content, **other}).encode()
