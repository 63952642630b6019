"""machine.py: facts, never guesses."""

from __future__ import annotations

import json
import os
import sys
from typing import Any

import pytest

from seedlock import machine
from tests.interpreter import python


def test_facts_are_json_ready() -> None:
    """What the report holds of the machine can be written."""
    facts = machine.facts()

    assert json.loads(json.dumps(facts)) == facts
    assert set(facts) == {
        "python", "implementation", "system", "address_randomisation", "cpu", "threads", "gpu",
    }  # fmt: skip


def test_instruction_sets_are_the_processors() -> None:
    """Each named set stands in /proc/cpuinfo, and those that stand there are named."""
    with open("/proc/cpuinfo") as file:
        text = file.read().split()
    sets = machine.cpu()["instruction_sets"]

    assert isinstance(sets, list)
    assert sets == [name for name in machine.INSTRUCTION_SETS if name in text]


def test_usable_threads_follow_the_affinity() -> None:
    """The number of threads is what this process may use, not what the machine has."""
    before = os.sched_getaffinity(0)
    try:
        os.sched_setaffinity(0, {min(before)})
        usable = machine.threads()["usable"]
    finally:
        os.sched_setaffinity(0, before)

    assert usable == 1


def test_a_gpu_or_the_reason_why_there_is_none() -> None:
    """NVML's answer is in the facts, whatever it is."""
    gpu = machine.gpu()

    assert gpu["devices"] or gpu["reason"]


@pytest.mark.parametrize(("refused", "memory"), [({}, [1 << 20]), ({"NO_MEMORY": "1"}, [None])])
def test_a_gpu_without_memory_of_its_own(
    nvml: str, refused: dict[str, Any], memory: list[int | None]
) -> None:
    """What NVML does not say of a GPU, as of one that has the processor's memory, is not known; all
    else of it is."""
    words = "import json; from seedlock import machine; print(json.dumps(machine.gpu()))"

    gpu = python("-c", words, LD_LIBRARY_PATH=nvml, COUNT="1", **refused).json()

    assert [each["memory_bytes"] for each in gpu["devices"]] == memory
    assert gpu["devices"][0]["compute_capability"] == [9, 9]


def test_memory_is_the_processs_own() -> None:
    """It does not begin with what the process held that started this one."""
    child = "from seedlock import machine; print(machine.usage()['peak_memory_bytes'])"
    words = [sys.executable, "-c", child]
    parent = f"import subprocess; held = b'x' * (256 << 20); subprocess.run({words!r}, check=True)"

    peak = int(python("-c", parent).out)

    assert 1 << 20 < peak < 256 << 20
