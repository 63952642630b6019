"""Sets on the way to a line, found in the text of a program."""

from __future__ import annotations

import pytest

from seedlock.evaluation.set_order import set_on_the_way


@pytest.mark.parametrize(
    ("program", "found"),
    [
        ("names = {'a', 'b'}\nrows = [table[name] for name in names]\nfit(rows)", 2),
        ("names = {n for n in words}\nfor name in names:\n    x = x + len(name)", 2),
        ("x = stack([*{load(n) for n in files}])", 1),
        ("names = set(words) - {'a'}\nx = stack(list(names))\ny = x + 1\nfit(y)", 2),
        ("def main():\n    kept: set[str] = set(a)\n    x = np.array(list(kept))\n    fit(x)", 3),
        ("for a, b in enumerate(frozenset(words)):\n    fit(b)", 1),
        ("names = {'a', 'b'}\nfit(sorted(names), len(names))", None),
        ("names = {'a', 'b'}\nfor name in names:\n    print(name)\nfit(x)", None),
        ("names = {'a': 1}\nfit([name for name in names])", None),
        ("if 'a' in {'a', 'b'}:\n    fit(x)", None),
        ("def other():\n    x = list({y, z})\ndef main():\n    fit(x)", None),
        ("x = 1\nx = list({y, z})", 2),
        ("x = list({1, 2})\nfit(x)", None),
        ("x = stack({y, z})\nfit(x)", 1),
        ("this is no Python", None),
    ],
)
def test_the_nearest_line_that_iterates_a_set_is_found(program: str, found: int | None) -> None:
    """Followed backwards by name from the last line; what is sorted has an order."""
    lines = program.splitlines(keepends=True)

    assert set_on_the_way(lines, len(lines)) == found


def test_what_comes_later_does_not_count() -> None:
    """Nor a line that is none."""
    lines = ["x = load()\n", "fit(x)\n", "x = list({y, z})\n"]

    assert set_on_the_way(lines, 2) is None
    assert set_on_the_way(lines, 9) is None
