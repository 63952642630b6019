"""The outside seed wins on the device too: its own seeds are moved, those that wait for it too."""

from __future__ import annotations

import json
from pathlib import Path

from tests.image.gpu.conftest import PROGRAMS, Run, last


def test_every_stream_follows_the_outside_seed(run: Run) -> None:
    """Equal under seed 7 twice and other under 8; equal seeds of the program's give equal streams,
    and no two others are alike."""
    first, again, other = (last(run("seeds", seed=seed)) for seed in (7, 7, 8))

    assert first == again
    assert [name for name in first if first[name] == other[name]] == []
    assert first["first"] == first["again"]
    streams = [first[name] for name in ("first", "other", "unseeded", "seeded")]
    streams += first["generators"]
    assert len({*map(tuple, streams)}) == len(streams)


def test_seeds_are_kept_as_written_where_the_policy_says_so(run: Run) -> None:
    """REPRO_USER_SEEDS=keep: the device's generator has the written number, under any root seed."""
    one, two = (last(run("seeds", seed=seed, REPRO_USER_SEEDS="keep")) for seed in (7, 8))

    assert one["kept"] == 1
    assert (one["first"], one["other"]) == (two["first"], two["other"])


def test_the_report_names_the_line_of_a_seed_that_waited(run: Run, tmp_path: Path) -> None:
    """CUDA starts at the first draw; the report has the line that set the seed before."""
    run("seeds", REPRO_REPORT=str(tmp_path))

    [report] = tmp_path.glob("*.json")
    lines = (PROGRAMS / "seeds.py").read_text().splitlines()
    number = next(at for at, line in enumerate(lines, 1) if "the seed waits" in line)
    sites = json.loads(report.read_text())["user_seeds"]
    assert f"{PROGRAMS / 'seeds.py'}:{number}" in [site["where"] for site in sites]
