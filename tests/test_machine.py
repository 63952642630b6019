"""machine.py: facts, never guesses."""

from __future__ import annotations

import json
import os
import platform
import sys

from seedlock import machine
from tests.interpreter import python


def test_facts_are_json_ready() -> None:
    """What the report holds of the machine can be written."""
    facts = machine.facts()

    assert facts["system"] == platform.platform()
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


def test_what_a_gpu_does_not_tell_is_absent(nvml: str) -> None:
    """One without memory of its own refuses to say how much it has; all else is there."""
    code = "import json; from seedlock import machine; print(json.dumps(machine.gpu()))"
    told = {"name": "None", "memory_bytes": 1 << 20, "compute_capability": [9, 9]}

    for silent in "01":
        found = python("-c", code, LD_LIBRARY_PATH=nvml, COUNT="2", NO_MEMORY=silent)
        expected = {name: fact for name, fact in told.items() if name != "memory_bytes"}
        whole = silent == "0"
        assert found.json() == {"driver": "999.9", "devices": [told if whole else expected] * 2}


def test_memory_is_the_processs_own() -> None:
    """It does not begin with what the process held that started this one."""
    child = "from seedlock import machine; print(machine.usage()['peak_memory_bytes'])"
    words = [sys.executable, "-c", child]
    parent = f"import subprocess; held = b'x' * (256 << 20); subprocess.run({words!r}, check=True)"

    peak = int(python("-c", parent).out)

    assert 1 << 20 < peak < 256 << 20
