"""A real Slurm of two nodes on this machine, as root, without a line in the system's own folders.

Both nodes' daemons run on this host: Debian's Slurm is built with --enable-multiple-slurmd
(slurm.conf(5), "NodeHostname"). There is no accounting daemon, as on many a small cluster.
"""

from __future__ import annotations

import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

from tests.interpreter import environment

PACKAGES = ("slurmctld", "slurmd", "slurm-client", "munge")
PROGRAMS = ("munged", "slurmctld", "slurmd", "sbatch", "squeue", "scontrol", "scancel")
NODES = ("seedlock1", "seedlock2")

CONFIGURATION = """\
ClusterName=seedlock
SlurmctldHost={host}(127.0.0.1)
SlurmctldPort={ports[0]}
SlurmUser=root
# A requeued job waits until the credential of its first start has expired, by default 2 minutes.
AuthInfo=socket={folder}/munge.socket,cred_expire=2
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
SelectType=select/cons_tres
SelectTypeParameters=CR_Core_Memory
JobAcctGatherType=jobacct_gather/none
AccountingStorageType=accounting_storage/none
MpiDefault=none
SwitchType=switch/none
StateSaveLocation={folder}/state
SlurmdSpoolDir={folder}/spool-%n
SlurmctldPidFile={folder}/slurmctld.pid
SlurmdPidFile={folder}/slurmd-%n.pid
SlurmctldLogFile={folder}/slurmctld.log
SlurmdLogFile={folder}/slurmd-%n.log
# The nodes have more processors than this machine, or tests would wait for each other.
SlurmdParameters=config_overrides
SchedulerParameters=batch_sched_delay=0,sched_min_interval=0,default_queue_depth=1000
ReturnToService=2
MessageTimeout=2
SlurmdTimeout=3
KillWait=5
GresTypes=gpu
NodeName=seedlock1 NodeHostname={host} NodeAddr=127.0.0.1 Port={ports[1]} CPUs=4 RealMemory=16000 Gres=gpu:2
NodeName=seedlock2 NodeHostname={host} NodeAddr=127.0.0.1 Port={ports[2]} CPUs=4 RealMemory=16000 Gres=gpu:2
PartitionName=main Nodes=ALL Default=YES MaxTime=INFINITE State=UP
"""  # noqa: E501

SECONDS = 20.0
"""Most that all daemons may take to answer."""


class NoSlurm(Exception):
    """What this machine lacks for a Slurm."""


class Slurm:
    """A running Slurm.

    Attributes:
        folder: all that it writes.
        environ: this process's environment, with the variable that leads its commands to it.
        nodes: the nodes' daemons, by name.
    """

    def __init__(self) -> None:
        """Start it.

        Raises:
            NoSlurm: it can't be installed here, or does not come up.
        """
        install()
        self.folder = Path(tempfile.mkdtemp(prefix="seedlock-slurm-"))
        self.environ = {
            **environment(),
            "SLURM_CONF": str(self.folder / "slurm.conf"),
            # Programs of submissions say `python`.
            "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}",
        }
        self._daemons: list[subprocess.Popen[bytes]] = []
        self.nodes: dict[str, subprocess.Popen[bytes]] = {}
        self._configure()
        try:
            self._start()
        except BaseException:
            self.stop()
            raise

    def _configure(self) -> None:
        (self.folder / "state").mkdir()
        key = self.folder / "munge.key"
        key.write_bytes(os.urandom(128))
        key.chmod(0o400)
        for number in (0, 1):
            (self.folder / f"gpu{number}").touch()
        text = CONFIGURATION.format(
            folder=self.folder, host=socket.gethostname(), ports=_free_ports(3)
        )
        (self.folder / "slurm.conf").write_text(text)
        (self.folder / "gres.conf").write_text(f"Name=gpu File={self.folder}/gpu[0-1]\n")

    def _start(self) -> None:
        names = ("key-file", "socket", "pid-file", "log-file", "seed-file")
        self._daemon(
            "munged", "--foreground", "--force",
            *(f"--{name}={self.folder}/munge.{name.partition('-')[0]}" for name in names),
        )  # fmt: skip
        self._until("munged", (self.folder / "munge.socket").exists)
        self._controller = self._daemon("slurmctld", "-D")
        for name in NODES:
            self.start_node(name)
        self._until("the nodes", lambda: all(self.state(name) == "idle" for name in NODES))

    def _daemon(self, *words: str) -> subprocess.Popen[bytes]:
        with (self.folder / "daemons.log").open("ab") as log:
            started = subprocess.Popen(
                words, env=self.environ, stdout=log, stderr=log, stdin=subprocess.DEVNULL,
                start_new_session=True,
            )  # fmt: skip
        self._daemons.append(started)
        return started

    def _until(self, what: str, holds: object) -> None:
        assert callable(holds)
        end = time.monotonic() + SECONDS
        while not holds():
            if time.monotonic() > end:
                log = (self.folder / "daemons.log").read_text(errors="replace")
                raise NoSlurm(f"{what}: not up after {SECONDS:g} s\n{log[-2000:]}")
            time.sleep(0.05)

    def stop_controller(self) -> None:
        """Stop the controller for good."""
        self._controller.terminate()
        self._controller.wait()

    def start_node(self, name: str) -> None:
        """Start a node's daemon, also after `kill_node`."""
        self.nodes[name] = self._daemon("slurmd", "-D", "-N", name)

    def kill_node(self, name: str, daemon_only: bool = False) -> None:
        """Kill a node's daemon, and all that it started, as if the machine had lost power.

        Args:
            name: the node's.
            daemon_only: whether all else goes on.
        """
        whole = [self.nodes[name].pid]
        for pid, parent, variables in processes():
            of_it = variables.get("SLURM_CONF") == self.environ["SLURM_CONF"]
            if of_it and variables.get("SLURMD_NODENAME") == name and not daemon_only:
                # A step's own daemon overwrites its environment, to show its title there.
                whole += [pid, parent] if _words(parent).startswith("slurmstepd: [") else [pid]
        for pid in whole:
            _kill(pid)
        self.nodes[name].wait()

    def state(self, node: str) -> str:
        """Return a node's state in Slurm's words, or nothing where Slurm does not answer."""
        asked = self.run("sinfo", "--noheader", f"--nodes={node}", "--format=%T", check=False)
        return asked.strip()

    def run(self, *words: str, check: bool = True) -> str:
        """Return what one of Slurm's commands prints."""
        done = subprocess.run(
            words, env=self.environ, capture_output=True, text=True, check=False, timeout=30
        )
        if check and done.returncode:
            raise AssertionError(f"{words}: {done.returncode}\n{done.stdout}{done.stderr}")
        return done.stdout

    def stop(self) -> None:
        """End all of it and remove its folder."""
        for daemon in reversed(self._daemons):
            if daemon.poll() is None:
                daemon.send_signal(signal.SIGTERM)
        for daemon in reversed(self._daemons):
            try:
                daemon.wait(5)
            except subprocess.TimeoutExpired:
                daemon.kill()
                daemon.wait()
        for pid in self.left():
            _kill(pid)
        shutil.rmtree(self.folder, ignore_errors=True)

    def left(self) -> list[int]:
        """Return the processes that belong to it: daemons, steps and what jobs started."""
        of_it, own = self.environ["SLURM_CONF"], os.getpid()
        return [
            pid for pid, _, variables in processes()
            if variables.get("SLURM_CONF") == of_it and pid != own
        ]  # fmt: skip


def install() -> None:
    """Install Debian's Slurm where a program of it is missing.

    Raises:
        NoSlurm: this user can't, or it does not work.
    """
    path = f"{os.environ.get('PATH', '')}:/usr/sbin:/sbin"
    missing = [name for name in PROGRAMS if shutil.which(name, path=path) is None]
    if os.getuid() != 0:
        raise NoSlurm("its daemons need root")
    if missing and shutil.which("apt-get") is None:
        raise NoSlurm(f"no {', '.join(missing)}, and no apt-get to install them with")
    if missing:
        environ = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
        options = ("-y", "-qq", "--no-install-recommends", "-o", "DPkg::Lock::Timeout=120")
        for words in (("apt-get", "update", "-qq"), ("apt-get", "install", *options, *PACKAGES)):
            done = subprocess.run(words, env=environ, capture_output=True, text=True, check=False)
            if done.returncode:
                raise NoSlurm(f"{' '.join(words)}: {done.stderr.strip()[-500:]}")
    os.environ["PATH"] = path


def processes() -> Iterator[tuple[int, int, dict[str, str]]]:
    """Go through all processes: id, its parent's, environment."""
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            variables = (folder / "environ").read_text(errors="replace").split("\0")
            parent = int((folder / "stat").read_text().rpartition(")")[2].split()[1])
        except OSError:
            continue
        pairs = dict(each.split("=", 1) for each in variables if "=" in each)
        yield int(folder.name), parent, pairs


def _words(pid: int) -> str:
    try:
        return Path(f"/proc/{pid}/cmdline").read_text(errors="replace").replace("\0", " ")
    except OSError:
        return ""


def _free_ports(number: int) -> list[int]:
    listening = [socket.create_server(("127.0.0.1", 0)) for _ in range(number)]
    ports = [int(each.getsockname()[1]) for each in listening]
    for each in listening:
        each.close()
    return ports


def _kill(pid: int) -> None:
    try:
        os.kill(pid, signal.SIGKILL)
    except ProcessLookupError:
        pass
