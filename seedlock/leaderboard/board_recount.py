"""The standings of an export, computed anew from its ledger and records.

Where a record is not in the export, as a private submission's, its values are taken from the
board's own file, and all that is computed from them is computed anew.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from seedlock.errors import BadRound
from seedlock.evaluation.rounds.ceremony import Round
from seedlock.evaluation.scores import round_results, standings
from seedlock.evaluation.scores.results import PUBLIC, Run, Submission
from seedlock.leaderboard.export_layout import RUNS

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

TRUSTED = ("metrics", "seconds", "problem")
"""What a run's record alone tells, where the organisers train: the ledger has the rest."""


@dataclass(frozen=True)
class Recount:
    """Standings that were computed anew.

    Attributes:
        standings: of the round.
        by_word: for each submission whose values rest on the organiser's word: its name, and how
            many of its runs do.
    """

    standings: standings.Standings
    by_word: Mapping[str, int]


def recount(folder: Path, board: Mapping[str, Any], records: bool) -> Recount:
    """Compute the standings of a round's folder that may lack records.

    Args:
        folder: laid out as a round's.
        board: standings as `Standings.as_dict` has them, from which comes what nothing here tells.
        records: whether the records of public submissions have to be here.

    Raises:
        BadRound: a file of the round is not what it has to be, or `board` is no board of it.
    """
    found = round_results.look(Round(folder))
    entries = {each["digest"]: each for each in board["submissions"]}
    submissions, by_word = [], {}
    for each in found.submissions:
        entry = entries.get(each.digest)
        if entry is None or (records and each.visibility == PUBLIC):
            submissions.append(each)
            continue
        runs = _runs(folder, each, entry, found.policy.published)
        count = sum(one is not other for one, other in zip(runs, each.runs, strict=True))
        if count:
            by_word[each.name] = count
        attempts = entry["attempts"] if found.policy.published else each.attempts
        submissions.append(replace(each, runs=runs, attempts=attempts))
    anew = standings.build(
        found.policy,
        submissions,
        seeds=None if found.seeds is None else [str(each) for each in found.seeds],
        revealed=found.revealed,
        verdict=board["verdict"],
        problems=round_results.problems(submissions),
    )
    return Recount(anew, by_word)


def _runs(
    folder: Path, of: Submission, entry: Mapping[str, Any], published: bool
) -> list[Run]:  # fmt: skip
    """Return a submission's runs, with the values of those whose records are not here."""
    told = entry["runs"]
    if len(told) != len(of.runs):
        raise BadRound(
            f"the board has {len(told)} runs of {of.name}, the policy {len(of.runs)}; allowed: one "
            "per seed; get the export again"
        )
    runs = []
    for run, said in zip(of.runs, told, strict=True):
        path = run.record or f"{RUNS}/{of.name}/{run.seed_index}-1.json"
        absent = (run.record is not None or published) and not (folder / path).is_file()
        runs.append(_by_word(run, said, entry, published) if absent else run)
    return runs


def _by_word(
    run: Run, said: Mapping[str, Any], entry: Mapping[str, Any], published: bool
) -> Run:  # fmt: skip
    hardware = entry["hardware"]
    if not published:
        return replace(run, hardware=hardware, **{key: said[key] for key in TRUSTED})
    # A run that authors carried out is told by its record alone, but for what a spot check saw.
    named = run.record_sha256 or said["record_sha256"]
    return Run(
        run.seed_index, said["attempt"], said["state"], said["class"],
        tuple(said.get("reasons", ())), said["record"], named, said["seconds"], said["metrics"],
        hardware, said["problem"],
    )  # fmt: skip


def differences(one: Any, other: Any, where: str = "") -> list[str]:
    """Return where two boards differ, each as `submissions[good].scores.accuracy.mean`."""
    if isinstance(one, dict) and isinstance(other, dict):
        return [
            found
            for key in sorted(one.keys() | other.keys())
            for found in differences(one.get(key), other.get(key), f"{where}.{key}".lstrip("."))
        ]
    if isinstance(one, list) and isinstance(other, list) and len(one) == len(other):
        return [
            found
            for place, (a, b) in enumerate(zip(one, other, strict=True))
            for found in differences(a, b, f"{where}[{_name(a, place)}]")
        ]
    return [] if one == other and type(one) is type(other) else [where]


def _name(each: Any, place: int) -> str:
    named = isinstance(each, dict) and isinstance(each.get("name"), str)
    return each["name"] if named else str(place)
