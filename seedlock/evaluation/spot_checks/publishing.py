"""What of a spot check's result everybody may read.

Why a record was refused, or in what a replay differs, names an author's files and settings, and the
record's own file has a name that its author chose. Of a private submission none of that is
published: its digest, its seeds' indices and how it stands are. The result as a whole stays with
the organisers, beside the replays.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping

WITHHELD = "of a private submission: the organisers know why"
"""In the place of all faults, so that it is seen that there are some."""


def for_everybody(result: Mapping[str, Any], public: Collection[str]) -> dict[str, Any]:
    """Return a result as `ROUND/spot-check.json` has it.

    Args:
        result: what `spot_check.check` returned.
        public: digests of the round's public submissions. A record that is no submission's may be
            anybody's, and is not among them.
    """
    return {
        **result,
        "submissions": [
            each if each["digest"] in public else _silent(each) for each in result["submissions"]
        ],
    }


def tells(of: Mapping[str, Any]) -> bool:
    """Return whether a result says of a submission why it stands as it does.

    Args:
        of: an element of `submissions`, of a published result or of any other.

    Raises:
        KeyError, TypeError, AttributeError: it is none.
    """
    said = [of["faults"]]
    said += [each.get(key) for each in of["records"] for key in ("faults", "reasons")]
    return any(words and words != [WITHHELD] for words in said)


def _silent(of: Mapping[str, Any]) -> dict[str, Any]:
    return {
        **of,
        "faults": _withheld(of["faults"]),
        "records": [
            {
                **each,
                "record": f"{each['seed_index']}.json",
                "faults": _withheld(each["faults"]),
                "reasons": [],
            }
            for each in of["records"]
        ],
    }


def _withheld(faults: list[str]) -> list[str]:
    return [WITHHELD] if faults else []
