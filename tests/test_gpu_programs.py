"""What the checks for a GPU run, as far as it can be tried without one (tests/image/gpu)."""

from __future__ import annotations

from tests.interpreter import REPOSITORY, python

REFUSED = str(REPOSITORY / "tests" / "image" / "gpu" / "programs" / "refused.py")


def test_each_operation_that_pytorch_lists_has_a_case() -> None:
    """The table of refused operations leaves none of the pinned version's list out."""
    assert python(REFUSED, "cpu", "--check").err == ""


def test_the_table_is_of_level_strict_only() -> None:
    """Without the switch nothing would be refused, and the table would say so."""
    done = python(REFUSED, "cpu", check=False)

    assert (done.status, done.out) == (2, "")
    assert "set REPRO_SEED" in done.err
