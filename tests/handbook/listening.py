"""Wait until a program in the background listens on a port, or has ended: PID.

Who types commands takes longer for the next one than a server for its start. Exit status 0: it
listens, or ended by itself; 1: neither, after half a minute. Standard library only: `-S`.
"""

import sys
import time
from pathlib import Path

LISTENING = "0A"
"""State of a socket in /proc/net/tcp (the kernel's include/net/tcp_states.h)."""


def family(leader: int) -> set[int]:
    """Return a process and its descendants."""
    parents: dict[int, int] = {}
    for entry in Path("/proc").glob("[0-9]*"):
        try:
            text = (entry / "stat").read_text()
        except OSError:
            continue
        state, parent = text.rpartition(")")[2].split()[:2]
        if state != "Z":
            parents[int(entry.name)] = int(parent)
    found = {leader} & parents.keys()
    while grown := {pid for pid, parent in parents.items() if parent in found} - found:
        found |= grown
    return found


def sockets(pid: int) -> set[str]:
    """Return the numbers of a process's sockets."""
    found = set()
    try:
        for entry in Path(f"/proc/{pid}/fd").iterdir():
            target = str(entry.readlink())
            if target.startswith("socket:["):
                found.add(target[8:-1])
    except OSError:
        pass
    return found


def listening() -> set[str]:
    """Return the numbers of all sockets that listen."""
    found = set()
    for name in ("/proc/net/tcp", "/proc/net/tcp6"):
        path = Path(name)
        for line in path.read_text().splitlines()[1:] if path.exists() else ():
            words = line.split()
            if words[3] == LISTENING:
                found.add(words[9])
    return found


def main() -> int:
    """Wait; return the exit status."""
    leader = int(sys.argv[1])
    end = time.monotonic() + 30
    while time.monotonic() < end:
        pids = family(leader)
        if not pids or listening() & {number for pid in pids for number in sockets(pid)}:
            return 0
        time.sleep(0.05)
    sys.stderr.write("it listens on no port and has not ended\n")
    return 1


if __name__ == "__main__":
    sys.exit(main())
