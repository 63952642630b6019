"""The result of `seedlock verify` as lines for a terminal."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any

from seedlock.evaluation.comparison import BROUGHT_IN
from seedlock.evaluation.divergence_text import diff_command
from seedlock.evaluation.findings import ADVISORY
from seedlock.evaluation.verdict import DEAF, HEARS, NOT_REPEATABLE, REPEATABLE, UNKNOWN

if TYPE_CHECKING:
    from collections.abc import Iterator

FEW = 5
"""How many lines of each list are printed without --verbose."""

WIDE = 17
"""Width of the first column."""


def text(result: dict[str, Any], verbose: bool = False) -> str:
    """Return the result as text.

    Args:
        result: what Verification.result returned.
        verbose: print all findings, gaps and causes, not the first `FEW`.
    """
    most = None if verbose else FEW
    lines = [*_verdicts(result)]
    for pair in result["comparisons"][:-1]:
        if not pair["same"] and (pair["divergence"] or pair["result"]):
            lines += ["", *_divergences(pair, result, verbose)]
    for pair in result["comparisons"][:-1]:
        lines += _findings(pair, most)
    lines += _listed("What to change", result["advice"], most)
    lines += _listed("Notes", result["notes"], most)
    lines += _listed("Gaps in the first run's reports", result["gaps"] if verbose else [], None)
    lines += ["", *_runs(result)]
    if result.get("html"):
        lines += ["", f"page    {result['html']}"]
    lines += [f"next    {each}" for each in _next(result)]
    lines += [f"repeat  {result['repeat']}"]
    return "\n".join(line.rstrip() for line in map(_printable, lines))


def headline(result: dict[str, Any]) -> list[tuple[str, str]]:
    """Return the verdicts, each with one sentence that says what it rests on."""
    outcome, verdicts = result["outcome"], result["verdicts"]
    seed_a, seed_b = result["seeds"]
    if verdicts["repeatable"] == UNKNOWN:
        reasons = result["reasons"] or [""]
        return [(outcome.upper(), reasons[0]), *(("", reason) for reason in reasons[1:])]
    pairs = result["comparisons"]
    what = _compared(pairs[0])
    count = len(pairs)
    found = []
    if verdicts["repeatable"] == REPEATABLE:
        found.append((REPEATABLE, f"{count} runs under seed {seed_a} agree in {what}"))
    else:
        other = [pair["second"] for pair in pairs[:-1] if not pair["same"]]
        found.append(
            (NOT_REPEATABLE, f"under seed {seed_a}, {', '.join(other)} differs from A-1 ({what})")
        )
    if verdicts["seed"] == HEARS:
        found.append((HEARS, f"seed {seed_b} gives other results than seed {seed_a}"))
    elif verdicts["seed"] == DEAF:
        because = "; ".join(result["deaf_because"])
        found.append((DEAF, f"seeds {seed_a} and {seed_b} give equal results: {because}"))
    else:
        found.append((f"SEED {UNKNOWN}", "; ".join(result["reasons"])))
    return found


def partings(pair: dict[str, Any]) -> list[tuple[str, dict[str, Any]]]:
    """Return where two runs part, each place with the words that lead to it.

    Most programs draw something from the system that never reaches a result, as `import torch`
    does: where such a draw differs first, the first result that differs comes before it.
    """
    first, result = pair["divergence"], pair["result"]
    if first is None and result is None:
        return []
    names = f"{pair['first']} and {pair['second']}"
    if first is None or first["kind"] in BROUGHT_IN:
        found = [(f"the first result of {names} that differs:", result)] if result else []
        drawn = "came in from the system before it, perhaps without effect:"
        if not result:
            drawn = f"{names} got other things from the system, perhaps without effect:"
        return [*found, (drawn, first)] if first else found
    found = [(f"{names} first part at", first)]
    if result and (result["place"], result["index"]) != (first["place"], first["index"]):
        found.append(("the first result that differs:", result))
    return found


def described(event: dict[str, Any] | None, differs: Any, key: str) -> str:
    """Return what one run has where two part, in the fields that differ."""
    if event is None:
        return "no such event"
    fields = [name for name in differs or () if name in event] or [key]
    return ", ".join(f"{name} {event.get(name)}" for name in fields)


def place(divergence: dict[str, Any]) -> str:
    """Return where an event is: `step 12, SGD.step at train.py:33`."""
    parts = [f"step {divergence['step']}", f"{divergence['kind']} {divergence['op'] or ''}".strip()]
    if divergence["at"]:
        parts[-1] += f" at {divergence['at']}"
    if divergence["place"]:
        parts.append(f"process {divergence['place']}")
    return ", ".join(parts)


def element_text(element: dict[str, Any] | None) -> str:
    """Return the first differing element: where, both values with their bits, the distance."""
    if not element or element.get("first_text") is None:
        return ""
    name = element.get("name") or f"array {element.get('array')}"
    index = list(element.get("index") or ())
    text = (
        f"{name}{index} of {element.get('dtype')}: "
        f"{element['first_text']} ({element['first_bits']}) and "
        f"{element['second_text']} ({element['second_bits']})"
    )
    if element.get("distance") is not None:
        text += f", {element['distance']} {element['unit']} apart"
    return text


def _verdicts(result: dict[str, Any]) -> Iterator[str]:
    for name, sentence in headline(result):
        yield f"{name:<{WIDE}}{sentence}"
    if result["last_lines"]:
        yield from ("", "the last lines on stderr:")
        yield from (f"  {line}" for line in result["last_lines"])


def _compared(pair: dict[str, Any]) -> str:
    parts = []
    if pair["results"]:
        parts.append(f"{pair['results']} results in traces")
    if pair["files"]:
        parts.append(f"{pair['files']} files")
    return " and ".join(parts) or "nothing that both have"


def _divergences(pair: dict[str, Any], result: dict[str, Any], verbose: bool) -> Iterator[str]:
    for sentence, divergence in partings(pair):
        yield f"{sentence} {place(divergence)}"
        yield from _event(divergence, pair["first"], pair["second"], verbose)
    bisected = result["bisected"]
    if bisected and bisected["divergence"]:
        operation = bisected["divergence"]
        yield f"the operation ({bisected['first']} and {bisected['second']}): {place(operation)}"
        yield from _event(operation, bisected["first"], bisected["second"], verbose)
    elif bisected:
        yield bisected["note"]


def _event(divergence: dict[str, Any], first: str, second: str, verbose: bool) -> Iterator[str]:
    if divergence.get("source"):
        yield f"    {divergence['source']}"
    for name, key in ((first, "first"), (second, "second")):
        yield f"  {name}: {described(divergence[key], divergence.get('differs'), 'digest')}"
    element = element_text(divergence.get("element"))
    if element:
        yield f"  first element: {element}"
    for cause in divergence.get("causes", ()) if verbose else ():
        yield f"  {'guess: ' if cause.get('guess', True) else ''}{cause['text']}"


def _findings(pair: dict[str, Any], most: int | None) -> list[str]:
    found = [each for each in pair["findings"] if most is None or each["kind"] != ADVISORY]
    lines = []
    for each in found[:most]:
        where = f"{each['file']}, {each['where']}" if each["where"] else each["file"]
        values = f": {each['first']} and {each['second']}" if each["first"] else ""
        note = f" ({each['note']})" if each["note"] else ""
        metric = "metric, " if each["metric"] else ""
        lines.append(f"  {metric}{each['kind']}: {where}{values}{note}")
    if len(found) > len(lines):
        lines.append(f"  … and {len(found) - len(lines)} more (--verbose, or the page)")
    return ["", f"Differences of {pair['first']} and {pair['second']}", *lines] if lines else []


def _listed(title: str, texts: list[str], most: int | None) -> list[str]:
    lines = [f"  {each}" for each in texts[:most]]
    if len(texts) > len(lines):
        lines.append(f"  … and {len(texts) - len(lines)} more (--verbose, or the page)")
    return ["", title, *lines] if lines else []


def _runs(result: dict[str, Any]) -> Iterator[str]:
    yield f"{'run':<10}{'seed':<8}{'status':<13}{'exit':>5}{'seconds':>10}{'steps':>7}"
    for run in result["runs"]:
        status = "" if run["exit_status"] is None else run["exit_status"]
        yield (
            f"{run['name']:<10}{run['seed']:<8} {run['status']:<12}{status:>5}"
            f"{run['seconds']:>10.1f}{run['steps']:>7}"
        )


def _next(result: dict[str, Any]) -> Iterator[str]:
    """Yield the command that shows more of the first two runs under one seed that part."""
    for pair in result["comparisons"][:-1]:
        if not pair["same"] and pair["divergence"]:
            names = (pair["first"], pair["second"])
            yield diff_command([os.path.join(result["folder"], name) for name in names])
            return


def _printable(line: str) -> str:
    """Return a line without control characters: what a submission names or prints must not move
    the cursor of an organiser's terminal."""
    return "".join(each if each.isprintable() else "?" for each in line)
