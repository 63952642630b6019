"""A sealed run without a container engine: bubblewrap, and what a process may limit by itself."""

from __future__ import annotations

import os
import shutil
from dataclasses import dataclass
from typing import TYPE_CHECKING

from seedlock.errors import NotSealed
from seedlock.evaluation import process_groups
from seedlock.evaluation.container_engine import HOSTNAME, NOBODY
from seedlock.evaluation.sealing import places, probe, seccomp, takings
from seedlock.evaluation.sealing.guarantees import BUBBLEWRAP, RLIMIT, SEEDLOCK, Guarantee, kept
from seedlock.evaluation.sealing.processors import Claim
from seedlock.evaluation.sealing.sealed import LOOK, SOURCE, Hit, Order, Sealed
from seedlock.evaluation.sealing.variables import HOME, USER, listed

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

TEMPORARY = ("/tmp", "/dev/shm")

NEEDED = ("bwrap", "prlimit", "taskset", "choom", "setpriv")
"""Programs, of Debian's packages bubblewrap and util-linux."""

FILTER_FILE, VARIABLES_FILE = 9, 8
"""File descriptors of the seccomp filter and of the environment."""

OWN_FILES = ("passwd", "group", "hosts", "seccomp", "variables")
"""Files in the run's folder that the sandbox is made from."""

BY = {
    "network": BUBBLEWRAP, "root_read_only": BUBBLEWRAP, "memory": SEEDLOCK, "processors": SEEDLOCK,
    "processes": RLIMIT, "time": SEEDLOCK, "home": BUBBLEWRAP, "environment": BUBBLEWRAP,
    "capabilities": BUBBLEWRAP, "seccomp": BUBBLEWRAP, "reads": BUBBLEWRAP,
}  # fmt: skip

NO_MEMORY = (
    f"the kernel sets no limit; what all take together is looked at every {LOOK:g} s and ended "
    "when it is too much, which a short peak escapes"
)
NO_PROCESSORS = "it starts on as many processors as allowed, and can move itself to others"


def seal(order: Order, environ: Mapping[str, str]) -> Bubblewrap:
    """Return a sealed run in a sandbox, after a probe of an equal one.

    Started by root, the program is nobody; its folders have to belong to that user.

    Args:
        order: what to run.
        environ: this process's environment, for PATH.

    Raises:
        NotSealed: a program that it takes is missing, or the kernel allows no sandbox.
    """
    path = environ.get("PATH", os.defpath)
    tools = {}
    for name in NEEDED:
        tool = shutil.which(name, path=f"{path}:/usr/sbin:/sbin")
        if tool is None:
            raise NotSealed(
                f"no {name} on PATH; allowed: a container image, or bubblewrap and util-linux; "
                "install bubblewrap, or take --container with an image"
            )
        tools[name] = tool
    root = os.getuid() == 0
    folders = places.interpreters(order.argv, path)
    variables = {
        **listed(order.variables), "PATH": places.search_path(folders, order.argv, path),
    }  # fmt: skip
    _write_files(order.folder, NOBODY if root else os.getuid(), NOBODY if root else os.getgid())
    _write_variables(order.folder / "variables", variables)
    processors = Claim(order.limits.processors, order.cpus or os.sched_getaffinity(0))
    sandbox = Sandbox(order, tools, folders, variables, root, processors.text)
    # With all variables of this process, none of which may be seen inside.
    try:
        seen = probe.ask(sandbox.words(probe.command()), dict(environ))
    except NotSealed:
        processors.release()
        raise
    return Bubblewrap(
        order, sandbox.words([*order.argv]), {"PATH": path}, BUBBLEWRAP, judge(sandbox, seen),
        processors=processors,
    )  # fmt: skip


@dataclass(frozen=True)
class Sandbox:
    """How the sandbox is made.

    Attributes:
        order: what to run.
        tools: paths of the programs that make it.
        folders: folders of interpreters.
        variables: its whole environment.
        root: whether this process is root. Then a first sandbox, made with root's rights, which
            reach below folders that are closed to others, is left for a second one as nobody:
            root without capabilities would still own root's files, and has no limit of processes.
        processors: numbers of those that it starts on, as `0,2`.
    """

    order: Order
    tools: Mapping[str, str]
    folders: list[Path]
    variables: Mapping[str, str]
    root: bool
    processors: str

    def words(self, argv: list[str]) -> list[str]:
        """Return what starts `argv` in it."""
        bwrap, limits = self.tools["bwrap"], self.order.limits
        # Without RLIMIT_DATA: TensorFlow 2.21 goes on where it is refused memory, and a product of
        # matrices is 0 in a run that ends with status 0. The kernel ends this run first when the
        # machine itself has no more.
        limited = [
            self.tools["prlimit"], f"--nproc={limits.processes}:{limits.processes}",
            f"--fsize={limits.disk}:{limits.disk}", "--core=0:0", "--",
            self.tools["choom"], "--adjust", "1000", "--",
            self.tools["taskset"], "--cpu-list", self.processors, *argv,
        ]  # fmt: skip
        # --disable-userns: in a namespace of its own a program would have all capabilities again.
        confined = ["--unshare-user", "--disable-userns"]
        if seccomp.known():
            confined += ["--seccomp", str(FILTER_FILE)]
        inside = [*confined, "--chdir", self._start(), "--", *limited]
        outside = [
            "--unshare-ipc", "--unshare-pid", "--unshare-net", "--unshare-uts",
            "--unshare-cgroup-try", "--die-with-parent", "--new-session", "--hostname", HOSTNAME,
            *self._files(), "--clearenv", "--args", str(VARIABLES_FILE), "--cap-drop", "ALL",
        ]  # fmt: skip
        if self.root:
            for each in ("SETUID", "SETGID", "SETPCAP"):
                outside += ["--cap-add", f"CAP_{each}"]
            nobody = [
                self.tools["setpriv"], "--reuid", str(NOBODY), "--regid", str(NOBODY),
                "--clear-groups", "--inh-caps=-all", "--bounding-set=-all", "--no-new-privs",
            ]  # fmt: skip
            whole = [bwrap, *outside, "--", *nobody, bwrap, "--dev-bind", "/", "/", *inside]
        else:
            whole = [bwrap, *outside, *inside]
        opened = f'exec "$@" {FILTER_FILE}<seccomp {VARIABLES_FILE}<variables'
        return ["/bin/sh", "-c", f'cd "$0" && {opened}', str(self.order.folder), *whole]

    def bound(self) -> dict[str, str]:
        """Return what stands in it for reading: places inside, and where they are here."""
        order = self.order
        found = {places.SYSTEM: places.SYSTEM}
        plain = [each for each in places.SYSTEM_LINKS if not os.path.islink(each)]
        for each in (*plain, *places.CONFIGURATION, *places.HARDWARE):
            if os.path.exists(each):
                found[each] = each
        for name in ("passwd", "group", "hosts"):
            found[f"/etc/{name}"] = str(order.folder / name)
        found |= {str(folder): str(folder) for folder in self.folders}
        found |= {each.there: str(each.here) for each in order.readable}
        return found

    def _start(self) -> str:
        return SOURCE if SOURCE in self.bound() else "/"

    def _files(self) -> list[str]:
        size = ["--perms", "1777", "--size", str(self.order.limits.temporary), "--tmpfs"]
        found = ["--proc", "/proc", "--dev", "/dev", *size, "/dev/shm", "--remount-ro", "/dev"]
        found += [*size, "/tmp", "--perms", "1777", "--dir", HOME]
        bound, writable = self.bound(), self.order.writable
        for place in places.parents([*bound, *writable.values()]):
            found += ["--perms", "0755", "--dir", place]  # by default they would be root's alone
        for link in places.SYSTEM_LINKS:
            if os.path.islink(link):
                found += ["--symlink", os.readlink(link), link]
        for place in sorted(bound):
            found += ["--ro-bind", bound[place], place]
        for folder, place in writable.items():
            found += ["--bind", str(folder), place]
        return [*found, "--remount-ro", "/"]


class Bubblewrap(Sealed):
    """A sealed run in a sandbox of bubblewrap."""

    _family: process_groups.Family | None = None

    def _looked(self, pid: int) -> Hit | None:
        allowed = self.order.limits.memory
        self._family = self._family or process_groups.Family(pid)
        pids = self._family.living()
        taken = takings.memory(pids, TEMPORARY, self.order.limits.temporary, allowed)
        return Hit("memory", f"it took {taken} of {allowed} bytes") if taken >= allowed else None

    def _closed(self) -> None:
        for name in OWN_FILES:
            (self.order.folder / name).unlink(missing_ok=True)


def judge(sandbox: Sandbox, seen: probe.Seen) -> dict[str, Guarantee]:
    """Return the promises that a sandbox keeps, from what was seen in it."""
    order, status = sandbox.order, seen.status
    limit = str(order.limits.processes)
    writable = {*order.writable.values(), *TEMPORARY, "/dev/pts", "/proc"}
    devices = {place for place in seen.mounts if place in probe.TRUSTED_DEVICES}
    known = {*sandbox.bound(), *writable, *devices, "/", "/dev"}
    missing = (set(order.writable.values()) | {each.there for each in order.readable}).difference(
        seen.mounts
    )
    strangers = [
        *(f"{place} is mounted" for place in sorted(seen.mounts)
          if place not in known and not place.startswith("/proc/")),
        *(f"{place} is not mounted" for place in sorted(missing)),
        *(["it sees this machine's processes"] if _same("pid", seen) else []),
    ]  # fmt: skip
    unlisted = set(seen.variables) - set(sandbox.variables) - {"PWD", "OLDPWD", "_", "SHLVL"}
    broken: dict[str, list[str]] = {
        "network": [
            *(f"it has {each}" for each in seen.interfaces if each != "lo"),
            *(["it is this machine's"] if _same("net", seen) else []),
        ],
        "root_read_only": [
            f"{place} is writable" for place, may in seen.mounts.items()
            if may and place not in writable | devices
        ],
        "memory": [NO_MEMORY],
        "processors": [NO_PROCESSORS],
        "processes": [] if seen.processes == (limit, limit) else [f"it is {seen.processes[1]}"],
        "time": [],
        "home": [*strangers, *(f"{each} is in it" for each in seen.home)],
        "environment": [f"{name} is there" for name in sorted(unlisted)],
        "capabilities": [
            *(f"{each} is not empty" for each in seen.capabilities),
            *([] if status.get("NoNewPrivs") == "1" else ["new privileges are possible"]),
            *(["it is root"] if "0" in status.get("Uid", "0").split() else []),
            *([] if seen.confined else ["it can make user namespaces"]),
        ],
        "seccomp": _filter(status),
        "reads": strangers,
    }  # fmt: skip
    return kept(broken, BY)


def _same(namespace: str, seen: probe.Seen) -> bool:
    return seen.namespaces.get(namespace) in (None, os.readlink(f"/proc/self/ns/{namespace}"))


def _filter(status: Mapping[str, str]) -> list[str]:
    if not seccomp.known():
        return [f"no filter is known for {os.uname().machine}"]
    return [] if status.get("Seccomp") == "2" else ["no filter is in force"]


def _write_files(folder: Path, user: int, group: int) -> None:
    """Write the small files that a sandbox has of its own, for libraries that ask who they are."""
    nobody = "" if user == NOBODY else f"nobody:x:{NOBODY}:{NOBODY}::/:/usr/sbin/nologin\n"
    (folder / "passwd").write_text(f"{USER}:x:{user}:{group}::{HOME}:/bin/sh\n{nobody}")
    (folder / "group").write_text(f"{USER}:x:{group}:\n")
    (folder / "hosts").write_text(f"127.0.0.1 localhost {HOSTNAME}\n")
    (folder / "seccomp").write_bytes(seccomp.program())
    for name in ("passwd", "group", "hosts", "seccomp"):
        (folder / name).chmod(0o644)


def _write_variables(path: Path, variables: Mapping[str, str]) -> None:
    """Write the environment as bwrap's --args reads it: on a command line, which every user of this
    machine can read, the seed would stand."""
    words = (word for name, value in variables.items() for word in ("--setenv", name, value))
    path.unlink(missing_ok=True)
    number = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with open(number, "wb") as file:
        file.write(b"".join(os.fsencode(word) + b"\0" for word in words))
