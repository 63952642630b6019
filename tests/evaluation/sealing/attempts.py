"""A program that tries to break each promise of a sealed run, and says how that went.

It runs inside, under any Python and without seedlock: `attempts.py JSON`, an object with `port` and
`socket` of listeners outside, `home` and `secret` (paths outside), `pid` of a process outside, and
`gather` (a file in /output to be made once it has all the processes that it can have). Prints one
JSON object: for each attempt the name of the error, or what it got.
"""

from __future__ import annotations

import ctypes
import errno
import json
import os
import signal
import socket
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

LIBC = ctypes.CDLL(None, use_errno=True)
NEW_USER, NEW_NET = 0x10000000, 0x40000000
TRACEME, NO_NEW_PRIVS = 0, 39
UNSHARE, BPF, KEYCTL, CLONE = 272, 321, 250, 56  # x86-64


def tried(attempt: Callable[[], Any]) -> Any:
    """Return what an attempt gave, or the name of its error."""
    try:
        return attempt()
    except socket.gaierror:
        return "gaierror"
    except OSError as problem:
        return errno.errorcode.get(problem.errno or 0, str(problem))


def called(name: str, *arguments: object) -> Any:
    """Return the error of a call of the C library, or "done"."""
    ctypes.set_errno(0)
    if getattr(LIBC, name)(*arguments) == -1:
        return errno.errorcode[ctypes.get_errno()]
    return "done"


def in_child(attempt: Callable[[], str]) -> str:
    """Return what an attempt gives in a child, for one after which a process can't go on."""
    reader, writer = os.pipe()
    child = os.fork()
    if child == 0:
        os.write(writer, attempt().encode())
        os._exit(0)
    os.close(writer)
    with open(reader) as answer:
        said = answer.read()
    os.waitpid(child, 0)
    return said


def connected(family: int, address: Any) -> str:
    """Connect to somewhere outside."""
    with socket.socket(family, socket.SOCK_STREAM) as opened:
        opened.settimeout(5)
        opened.connect(address)
    return "connected"


def written(place: str) -> str:
    """Write a file."""
    with open(place, "w") as file:
        file.write("x")
    return "written"


def forked(gather: str) -> Any:
    """Have more and more children, until the kernel refuses."""
    children: list[int] = []
    try:
        while len(children) < 2000:
            child = os.fork()
            if child == 0:
                signal.pause()
                os._exit(0)
            children.append(child)
        return len(children)
    except OSError as problem:
        Path(gather).touch()
        while not Path(f"{gather}.seen").exists():
            time.sleep(0.01)
        return [len(children), errno.errorcode[problem.errno or 0]]
    finally:
        for child in children:
            os.kill(child, signal.SIGKILL)
            os.waitpid(child, 0)


def status() -> dict[str, str]:
    """Return what the kernel says of this process's rights."""
    lines = (line.partition(":") for line in Path("/proc/self/status").read_text().splitlines())
    wanted = ("CapInh", "CapPrm", "CapEff", "CapBnd", "CapAmb", "NoNewPrivs", "Seccomp", "Uid")
    return {name: value.split()[0] for name, _, value in lines if name in wanted}


def attempts(outside: dict[str, Any]) -> dict[str, Any]:
    """Try all."""
    inet, local = socket.AF_INET, socket.AF_UNIX
    return {
        "network": {
            "address": tried(lambda: connected(inet, ("192.0.2.1", 80))),
            "name": tried(lambda: socket.getaddrinfo("example.org", 80)[0][4][0]),
            "loopback": tried(lambda: connected(inet, ("127.0.0.1", outside["port"]))),
            "abstract": tried(lambda: connected(local, "\0" + outside["socket"])),
            "raw": tried(lambda: socket.socket(inet, socket.SOCK_RAW, socket.IPPROTO_ICMP).close()),
            "interfaces": [name for _, name in socket.if_nameindex()],
        },
        "written": {
            place: tried(lambda place=place: written(place))  # type: ignore[misc]
            for place in ("/x", "/usr/x", "/etc/x", "/dev/x", "/submission/x", "/data/digits/x",
                          "/proc/sys/kernel/hostname", "/output/x", "/reports/x", "/tmp/x",
                          "/dev/shm/x", os.path.expanduser("~/x"))
        },
        "device": tried(lambda: os.mknod("/tmp/device", 0o060600, os.makedev(254, 0))),
        "too large": tried(lambda: os.truncate("/output/x", 2**40)),
        "read": {
            "secret": tried(lambda: Path(outside["secret"]).read_text()),
            "home": tried(lambda: os.listdir(outside["home"])),
            "own home": os.listdir(os.path.expanduser("~")),
            "data": tried(lambda: Path("/data/digits/digits.txt").read_text()),
            "source": tried(lambda: Path("/submission/source.txt").read_text()),
        },
        "variables": sorted(os.environ),
        "kill": tried(lambda: os.kill(outside["pid"], signal.SIGKILL)),
        "processes": len([name for name in os.listdir("/proc") if name.isdecimal()]),
        "status": status(),
        "rights": {
            "setuid": tried(lambda: os.setuid(0)),
            "setgroups": tried(lambda: os.setgroups([0])),
            "chown": tried(lambda: os.chown("/output/x", 0, 0)),
            "chroot": tried(lambda: os.chroot("/tmp")),
            "mount": called("mount", b"none", b"/tmp", b"tmpfs", 0, None),
            "umount": called("umount2", b"/proc", 2),
            "unshare user": called("unshare", NEW_USER),
            "unshare network": called("unshare", NEW_NET),
            "clone user": called("syscall", CLONE, NEW_USER | signal.SIGCHLD, 0, 0, 0, 0),
            "setns": tried(lambda: called("setns", os.open("/proc/1/ns/net", os.O_RDONLY), 0)),
            "bpf": called("syscall", BPF, 0, 0, 0),
            "keyctl": called("syscall", KEYCTL, 0, -3, 1, 0, 0),
            "ptrace": in_child(lambda: called("ptrace", TRACEME, 0, None, None)),
            "hostname": tried(lambda: socket.sethostname("x")),
        },
        "temporary": [os.statvfs(each).f_blocks * os.statvfs(each).f_frsize
                      for each in ("/tmp", os.path.expanduser("~"), "/dev/shm")],
        "forks": tried(lambda: forked(outside["gather"])),
    }  # fmt: skip


if __name__ == "__main__":
    sys.stdout.write(json.dumps(attempts(json.loads(sys.argv[1]))) + "\n")
