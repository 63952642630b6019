"""What strangers wrote stays text in Markdown."""

from __future__ import annotations

from seedlock.evaluation.markdown_text import plain


def test_markup_is_shown_and_lines_are_one() -> None:
    """Each sign that begins markup has its backslash, and so has a backslash."""
    given = "a|b <i> [x](y) `z` *s* _u_ \\\n# no heading\n\n- no list"

    assert plain(given) == (r"a\|b \<i\> \[x\](y) \`z\` \*s\* \_u\_ \\ # no heading - no list")
