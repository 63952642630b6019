"""inspection.py: from an engine's words to promises.

tests/image/test_sealed.py asks a real engine about real containers.
"""

from __future__ import annotations

from typing import Any

import pytest

from seedlock.evaluation.sealing.guarantees import PROMISES, lacking
from seedlock.evaluation.sealing.inspection import Expected, foreseen, possible, seen
from seedlock.evaluation.sealing.limits import Limits

LIMITS = Limits(memory=1 << 30, processors=1.5, processes=100)
EXPECTED = Expected(
    LIMITS, frozenset({"REPRO_SEED", "HOME"}), {"/a/output": "/output"},
    {"/a/source": "/submission"}, "sha256:1", "0,2",
)  # fmt: skip


def engine() -> dict[str, Any]:
    """Return what an engine says of itself that can keep all promises."""
    return {
        "MemoryLimit": True, "SwapLimit": True, "CpuCfsQuota": True, "PidsLimit": True, "NCPU": 4,
        "SecurityOptions": ["name=seccomp,profile=builtin", "name=cgroupns"],
    }  # fmt: skip


def container() -> dict[str, Any]:
    """Return what it says of a sealed container."""
    return {
        "Image": "sha256:1",
        "Config": {"User": "1000", "Env": ["REPRO_SEED=7", "HOME=/tmp/home", "PATH=/bin"]},
        "HostConfig": {
            "NetworkMode": "none", "ReadonlyRootfs": True, "Memory": 1 << 30,
            "MemorySwap": 1 << 30, "OomKillDisable": False, "NanoCpus": 1500000000,
            "CpusetCpus": "0,2",
            "PidsLimit": 100, "Privileged": False, "CapDrop": ["ALL"], "CapAdd": None,
            "SecurityOpt": ["no-new-privileges"], "Tmpfs": {"/tmp": "", "/tmp/home": ""},
            "Binds": None, "Devices": [], "PidMode": "", "IpcMode": "private",
        },
        "NetworkSettings": {"Networks": {"none": {}}},
        "Mounts": [
            {"Type": "bind", "Source": "/a/output", "Destination": "/output", "RW": True},
            {"Type": "bind", "Source": "/a/source", "Destination": "/submission", "RW": False},
        ],
    }  # fmt: skip


def test_a_sealed_container_keeps_all() -> None:
    """Nothing speaks against any promise."""
    assert lacking(seen(EXPECTED, engine(), container())) == []
    assert lacking(foreseen(engine())) == []


@pytest.mark.parametrize(
    ("key", "value", "promises"),
    [
        ("NetworkMode", "host", ["network"]),
        ("ReadonlyRootfs", False, ["root_read_only"]),
        ("Memory", 0, ["memory"]),
        ("MemorySwap", -1, ["memory"]),
        ("OomKillDisable", True, ["memory"]),
        ("NanoCpus", 0, ["processors"]),
        ("CpusetCpus", "", ["processors"]),
        ("PidsLimit", None, ["processes"]),
        ("Privileged", True, ["network", "capabilities", "seccomp"]),
        ("CapDrop", None, ["capabilities"]),
        ("CapAdd", ["SYS_ADMIN"], ["capabilities"]),
        ("SecurityOpt", None, ["capabilities"]),
        ("SecurityOpt", ["no-new-privileges=false"], ["capabilities"]),
        ("SecurityOpt", ["no-new-privileges", "seccomp=unconfined"], ["seccomp"]),
        ("Tmpfs", {"/tmp": ""}, ["home"]),
        ("Binds", ["/:/host"], ["home", "reads"]),
        ("Devices", [{"PathOnHost": "/dev/sda"}], ["home", "reads"]),
        ("PidMode", "host", ["home", "reads"]),
    ],
)
def test_one_setting_breaks_its_promises(key: str, value: object, promises: list[str]) -> None:
    """And no other one."""
    changed = container()
    changed["HostConfig"][key] = value

    assert lacking(seen(EXPECTED, engine(), changed)) == promises


@pytest.mark.parametrize(
    ("mount", "promises"),
    [
        ({"Type": "volume", "Source": "/var/v", "Destination": "/v", "RW": True},
         ["root_read_only"]),
        ({"Type": "bind", "Source": "/home/a", "Destination": "/x", "RW": False},
         ["home", "reads"]),
    ],
)  # fmt: skip
def test_a_mount_that_nobody_ordered(mount: dict[str, object], promises: list[str]) -> None:
    """A VOLUME of the image can be written; another folder of this machine can be read."""
    changed = container()
    changed["Mounts"].append(mount)

    found = seen(EXPECTED, engine(), changed)

    assert lacking(found) == promises
    assert str(mount["Destination"]) in found[promises[0]].note


def test_what_is_not_said_is_not_kept() -> None:
    """An engine that leaves out all keys keeps nothing but the time, which is not its own."""
    bare: dict[str, Any] = {"Config": {}, "HostConfig": {}, "Mounts": []}

    kept = set(PROMISES) - set(lacking(seen(EXPECTED, {}, bare)))

    assert kept <= {"time", "environment"}


@pytest.mark.parametrize("user", ["", "0", "0:0", "root", "author"])
def test_the_user_is_a_number_and_not_roots(user: str) -> None:
    """A name may be root's in the image."""
    changed = container()
    changed["Config"]["User"] = user

    assert lacking(seen(EXPECTED, engine(), changed)) == ["capabilities"]


def test_what_an_engine_cannot_do_is_known_before() -> None:
    """Limits that its kernel lacks, another seccomp profile, or none."""
    lame = {**engine(), "SwapLimit": False, "PidsLimit": False}

    assert lacking(foreseen(lame)) == ["memory", "processes"]
    for options in (
        [],
        None,
        ["name=seccomp,profile=unconfined"],
        ["name=seccomp,profile=/x.json"],
    ):
        assert lacking(foreseen({**engine(), "SecurityOptions": options})) == ["seccomp"]


def test_no_more_processors_than_there_are() -> None:
    """An engine refuses to start with more."""
    assert possible(Limits(processors=8), engine()).processors == 4
    assert possible(LIMITS, engine()) == LIMITS
