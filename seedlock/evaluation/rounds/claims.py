"""What a verification says: single findings, and the verdict that follows from them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterable

PROVEN = "proven"
WRONG = "wrong"
VOID = "void"
OPEN = "not yet"
IF = "if"
"""States of a finding: shown by the files alone; contradicted by them; nothing to prove any more;
not to be seen yet; shown if somebody noted a digest in time, or vouches for what it rests on."""

VERDICTS = {
    WRONG: ("WRONG", 1, "something was changed, left out or added"),
    VOID: ("VOID", 4, "the secret was not revealed in time: the round proves nothing"),
    OPEN: ("INCOMPLETE", 3, "what is here holds; the round has not come to its end"),
    IF: ("CONDITIONAL", 5, "what is here holds; some of it rests on what files can't show"),
    PROVEN: ("PROVEN", 0, "all of it follows from the files and from what was noted"),
}
"""Word, exit status and meaning, the gravest first; the gravest finding is the verdict."""


@dataclass(frozen=True)
class Finding:
    """One thing that was looked at.

    Attributes:
        about: `policy`, `submissions`, `beacon`, `seeds`, `ledger`, `attempts`, `records`,
            `reveal`, `receipt` or `spot checks`.
        state: one of the words above.
        said: a sentence.
    """

    about: str
    state: str
    said: str

    def as_dict(self) -> dict[str, Any]:
        """Return it JSON-ready."""
        return {"about": self.about, "state": self.state, "said": self.said}


def verdict(findings: Iterable[Finding]) -> tuple[str, int, str]:
    """Return word, exit status and meaning for findings; none at all prove nothing."""
    states = {each.state for each in findings} or {OPEN}
    return next(VERDICTS[state] for state in VERDICTS if state in states)
