"""Records that somebody changed: each a clear error or a verdict, and nothing is started."""

from __future__ import annotations

import copy
import json
import os
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as some

from seedlock.errors import SeedlockError
from seedlock.evaluation.recording.record import load
from seedlock.evaluation.replaying.replay import MISMATCH, UNCERTAIN, replay
from seedlock.evaluation.replaying.replay_text import text
from seedlock.evaluation.replaying.request import Asked, artifacts_of
from tests.evaluation.recording.test_record import places
from tests.evaluation.replaying.replays import record


@pytest.fixture(scope="module")
def recorded(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A recorded run; its program has changed since, so that no replay may start."""
    path = record(tmp_path_factory.mktemp("recorded"))
    (path.parent / "train.py").write_text("open('started', 'w')")
    return path


VALUES = (
    some.none() | some.booleans() | some.integers() | some.floats() | some.text()
    | some.sampled_from(["DELETE", "../..", "/", "\0", "\ud800", f"sha256:{0:064}", "-x", 10**400])
    | some.lists(some.integers() | some.text(), max_size=3)
    | some.dictionaries(some.text(), some.integers() | some.text(), max_size=3)
)  # fmt: skip


@settings(max_examples=2 * settings().max_examples)
@given(data=some.data())
def test_a_mutated_record_starts_nothing(
    recorded: Path, tmp_path: Path, data: some.DataObject
) -> None:
    """Whatever stands where in it."""
    content = json.loads(recorded.read_text())
    content["image"] = {
        "name": "x", "id": "sha256:" + "0" * 64, "lock_sha256": None, "network": False,
        "mounts": [{"here": ".", "there": "/code"}],
    }  # fmt: skip
    at = data.draw(some.sampled_from(places(content)))
    value = data.draw(VALUES)
    changed: Any = copy.deepcopy(content)
    inner = changed
    for key in at[:-1]:
        inner = inner[key]
    if value == "DELETE":
        del inner[at[-1]]
    else:
        inner[at[-1]] = value
    path = recorded.parent / "other.json"
    path.write_text(json.dumps(changed))
    before = os.getcwd()

    try:
        found = load(path)
        asked = Asked(
            path, found, artifacts_of(path, found), recorded.parent, tmp_path / "out",
            image=data.draw(some.booleans()) and found["image"] is not None,
        )  # fmt: skip
        result = replay(asked, {"PATH": os.environ["PATH"], "DOCKER": "no-such-engine"})
    except SeedlockError as problem:
        assert "allowed: " in str(problem)
        str(problem).encode()
    else:
        assert result["verdict"] in (MISMATCH, UNCERTAIN)
        text(result).encode()

    assert os.getcwd() == before
    assert not (recorded.parent / "started").exists()
    assert not (tmp_path / "out").exists()
    path.unlink()
