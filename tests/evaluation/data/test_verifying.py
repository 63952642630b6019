"""Sets against what lies somewhere."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from seedlock.evaluation.data.caching import Cache
from seedlock.evaluation.data.verifying import below, check

from .conftest import BODY, a_file


def test_each_state_is_told(tmp_path: Path, cache: Cache) -> None:
    """In order, with what is declared, and nothing of where it comes from."""
    names = ("good", "changed", "missing", "gone", "folder", "loop")
    sets = [a_file("https://me:hush@h/a", BODY, name) for name in names]
    sets[3] = replace(sets[3], source="mount:/nowhere")
    (tmp_path / "good").write_bytes(BODY)
    (tmp_path / "changed").write_bytes(b"x")
    (tmp_path / "folder").mkdir()
    (tmp_path / "loop").symlink_to("loop")
    counts: list[int] = []

    states = {state["name"]: state for state in check(sets, below(tmp_path), counts.append)}

    assert list(states) == list(names)
    assert states["good"] == {
        "name": "good", "sha256": sets[0].sha256, "size": len(BODY), "kind": "file",
        "licence": "CC0-1.0", "verified": True, "problem": None,
    }  # fmt: skip
    problems = {name: state["problem"] or "" for name, state in states.items()}
    assert [name for name, state in states.items() if state["verified"]] == ["good"]
    assert f"expected {sets[0].digest} (file of {len(BODY)} bytes), got" in problems["changed"]
    assert "not there; say seedlock data fetch missing" in problems["missing"]
    assert "not there; mount it" in problems["gone"]
    assert "(folder of 0 bytes)" in problems["folder"]
    assert "loop: " in problems["loop"]
    assert "hush" not in str(states)
    assert sum(counts) == len(BODY) + 1
    assert (
        check(sets[:1], cache.place)[0]["problem"]
        == "good: not there; say seedlock data fetch good"
    )


@pytest.mark.parametrize("change", [{"size": 1}, {"kind": "folder"}, {"sha256": "0" * 64}])
def test_each_declared_thing_counts(tmp_path: Path, change: dict[str, object]) -> None:
    """A wrong size beside the right digest is a wrong data.lock."""
    (tmp_path / "digits").write_bytes(BODY)
    data = replace(a_file("file:a"), **change)  # type: ignore[arg-type]

    (state,) = check([data], below(tmp_path))

    assert not state["verified"]
