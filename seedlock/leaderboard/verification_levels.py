"""How far a submission's results were checked: the words of the pages."""

from __future__ import annotations

LEVELS: dict[str, tuple[str, str]] = {
    "replayed-identical": (
        "replayed, identical",
        "Somebody else repeated recorded runs, and everything came out the same, bit for bit.",
    ),
    "replayed-within-tolerance": (
        "replayed, within tolerance",
        "Somebody else repeated recorded runs, and the metrics were within the stated tolerance.",
    ),
    "run-by-organisers": (
        "run by organisers",
        "The organisers ran the submission under the round's seeds. Nobody else repeated a run.",
    ),
    "self-reported": (
        "self-reported",
        "The authors ran the submission and signed what came out. Nobody else repeated a run.",
    ),
    "marked": (
        "marked",
        "A repeated run did not come out as its record says. These numbers are in doubt.",
    ),
}
"""Name and meaning by the word in the standings, the strongest first; `marked` is the last."""


def level(word: str) -> tuple[str, str]:
    """Return name and meaning; a word that is not known is shown as it is."""
    return LEVELS.get(word, (word, "This version of seedlock does not know this word."))


def strength(word: str) -> int:
    """Return a number to sort by, the strongest 0."""
    known = list(LEVELS)
    return known.index(word) if word in known else len(known)
