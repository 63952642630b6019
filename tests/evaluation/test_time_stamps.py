"""time_stamps.py: what is forgiven, and above all what is not."""

from __future__ import annotations

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from seedlock.evaluation.time_stamps import (
    looks_like_a_clock,
    masked,
    names_time,
    same_but_for_time,
)


@pytest.mark.parametrize(
    ("first", "second"),
    [
        ("2026-11-22T09:25:01.123+00:00", "2026-11-22T09:25:07.9+00:00"),
        ("saved 2026-11-22 09:25", "saved 2026-11-23 10:26"),
        ("2026/11/22", "2026/11/23"),
        ("run-20261122-092501", "run-20261122-092733"),
        ("Sun Nov 22 09:25:01 2026", "Sun Nov 22 09:25:02 2026"),
        ("22 Nov 2026", "23 Nov 2026"),
        ("epoch 3: 12.3s, loss 0.5", "epoch 3: 11.9s, loss 0.5"),
        ("10/10 ━━━ 0s 3ms/step - loss: 0.5", "10/10 ━━━ 1s 12ms/step - loss: 0.5"),
        ("100%|███| 10/10 [00:01<00:00,  9.32it/s]", "100%|███| 10/10 [00:02<00:00,  8.1it/s]"),
        ("took 1h 2m 3s", "took 2h 12m 33s"),
        ("wall time 1.5e-05 seconds", "wall time 3.25 seconds"),
    ],
)
def test_times_are_recognised(first: str, second: str) -> None:
    """Dates, durations and rates as programs print them."""
    assert same_but_for_time(first, second)


@pytest.mark.parametrize(
    ("first", "second"),
    [
        ("loss 0.5", "loss 0.6"),
        ("epoch 3: 12.3s, loss 0.5", "epoch 3: 12.3s, loss 0.6"),
        ("step 12", "step 13"),
        ("accuracy 91%", "accuracy 92%"),
        ("1763800000", "1763800001"),
        ("model 5m parameters/x", "model 6m parameters/y"),
        ("20261122", "20261123"),
        ("score 3:1", "score 3:2"),
    ],
)
def test_results_are_no_times(first: str, second: str) -> None:
    """Numbers without a unit of time, metrics and scores count."""
    assert not same_but_for_time(first, second)


@pytest.mark.parametrize(
    "name",
    ["time", "timestamp", "train_runtime", "date_saved", "elapsedSeconds", "samples_per_second",
     "time_ms", "createdAt", "total_s", "ETA", "latency"],
)  # fmt: skip
def test_names_of_times(name: str) -> None:
    """The last word says what a number is."""
    assert names_time(name)


@pytest.mark.parametrize(
    "name",
    ["time_series_loss", "loss", "timesteps", "validation", "update", "seconds_loss", "", "runs",
     "hours_predicted", "mse_s"],
)  # fmt: skip
def test_names_of_results(name: str) -> None:
    """A word of time elsewhere in the name makes no time of a metric."""
    assert not names_time(name)


@given(st.text())
def test_any_text_can_be_masked(text: str) -> None:
    """Masking masks once, and equal texts are no difference."""
    assert masked(masked(text)) == masked(text) or "<" in text
    assert not same_but_for_time(text, text)


def test_a_clock_is_recognised_in_its_units() -> None:
    """Seconds to nanoseconds since 1970, and nothing else."""
    now = time.time()

    assert all(looks_like_a_clock(now * unit) for unit in (1, 1e3, 1e6, 1e9))
    assert not any(looks_like_a_clock(each) for each in (0.5, 42, True, "x", 10**6))
