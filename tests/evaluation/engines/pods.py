"""A pod without a cluster: its container's mounts, variables, user and command, in bubblewrap."""

from __future__ import annotations

import base64
import sys
from pathlib import Path
from typing import Any

from tests.interpreter import REPOSITORY, Done, run

SUBMISSION = """\
name = "{name}"
command = ["python", "train.py"]
visibility = "private"
[image]
name = "conference/repro-base"
[metrics.loss]
direction = "min"
"""

PROGRAM = """\
import os, sys, numpy, seedlock
seedlock.log_metric("loss", float(numpy.random.rand()))
sys.exit(int(os.environ.get("WANTED", "0")))
"""


def submission(folder: Path, name: str) -> None:
    """Write a submission whose program ends as its variable WANTED says."""
    folder.mkdir(exist_ok=True)
    (folder / "submission.toml").write_text(SUBMISSION.format(name=name))
    (folder / "train.py").write_text(PROGRAM)


def reachable(folder: Path) -> None:
    """Let every user into a folder of the tests."""
    for each in (folder, *folder.parents):
        if "pytest" in str(each):
            each.chmod(0o755)


def in_a_pod(bwrap: str, pod: dict[str, Any], secret: dict[str, Any], volume: Path, tried: str,
             **variables: str) -> Done:  # fmt: skip
    """Start a pod's container in a sandbox with its mounts, read-only root, as its user, without a
    network. What the image has comes from this machine."""
    (container,) = pod["containers"]
    unit = volume / "unit.json"
    unit.write_bytes(base64.b64decode(secret["data"][f"{tried}.json"]))
    words = [bwrap, "--unshare-all", "--die-with-parent", "--uid", "1000", "--gid", "1000"]
    words += ["--tmpfs", "/", "--proc", "/proc", "--dev", "/dev"]
    for each in container["volumeMounts"]:
        # First, since this repository may lie below /tmp.
        words += ["--tmpfs", each["mountPath"]] if each["name"] in ("scratch", "memory") else []
    prefixes = {"/usr", "/lib", "/lib64", "/etc", sys.prefix, sys.base_prefix, str(REPOSITORY)}
    for prefix in sorted(prefixes):
        if Path(prefix).exists():
            words += ["--ro-bind", prefix, prefix]
    for each in container["volumeMounts"]:
        there = each["mountPath"]
        if each["name"] == "units":
            words += ["--ro-bind", str(unit), there]
        elif each["name"] == "shared":
            inside = each.get("subPath") or each["subPathExpr"].replace(
                "$(UNIT_INDEX)-$(UNIT_FAILED)", tried
            )
            (volume / inside).mkdir(parents=True, exist_ok=True)
            (volume / inside).chmod(0o777)
            way = "--ro-bind" if each.get("readOnly") else "--bind"
            words += [way, str(volume / inside), there]
    words += ["--remount-ro", "/", "--clearenv", "--chdir", container["workingDir"]]
    environ = {each["name"]: each["value"] for each in container["env"] if "value" in each}
    path = f"{Path(sys.executable).parent}:/usr/bin"
    for name, value in {**environ, "PATH": path, **variables}.items():
        words += ["--setenv", name, value]
    return run([*words, *container["command"]], check=False)
