"""Logs as they come: JSON lines and CSV, with holes, and broken in every way."""

from __future__ import annotations

import random

import pytest

from seedlock.evaluation.watch.log_lines import LONGEST, BadLog, Line, Lines


def read(lines: Lines, text: str) -> list[Line]:
    """Return what the lines of a text say."""
    found = [lines.add(each.encode()) for each in text.splitlines(keepends=True)]
    return [each for each in found if each is not None]


def values(lines: list[Line]) -> list[float | None]:
    """Return their values."""
    return [each.value for each in lines]


def test_json_lines() -> None:
    """A field, one that lies deeper, numbers as text, and what seedlock.log_metric writes."""
    assert values(read(Lines("a"), '{"a": 1}\n\n{"a": "2.5", "b": 3}\n')) == [1.0, 2.5]
    assert values(read(Lines("m.a"), '{"m": {"a": 0.5}}\n{"m.a": 0.25}\n')) == [0.5, 0.25]
    logged = '{"name": "a", "value": 1.5, "step": 1}\n{"name": "b", "value": 9, "step": 1}\n'
    assert values(read(Lines("a"), logged)) == [1.5]


@pytest.mark.parametrize("separator", [",", ";", "\t"])
def test_csv(separator: str) -> None:
    """By the names of the first line, which may come again; quoted fields; a BOM; CRLF."""
    text = '\ufeffday,acc,note\r\n1,0.5,x\r\nday,acc,note\r\n2,0.75,"y"\r\n'.replace(",", separator)

    found = read(Lines("acc", "day"), text)

    assert [(each.number, each.time, each.value) for each in found] == [
        (2, "1", 0.5),
        (4, "2", 0.75),
    ]


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ('{"b": 1}', "has no value"), ('{"a": null}', "has no value"), ('{"a": NaN}', "says NaN"),
        ('{"a": 1e999}', "is infinite"), ('{"a": "nan"}', "says NaN"), ('{"a": true}', "says what"),
        ('{"a": [1]}', "says what"), ('{"a": "high"}', "says 'high', no number"),
        ("{", "is no JSON"), ("[1]", "is no JSON object"), ("{" * 100_000, "is no JSON"),
        ('{"a": ' + "9" * 400 + "}", "is infinite"), ("\x00", "is no JSON"),
        ('{"a": "' + "x" * LONGEST + '"}', "is longer than 1 MiB"),
    ],
    ids=range(14),
)  # fmt: skip
def test_a_line_without_a_number_is_named(text: str, problem: str) -> None:
    """Whatever it says, it raises nothing and counts for nothing."""
    lines = Lines("a", form="jsonl")
    (found,) = read(lines, text)

    assert (found.value, found.number) == (None, 1)
    assert found.problem is not None and found.problem.startswith(problem)


@pytest.mark.parametrize(
    ("row", "problem"),
    [("1,", "has no value"), ("1,NA", "has no value"), ("1,nan", "says NaN"), ("1,-inf", "is inf"),
     ("1,x", "says 'x'"), ("1", "has 1 fields"), ("1,2,3", "has 3 fields")],
)  # fmt: skip
def test_a_row_without_a_number_is_named(row: str, problem: str) -> None:
    """The same for CSV."""
    (found,) = read(Lines("a"), f"day,a\n{row}\n")

    assert (found.value, found.number) == (None, 2)
    assert found.problem is not None and found.problem.startswith(problem)


@pytest.mark.parametrize("text", ["day,b\n", "a,a\n", "hello\n", '"a\n', "a\x00b\n"])
def test_a_log_that_can_not_hold_the_metric_is_refused(text: str) -> None:
    """By its first line."""
    with pytest.raises(BadLog, match="allowed: "):
        read(Lines("a", "day"), text)


def test_broken_logs_never_raise_another_error() -> None:
    """A thousand logs with bytes changed, cut and doubled: values, named lines, or BadLog."""
    chance = random.Random(7)
    good = [b'{"t": "1", "a": 0.5}\n' * 4, b"t,a\n1,0.5\n2,0.6\n", b't;a;"c"\n1;0.5;"x;y"\n']
    for _ in range(1000):
        raw = bytearray(chance.choice(good))
        for _ in range(chance.randint(1, 6)):
            at = chance.randrange(len(raw))
            raw[at : at + chance.randint(0, 3)] = bytes(
                chance.randrange(256) for _ in range(chance.randint(0, 3))
            )
        lines = Lines("a", "t")
        try:
            for each in bytes(raw).splitlines(keepends=True):
                line = lines.add(each)
                assert line is None or (line.value is None) == (line.problem is not None)
        except BadLog as refusal:
            assert "\n" not in str(refusal)
