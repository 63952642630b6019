"""From what an engine says of itself and of a container to the promises that were kept."""

from __future__ import annotations

import os
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from seedlock.evaluation.sealing.guarantees import DOCKER, PROMISES, SEEDLOCK, Guarantee, kept
from seedlock.evaluation.sealing.variables import HOME

if TYPE_CHECKING:
    from collections.abc import Iterator

    from seedlock.evaluation.sealing.limits import Limits

BY = dict.fromkeys(PROMISES, DOCKER) | {"time": SEEDLOCK}

DEFAULT_PROFILES = ("default", "builtin")
"""What engines before and since 23 call their own seccomp profile."""

ENGINES_OWN = frozenset({"PATH", "HOSTNAME"})
"""Variables that an engine sets in each container."""

SUPPORT = {
    "memory": ("MemoryLimit", "SwapLimit"),
    "processors": ("CpuCfsQuota",),
    "processes": ("PidsLimit",),
}
"""What an engine says of the limits that its kernel lets it set. It drops those that it can't,
with a warning (moby, daemon/daemon_unix.go)."""


@dataclass(frozen=True)
class Expected:
    """What has to be found in a sealed container.

    Attributes:
        limits: how much it may take.
        variables: names of its variables.
        writable: paths here that it may write, and where they are mounted.
        readable: paths here that it may read, and where they are mounted.
        image: the image's id.
        processors: numbers of those that it is bound to, as `0,2`; empty where it is to none.
    """

    limits: Limits
    variables: frozenset[str]
    writable: dict[str, str]
    readable: dict[str, str]
    image: str
    processors: str = ""


def names(variables: list[str]) -> frozenset[str]:
    """Return the names of variables given as `NAME=VALUE`."""
    return frozenset(each.partition("=")[0] for each in variables)


def possible(limits: Limits, about: dict[str, Any]) -> Limits:
    """Return the limits as the engine takes them: it refuses more processors than it has."""
    most = about.get("NCPU") or limits.processors
    return replace(limits, processors=min(limits.processors, float(most)))


def processors_here(about: dict[str, Any]) -> list[int]:
    """Return the processors that containers may be bound to: those of this process, where the
    engine is on this machine and has them all; none where that is not sure."""
    own = sorted(os.sched_getaffinity(0))
    same = about.get("Name") == os.uname().nodename and about.get("NCPU") == os.cpu_count()
    return own if same and about.get("CPUSet") is True else []


def foreseen(about: dict[str, Any]) -> dict[str, Guarantee]:
    """Return the promises that an engine can keep, before there is a container.

    Args:
        about: `docker info` as JSON.
    """
    broken: dict[str, list[str]] = {name: [] for name in PROMISES}
    broken["seccomp"] += _filter(about)
    for name, keys in SUPPORT.items():
        broken[name] += [f"the engine's {key} is {about.get(key)}" for key in keys
                         if about.get(key) is not True]  # fmt: skip
    return kept(broken, BY)


def seen(
    expected: Expected, about: dict[str, Any], container: dict[str, Any]
) -> dict[str, Guarantee]:
    """Return the promises that were kept for a container.

    Args:
        expected: what it was asked to have.
        about: `docker info` as JSON.
        container: `docker container inspect` as JSON, one object.
    """
    host, config = container["HostConfig"], container["Config"]
    limits = expected.limits
    privileged = ["it is privileged"] if host.get("Privileged") else []
    mounts = [*_strangers(expected, container), *_unwanted(host)]
    if container.get("Image") != expected.image:
        mounts.append(f"its image is {container.get('Image')}")
    broken: dict[str, list[str]] = {
        "network": [*_network(container), *privileged],
        "root_read_only": [*_told("ReadonlyRootfs", host, True), *_written(expected, container)],
        "memory": [
            *_told("Memory", host, limits.memory), *_told("MemorySwap", host, limits.memory),
            *(["OomKillDisable is true"] if host.get("OomKillDisable") else []),
        ],
        "processors": [
            *_told("NanoCpus", host, round(limits.processors * 1e9)),
            *_told("CpusetCpus", host, expected.processors),
        ],
        "processes": _told("PidsLimit", host, limits.processes),
        "time": [],
        "home": [
            *([] if f"HOME={HOME}" in (config.get("Env") or []) else ["HOME is another folder"]),
            *([] if HOME in (host.get("Tmpfs") or {}) else [f"{HOME} is not in memory"]),
            *mounts,
        ],
        "environment": [
            f"{name} is there" for name in sorted(
                names(config.get("Env") or []) - expected.variables - ENGINES_OWN
            )
        ],
        "capabilities": [*_capabilities(host, config), *privileged],
        "seccomp": [
            *_filter(about), *privileged,
            *(f"the container has {each}" for each in host.get("SecurityOpt") or []
              if each.startswith("seccomp")),
        ],
        "reads": mounts,
    }  # fmt: skip
    return kept(broken, BY)


def _told(key: str, told: dict[str, Any], wanted: object) -> list[str]:
    return [] if told.get(key) == wanted else [f"{key} is {told.get(key)} and not {wanted}"]


def _filter(about: dict[str, Any]) -> list[str]:
    options = about.get("SecurityOptions") or []
    wanted = {f"name=seccomp,profile={each}" for each in DEFAULT_PROFILES}
    if wanted & set(options):
        return []
    return [f"the engine's security options are {', '.join(options) or 'none'}"]


def _network(container: dict[str, Any]) -> Iterator[str]:
    mode = container["HostConfig"].get("NetworkMode")
    networks = sorted((container.get("NetworkSettings") or {}).get("Networks") or {})
    if mode != "none":
        yield f"NetworkMode is {mode}"
    if networks not in ([], ["none"]):
        yield f"it is in {', '.join(networks)}"


def _capabilities(host: dict[str, Any], config: dict[str, Any]) -> Iterator[str]:
    if [each.upper() for each in host.get("CapDrop") or []] != ["ALL"]:
        yield f"CapDrop is {host.get('CapDrop')}"
    if host.get("CapAdd"):
        yield f"CapAdd is {host['CapAdd']}"
    if not any(each.startswith("no-new-privileges") and not each.endswith("false")
               for each in host.get("SecurityOpt") or []):  # fmt: skip
        yield "no-new-privileges is not set"
    user = str(config.get("User") or "0").partition(":")[0]
    if not user.isdecimal() or int(user) == 0:
        yield f"its user is {user}"


def _written(expected: Expected, container: dict[str, Any]) -> Iterator[str]:
    allowed = set(expected.writable.values())
    for each in container.get("Mounts") or []:
        if each.get("RW") and each["Destination"] not in allowed:
            kind = "the image's VOLUME " if each.get("Type") == "volume" else ""
            yield f"{kind}{each['Destination']} is writable"


def _strangers(expected: Expected, container: dict[str, Any]) -> Iterator[str]:
    places = {**expected.writable, **expected.readable}
    for each in container.get("Mounts") or []:
        if each.get("Type") in ("volume", "tmpfs"):
            continue  # new and empty
        if places.get(each.get("Source")) != each["Destination"]:
            yield f"{each['Destination']} is mounted"
    found = {each["Destination"] for each in container.get("Mounts") or []}
    for place in sorted(set(places.values()) - found):
        yield f"{place} is not mounted"


def _unwanted(host: dict[str, Any]) -> Iterator[str]:
    for key in ("Binds", "VolumesFrom", "Devices", "DeviceRequests"):
        if host.get(key):
            yield f"{key} is {host[key]}"
    for key in ("PidMode", "IpcMode", "UTSMode", "UsernsMode"):
        if host.get(key) == "host":
            yield f"{key} is host"
