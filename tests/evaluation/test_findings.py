"""findings.py: what is kept of many findings."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from seedlock.evaluation.findings import (
    ADVISORY,
    DIFFERENCE,
    KEY_ORDER,
    TIME_STAMP,
    Finding,
    limited,
    shown,
)

KINDS = st.lists(st.sampled_from([DIFFERENCE, TIME_STAMP, KEY_ORDER, ADVISORY]), max_size=60)


@given(kinds=KINDS, limit=st.integers(1, 30))
def test_a_difference_is_never_left_out_for_a_time_stamp(kinds: list[str], limit: int) -> None:
    """However many findings there are and whatever is kept, the verdict is that of all."""
    everything = [Finding("file", str(at), kind) for at, kind in enumerate(kinds)]

    kept = limited(everything, limit)

    assert any(each.counts for each in kept) == any(each.counts for each in everything)
    assert len(kept) <= limit + 1
    if len(everything) <= limit:
        assert sorted(kept, key=hash) == sorted(everything, key=hash)
    else:
        assert kept[-1].where.endswith("more places")


def test_long_values_are_cut() -> None:
    """A value of a megabyte does not fill the report."""
    assert len(shown("x" * 10**6)) == 200
    assert shown("short") == "short"
