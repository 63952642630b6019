"""The result of `seedlock spot-check` as lines for a terminal."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from seedlock.evaluation.divergence_text import plain

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

FEW = 5
"""How many reasons of each record are printed without --verbose."""


def text(result: Mapping[str, Any], verbose: bool = False) -> str:
    """Return the result as text.

    Args:
        result: what `check` returned.
        verbose: print all reasons, not the first `FEW`.
    """
    lines = [
        f"{result['chosen']} of {result['replayable']} records were drawn for a replay "
        f"(fraction {result['fraction']})"
    ]
    for each in result["submissions"]:
        name = each["name"] or f"{each['records'][0]['record']}, of no submission"
        lines.append(f"{each['standing'].upper()}: {name}")
        lines += _listed(each["faults"], verbose)
        for of in each["records"]:
            if of["chosen"]:
                lines += _replayed(of, verbose)
    return "\n".join(map(plain, lines))


def _replayed(of: Mapping[str, Any], verbose: bool) -> Iterator[str]:
    yield f"  seed index {of['seed_index']}, {of['record']}: {of['verdict']}"
    yield from (f"  {line}" for line in _listed(of["reasons"], verbose))


def _listed(reasons: list[str], verbose: bool) -> list[str]:
    shown = reasons if verbose else reasons[:FEW]
    more = len(reasons) - len(shown)
    return [f"  {each}" for each in shown] + ([f"  … and {more} more (--verbose)"] if more else [])
