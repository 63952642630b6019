"""The record's file: never half, never another's, and what is no record is refused."""

from __future__ import annotations

import copy
import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as some

from seedlock.errors import BadRecord
from seedlock.evaluation.recording.record import SCHEMA_FILE, Record, kept_environment, load, moment

BEGUN: dict[str, Any] = {
    "seedlock": "0.1.0", "submission": None, "command": ["python", "train.py"], "seed": 2**64 - 1,
    "scheme": "seedlock/1", "level": "strict", "settings": {}, "image": None, "source": None,
    "environment": {}, "limits": None, "usage": {"started": "2026-11-22T12:00:00.000Z"},
    "artifacts": "run",
}  # fmt: skip

ENDED: dict[str, Any] = {
    "outcome": {"class": "done", "exit_status": 0, "reasons": [], "notes": []},
    "lock": None, "data": [], "host": {}, "processes": [], "outputs": [], "trace": None,
    "reads": {"files": [], "more": 0, "complete": False, "by": "x"}, "guarantees": None,
    "metrics": {"declared": [], "final": {"loss": "NaN"}, "series": {"loss": [[0, 1.5]]}},
    "usage": {
        "started": "2026-11-22T12:00:00.000Z", "finished": "2026-11-22T12:00:01.000Z",
        "wall_s": 1.0, "by": "wait4", "user_s": 1.0, "system_s": 0.1, "peak_memory_bytes": 1,
        "energy_j": None,
    },
}  # fmt: skip


def test_a_record_says_running_until_it_is_complete(tmp_path: Path) -> None:
    """From the first moment there is a file, and it proves nothing yet."""
    path = tmp_path / "deep" / "run.json"

    record = Record(path, BEGUN)
    assert load(path)["status"] == "running"
    record.complete(ENDED)

    assert load(path) == record.content
    assert load(path)["status"] == "complete"
    assert [each.name for each in path.parent.iterdir()] == ["run.json"]


def test_no_other_file_is_replaced(tmp_path: Path) -> None:
    """What was there before is not lost."""
    path = tmp_path / "notes.json"
    path.write_text('{"mine": 1}')

    with pytest.raises(BadRecord, match="is no record"):
        Record(path, BEGUN)

    assert path.read_text() == '{"mine": 1}'


def test_the_schema_is_one() -> None:
    """By the meta-schema of its draft."""
    import jsonschema

    jsonschema.Draft202012Validator.check_schema(json.loads(SCHEMA_FILE.read_text()))


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "not JSON"),
        ("[" * 100_000, "not JSON"),
        ("[]", "is no record"),
        ('{"format": "seedlock-record", "version": 2}', "version 2"),
        ('{"format": "seedlock-record", "version": 1}', "does not fit its schema"),
    ],
)
def test_what_is_no_record_is_refused(tmp_path: Path, text: str, said: str) -> None:
    """One clear error each."""
    path = tmp_path / "run.json"
    path.write_text(text)

    with pytest.raises(BadRecord, match=said):
        load(path)


def test_an_end_without_an_outcome_is_no_record(tmp_path: Path) -> None:
    """Neither is a beginning with one: a run that is going on must not look as if it were done."""
    complete = {"format": "seedlock-record", "version": 1, **BEGUN, **ENDED, "status": "complete"}
    half = {key: value for key, value in complete.items() if key != "outcome"}
    early = {**complete, "status": "running"}
    path = tmp_path / "run.json"
    for content in (half, early):
        path.write_text(json.dumps(content))
        with pytest.raises(BadRecord, match="does not fit"):
            load(path)
    path.write_text(json.dumps(complete))
    load(path)


def places(content: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    """Return the paths to all values of a JSON document."""
    found = [path] if path else []
    if isinstance(content, (dict, list)):
        pairs = content.items() if isinstance(content, dict) else enumerate(content)
        for key, value in pairs:
            found += places(value, (*path, key))
    return found


COMPLETE = {"format": "seedlock-record", "version": 1, **BEGUN, **ENDED, "status": "complete"}


@settings(max_examples=2 * settings().max_examples)
@given(
    some.sampled_from(places(COMPLETE)),
    some.none() | some.booleans() | some.integers() | some.text() | some.just("DELETE")
    | some.lists(some.integers()) | some.dictionaries(some.text(), some.integers()),
)  # fmt: skip
def test_mutated_records_are_refused_or_fit(
    tmp_path: Path, at: tuple[Any, ...], value: Any
) -> None:
    """A clear error, never a traceback of another kind."""
    content = copy.deepcopy(COMPLETE)
    inner: Any = content
    for key in at[:-1]:
        inner = inner[key]
    if value == "DELETE":
        del inner[at[-1]]
    else:
        inner[at[-1]] = value
    path = tmp_path / "run.json"
    path.write_text(json.dumps(content))

    try:
        load(path)
    except BadRecord as problem:
        assert "allowed: " in str(problem)
        assert "\n" not in str(problem)


def test_secrets_are_never_kept() -> None:
    """Neither unlisted variables nor listed ones that sound like a secret."""
    kept = kept_environment(
        {
            "REPRO_SEED": "7",
            "HOME": "/home/me",
            "CUDA_TOKEN": "x",
            "TORCH_API_KEY": "y",
            "OMP_A": "1",
        }
    )

    assert kept == {"OMP_A": "1", "REPRO_SEED": "7"}


def test_moments() -> None:
    """RFC 3339, in UTC."""
    assert moment(0.25) == "1970-01-01T00:00:00.250Z"
