"""An exported ledger as rounds read it (test_verification.py has what is made of it)."""

from __future__ import annotations

from pathlib import Path

import pytest

from seedlock.evaluation.rounds.ledger_lines import NAME, Broken, Course, _add, read
from tests.evaluation.rounds import made_rounds
from tests.evaluation.rounds.made_rounds import ENTRIES, Ledger, drawn


class Unread(dict[str, dict[str, object]]):
    """A table that nobody goes through."""

    def values(self) -> object:  # type: ignore[override]
        """Tell who does."""
        raise AssertionError("all submissions were looked at for one")


def test_a_name_is_added_once_and_the_others_are_not_gone_through_for_it() -> None:
    """Or ten thousand submissions would take as many times as long as one."""
    course = Course(added=Unread())
    for name in ("ours", "theirs"):
        _add(course, f"sha256:{name}", {"name": name, "seeds": 1})

    with pytest.raises(Broken, match="a name that is there"):
        _add(course, "sha256:another", {"name": "ours", "seeds": 1})
    with pytest.raises(Broken, match="a submission that is there"):
        _add(course, "sha256:ours", {"name": "another", "seeds": 1})


@pytest.mark.parametrize("key", ["reasons", "record", "record_sha256"])
def test_an_end_that_lacks_what_a_board_asks_for(tmp_path: Path, key: str) -> None:
    """Is none, though the chain holds."""
    this = drawn(tmp_path / "round")
    ledger = Ledger(this)
    ledger.attempt(ENTRIES[0], 0, 1, "done")
    del ledger.events[-1]["content"][key]
    made_rounds.chain(ledger.events)
    ledger.write(this.folder)

    with pytest.raises(Broken, match=f"event {len(ledger.events)} "):
        read(this.folder / NAME)
