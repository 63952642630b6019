"""guarantees.py: what was kept, what somebody can do without, and who is told."""

from __future__ import annotations

import json

import pytest

from seedlock.errors import BadSetting, NotSealed
from seedlock.evaluation.sealing import guarantees
from seedlock.evaluation.sealing.guarantees import DOCKER, NONE, PROMISES, Guarantee


def test_what_was_not_looked_at_was_not_kept() -> None:
    """Each promise has an entry, in one order, with who kept it."""
    found = guarantees.kept({"network": [], "memory": ["a", "b"]}, {"network": DOCKER})

    assert list(guarantees.as_dict(found)) == list(PROMISES)
    assert found["network"] == Guarantee(True, DOCKER)
    assert found["memory"] == Guarantee(False, NONE, "a; b")
    assert found["home"] == Guarantee(False, NONE, "not looked at")
    json.dumps(guarantees.as_dict(found))


def test_what_is_lacking() -> None:
    """What was not kept, or is not there, less what somebody accepted."""
    found = guarantees.kept({name: [] for name in PROMISES}, dict.fromkeys(PROMISES, DOCKER))
    assert guarantees.lacking(found) == []
    guarantees.require(found, (), "docker")
    del found["home"]
    found["memory"] = Guarantee(False, NONE, "no swap limit")

    assert guarantees.lacking(found) == ["memory", "home"]
    assert guarantees.lacking(found, {"home"}) == ["memory"]
    with pytest.raises(NotSealed, match=r"^docker does not keep memory \(no swap limit\); allowed"):
        guarantees.require(found, {"home"}, "docker")


def test_names_of_promises() -> None:
    """An unknown one is refused, with those that there are."""
    assert guarantees.accepted(["memory", "memory"]) == {"memory"}
    with pytest.raises(BadSetting, match=r"promise is 'ram'; allowed: network, .*#bad-promise"):
        guarantees.accepted(["memory", "ram"])
