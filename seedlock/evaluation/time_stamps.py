"""Which differences are only those of time: dates, times and durations that say what they are.

Strict on purpose, since what is recognised here is forgiven: a number counts as a time only
where its name or its unit says so. A number that looks like a clock's under another name is a
difference, and its note says what it looks like.
"""

from __future__ import annotations

import re
import time

_MONTH = r"(?:Jan|Feb|Mar|Apr|May|Jun|Jul|Aug|Sep|Oct|Nov|Dec)[a-z]*"
_DAY = r"(?:Mon|Tue|Wed|Thu|Fri|Sat|Sun)[a-z]*"
_CLOCK = r"\d{1,2}:\d{2}(?::\d{2}(?:[.,]\d+)?)?"
_ZONE = r"(?:\s?(?:Z|UTC|GMT|[+-]\d{2}:?\d{2}))?\b"
_DATE = r"(?:19|20)\d{2}[-/.](?:0[1-9]|1[0-2])[-/.](?:0[1-9]|[12]\d|3[01])"
_COMPACT = r"(?:19|20)\d{2}(?:0[1-9]|1[0-2])(?:0[1-9]|[12]\d|3[01])"
_NUMBER = r"\d+(?:\.\d+)?(?:e[+-]?\d+)?"
_UNIT = (
    r"(?:ns|us|µs|μs|ms|s|sec|secs|seconds?|milliseconds?|microseconds?|m|min|mins|minutes?|"
    r"h|hr|hrs|hours?)"
)
_THING = r"(?:it|its|step|steps|batch|batches|sample|samples|example|examples|token|tokens|img|images|epoch)"  # noqa: E501

_MASKED = re.compile(
    "|".join(
        [
            rf"(?:{_DAY},?\s+)?{_MONTH}\.?\s+\d{{1,2}},?\s+{_CLOCK}(?:{_ZONE})(?:\s+\d{{4}})?",
            rf"(?:{_DAY},?\s+)?\d{{1,2}}\s+{_MONTH}\.?\s+\d{{4}}(?:,?\s+{_CLOCK}{_ZONE})?",
            rf"(?<!\d){_DATE}(?:[T_ \-]{_CLOCK}{_ZONE})?(?!\d)",
            rf"(?<!\d){_COMPACT}[-_T]?\d{{6}}(?!\d)",
            rf"(?<![\d.]){_NUMBER}\s?{_THING}\s?/\s?(?:s|sec|second)\b",
            rf"(?<![\d.]){_NUMBER}\s?{_UNIT}\s?/\s?{_THING}\b",
            rf"(?<![\w.])(?:{_NUMBER}\s?{_UNIT}\s?)+(?![\w/])",
            rf"(?<![\d:.]){_CLOCK}(?![\d:])",
        ]
    ),
    re.IGNORECASE,
)
"""Dates with month names as ctime and syslog write them; ISO 8601; `20240131-120000`; rates and
times per step as tqdm and Keras print them; numbers with a unit of time; times of day and
durations as `01:23` and `1:02:03.5`."""

_WORDS = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+|\d+")

_TIME_WORDS = {
    "time", "times", "timestamp", "timestamps", "date", "datetime", "created", "started",
    "finished", "modified", "elapsed", "duration", "runtime", "walltime", "wallclock", "eta",
    "throughput", "latency",
}  # fmt: skip
_UNITS = {
    "s", "sec", "secs", "second", "seconds", "ms", "us", "ns", "millis", "milliseconds",
    "minutes", "hours",
}  # fmt: skip
_ENDINGS = (("date", "saved"), ("created", "at"), ("started", "at"), ("finished", "at"))

CLOCK_RANGE = 400 * 86_400
"""Seconds around now within which a number is called one that looks like a clock's."""


def masked(text: str) -> str:
    """Return `text` with each date, time and duration replaced by `<time>`."""
    return _MASKED.sub("<time>", text)


def same_but_for_time(first: str, second: str) -> bool:
    """Tell whether two different texts are equal once dates, times and durations are masked."""
    return first != second and masked(first) == masked(second)


def names_time(name: str) -> bool:
    """Tell whether a key or a column is named as a time: `train_runtime`, `date_saved`,
    `time_ms`, `elapsedSeconds`, `samples_per_second`.

    The last word decides, so that `time_series_loss` is no time.
    """
    words = [word.lower() for word in _WORDS.findall(name)]
    if not words:
        return False
    if words[-1] in _TIME_WORDS or tuple(words[-2:]) in _ENDINGS:
        return True
    if words[-1] not in _UNITS:
        return False
    before = words[:-1]
    return not before or before[-1] in {*_TIME_WORDS, "per", "in", "total"}


def looks_like_a_clock(number: object) -> bool:
    """Tell whether a number lies near this moment in seconds, milli-, micro- or nanoseconds
    since 1970."""
    if isinstance(number, bool) or not isinstance(number, int | float):
        return False
    now = time.time()
    return any(abs(number / unit - now) < CLOCK_RANGE for unit in (1, 1e3, 1e6, 1e9))
