"""What was found of a log, as lines for people."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from seedlock.evaluation.scores.summaries import mean
from seedlock.evaluation.watch.watcher import CHANGED, INSIDE, LEFT, UNDECIDED

if TYPE_CHECKING:
    from collections.abc import Sequence

    from seedlock.evaluation.watch.watcher import Watcher

SAID = {
    INSIDE: "nothing speaks against one more model of the recipe",
    LEFT: "this is not what one more model of the recipe would do",
    CHANGED: "the log changed within itself; its level is still an expected one",
    UNDECIDED: "the log is too short, or outside with too few lines to be sure",
}

BLOCKS, PLAIN = "▁▂▃▄▅▆▇█", "12345678"

COLUMNS = 60

TESTS = {"level": "outside the interval", "change": "changed within itself"}


def headline(result: dict[str, Any]) -> str:
    """Return the verdict with what it means."""
    return f"{result['verdict']}: {SAID[result['verdict']]}"


def text(watcher: Watcher, blocks: bool = True) -> str:
    """Return the lines that `seedlock watch` prints at the end.

    Args:
        watcher: the log.
        blocks: draw with blocks; otherwise with digits, for a terminal that has none.
    """
    result = watcher.result()
    lines = [headline(result), ""]
    lines += [f"{name:<12}{said}" for name, said in rows(result)]
    for name in TESTS:
        if result[name]["alarm"] is not None:
            lines += ["", *alarm_lines(watcher, name, result)]
    if watcher.values:
        lines += ["", *picture(watcher, blocks)]
    if result["notes"]:
        lines += ["", *(f"note: {each}" for each in result["notes"])]
    lines += [f"  line {each['line']} {each['problem']}" for each in result["log"]["problems"]]
    return "\n".join(lines)


def rows(result: dict[str, Any]) -> list[tuple[str, str]]:
    """Return what was expected and what is in the log, as pairs of a name and a text."""
    expected, log = result["expected"], result["log"]
    count = len(expected["values"])
    models = f"{count} model{'s' * (count > 1)}"
    spread = {
        "seeds": f"{models}, sd over seeds {_short(expected['sd'])}",
        "sd": f"{models}, sd given as {_short(expected['sd'])}",
        "tolerance": f"{models}, with the tolerance that was given",
    }[expected["by"]]
    share = expected["confidence"]
    interval = f"{_short(expected['low'])} to {_short(expected['high'])}"
    of_log = f"{log['values']} values"
    if log["mean"] is not None:
        of_log += f", mean {_short(log['mean'])}"
    if log["low"] is not None:
        of_log += f" (95 %: {_short(log['low'])} to {_short(log['high'])})"
    if log["every"] > 1:
        of_log += f", each the mean of {log['every']}"
    return [
        ("metric", expected["metric"]),
        ("expected", f"{_short(expected['mean'])}, of {spread}"),
        ("interval", f"{interval}"
         + (f", holds {share:.4g} of further models" if share is not None else "")),
        ("log", of_log),
        ("evidence", f"outside {_short(result['level']['evidence'])}, changed "
         f"{_short(result['change']['evidence'])}; alarm at {_short(result['threshold'])}"),
    ]  # fmt: skip


def alarm_lines(watcher: Watcher, name: str, result: dict[str, Any]) -> list[str]:
    """Return what there is to say of a test that found something.

    Args:
        watcher: the log.
        name: of the test, `level` or `change`.
        result: of the log.
    """
    alarm = result[name]["alarm"]
    worse = watcher.worse(alarm["side"])
    side = alarm["side"] + ("" if worse is None else " (worse)" if worse else " (better)")
    place = _place(alarm["line"], alarm["time"])
    since = _place(alarm["since_line"], alarm["since_time"])
    before = "" if alarm["before"] is None else f"{_short(alarm['before'])} before, "
    return [
        f"{TESTS[name]}, {side}: certain enough at {place}",
        f"  it began about {since}: mean {before}{_short(alarm['after'])} from there on",
    ]


def picture(watcher: Watcher, blocks: bool = True) -> list[str]:
    """Return the log in one line of columns, and under it `!` where one is outside on average."""
    values, expected = watcher.values, watcher.expected
    signs = BLOCKS if blocks else PLAIN
    columns = _columns(values)
    low, high = min(*columns, expected.low), max(*columns, expected.high)
    tall = (high / 2 - low / 2) or 1.0  # halves, since large numbers' difference may not be finite
    heights = [int(len(signs) * ((each / 2 - low / 2) / tall)) for each in columns]
    drawn = [signs[min(len(signs) - 1, height)] for height in heights]
    marks = ["." if expected.low <= each <= expected.high else "!" for each in columns]
    first, last = watcher.places[0][0], watcher.places[-1][0]
    return [
        f"{'':<12}{''.join(drawn)}  from {_short(low)} to {_short(high)}",
        f"{'':<12}{''.join(marks)}  lines {first} to {last}; ! is outside the interval",
    ]


def _columns(values: Sequence[float]) -> list[float]:
    count = min(COLUMNS, len(values))
    edges = [len(values) * place // count for place in range(count + 1)]
    return [mean(values[edges[place] : edges[place + 1]]) for place in range(count)]


def _place(line: int, time: str | None) -> str:
    return f"line {line}" if time is None else f"line {line} ({time})"


def _short(value: float | None) -> str:
    return "-" if value is None else f"{value:.4g}"
