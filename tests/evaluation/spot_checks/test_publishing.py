"""What of a spot check's result everybody may read."""

from __future__ import annotations

import copy
import json
from typing import Any

from seedlock.evaluation.spot_checks.publishing import WITHHELD, for_everybody, tells

OPEN, SILENT = "sha256:" + "1" * 64, "sha256:" + "2" * 64


def standing(digest: str | None, standing: str, **record: Any) -> dict[str, Any]:
    """A submission of a result, with one record."""
    told = {
        "record": "unspoken-0.json", "sha256": "sha256:" + "3" * 64, "seed_index": 0,
        "class": "done", "faults": [], "chosen": True, "verdict": "IDENTICAL", "reasons": [],
    }  # fmt: skip
    return {
        "name": "a", "digest": digest, "standing": standing, "records": [{**told, **record}],
        "faults": [f"unspoken-0.json: {each}" for each in record.get("faults", [])],
    }  # fmt: skip


MARKED = {"verdict": "DIFFERENT", "reasons": ["output unspoken.npy differs"]}
REFUSED = {"chosen": False, "verdict": None, "faults": ["its command is unspoken"]}


def result(*submissions: dict[str, Any]) -> dict[str, Any]:
    """A result of a spot check."""
    return {"fraction": "1/2", "exit_status": 1, "submissions": list(submissions)}


def test_a_private_submission_stands_as_it_does_and_nothing_says_why() -> None:
    """Nor what its records' files are called; a record that is nobody's may be its own. That a
    record has faults is seen, since it counts for nothing."""
    whole = result(
        standing(SILENT, "marked", **MARKED), standing(SILENT, "refused", **REFUSED),
        standing(None, "refused", **REFUSED), standing(SILENT, "passed"),
    )  # fmt: skip
    before = copy.deepcopy(whole)

    shown = for_everybody(whole, {OPEN})

    assert whole == before
    assert "unspoken" not in json.dumps(shown)
    assert [each["standing"] for each in shown["submissions"]] == [
        "marked", "refused", "refused", "passed",
    ]  # fmt: skip
    (marked, refused, nobodys, passed) = shown["submissions"]
    assert marked["records"][0]["verdict"] == "DIFFERENT"
    assert marked["records"][0]["sha256"] == "sha256:" + "3" * 64
    assert refused["faults"] == refused["records"][0]["faults"] == [WITHHELD]
    assert nobodys["faults"] == [WITHHELD]
    assert marked["faults"] == passed["faults"] == []
    assert [tells(each) for each in whole["submissions"]] == [True, True, True, False]
    assert not any(map(tells, shown["submissions"]))


def test_a_public_submission_is_told_of_as_a_whole() -> None:
    """Everybody may know what it did."""
    whole = result(standing(OPEN, "marked", **MARKED), standing(OPEN, "refused", **REFUSED))

    assert for_everybody(whole, {OPEN}) == whole
