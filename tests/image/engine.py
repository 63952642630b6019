"""Bring up a container engine, the base image and conference/repro-base with what the machine has.

`make image` and tests/image/ both build through here, so that what is tested is what is built:

    python3 -m tests.image.engine up      # an engine that answers
    python3 -m tests.image.engine base    # and a base image: print its reference
    python3 -m tests.image.engine build   # and the image; further words go to docker build
    python3 -m tests.image.engine build-gpu  # the same for the image with CUDA

Standard library only: it runs before there is any environment.
"""

from __future__ import annotations

import argparse
import functools
import hashlib
import os
import re
import shlex
import shutil
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
IMAGE = "conference/repro-base"
STANDIN = "seedlock/standin-base"
DAEMON = Path(__file__).with_name("daemon.py")
DAEMON_LOG = ROOT / "build" / "dockerd.log"
DAEMON_SECONDS = 60.0

# The engine's own choice needs a kernel that allows it; vfs is slow and large but works anywhere.
STORAGE: tuple[tuple[str, ...], ...] = ((), ("--storage-driver=vfs",))


class EngineError(Exception):
    """What the machine lacks, and what to do about it."""


@dataclass(frozen=True)
class Recipe:
    """One of the images that the project builds, and what of the tree goes into it.

    Attributes:
        image: name that the image gets.
        dockerfile: its Dockerfile, in the root of the tree.
        requirements: what its lock was resolved from, in version-lock/.
        lock: its lock, in version-lock/.
        constraints: that lock as pip's constraints, in version-lock/.
        wheels: folder of its wheels, below build/.
        make: what makes these wheels.
    """

    image: str
    dockerfile: str
    requirements: str
    lock: str
    constraints: str
    wheels: str
    make: str

    def variant(self, name: str) -> str:
        """Return a name for an image that a test makes in its place."""
        return f"{self.image}{'-' if ':' in self.image else ':'}{name}"


CPU = Recipe(
    IMAGE, "Dockerfile", "requirements.in", "cpu.lock", "constraints.txt", "wheels",
    "make wheels dist",
)  # fmt: skip
GPU = Recipe(
    f"{IMAGE}:gpu", "Dockerfile.gpu", "requirements-gpu.in", "gpu.lock", "constraints-gpu.txt",
    "wheels-gpu", "make wheels-gpu dist",
)  # fmt: skip
RECIPES = {"cpu": CPU, "gpu": GPU}


def client() -> str:
    """Return the docker client to call.

    Debian's own comes first: a machine may have another `docker` earlier on PATH that can't do
    what an engine's own client does.

    Raises:
        EngineError: there is none.
    """
    for path in ("/usr/bin/docker", shutil.which("docker")):
        if path and os.access(path, os.X_OK):
            return path
    raise EngineError("no docker client found; install docker, or run this as root on Debian")


def docker(*arguments: str, check: bool = True) -> subprocess.CompletedProcess[str]:
    """Run a docker command to its end and capture what it prints.

    Raises:
        EngineError: `check`, and it failed.
    """
    finished = subprocess.run(
        [client(), *arguments], env=environment(), capture_output=True, text=True, check=False
    )
    if check and finished.returncode != 0:
        words = shlex.join(("docker", *arguments))
        raise EngineError(f"{words}: exit status {finished.returncode}\n{finished.stderr}")
    return finished


def environment() -> dict[str, str]:
    """Return the environment that docker and apt-get run in."""
    # Docker before 23 has BuildKit, which bind mounts in RUN need, but does not use it by itself.
    return dict(os.environ, DOCKER_BUILDKIT="1", DEBIAN_FRONTEND="noninteractive")


def answers() -> bool:
    """Tell whether an engine is running that this user may use."""
    try:
        return docker("version", "--format", "{{.Server.Version}}", check=False).returncode == 0
    except EngineError:
        return False


def install_missing(*commands: tuple[str, str]) -> None:
    """Install the Debian packages of those commands that the machine lacks.

    Args:
        commands: pairs of a command and the package that has it.

    Raises:
        EngineError: something is missing and this is not root on a Debian-like machine.
    """
    path = os.environ.get("PATH", "") + ":/usr/sbin:/sbin"  # where Debian keeps both daemons
    missing = [package for command, package in commands if not shutil.which(command, path=path)]
    if not missing:
        return
    if os.geteuid() != 0 or not shutil.which("apt-get"):
        raise EngineError(
            f"{', '.join(missing)} missing; install and start docker, or run this as root on Debian"
        )
    for words in (["update"], ["install", "--yes", "--no-install-recommends", *missing]):
        subprocess.run(["apt-get", "-qq", *words], env=environment(), stdout=sys.stderr, check=True)


def up(staying: bool = False) -> subprocess.Popen[bytes] | None:
    """Make sure that an engine answers.

    Args:
        staying: a daemon that this starts outlives this process.

    Returns:
        The daemon if this call started it (the caller decides how long it lives, and whatever ends
        this process ends it too, unless it stays), else None.

    Raises:
        EngineError: there is none and none could be started; the text says why.
    """
    if answers():
        return None
    install_missing(("docker", "docker.io"), ("dockerd", "docker.io"))
    if answers():  # where there is an init system, the package has started its service
        return None
    if os.geteuid() != 0:
        raise EngineError("no docker engine answers this user, and only root can start one")
    DAEMON_LOG.parent.mkdir(exist_ok=True)
    bound = [] if staying else [f"--with={os.getpid()}"]
    for options in STORAGE:
        with DAEMON_LOG.open("wb") as log:
            daemon = subprocess.Popen(
                [sys.executable, str(DAEMON), *bound, "/usr/sbin/dockerd", *options],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,  # or an interrupt of make would end it
            )
        end = time.monotonic() + DAEMON_SECONDS
        while time.monotonic() < end and daemon.poll() is None:
            if answers():
                return daemon
            time.sleep(0.2)
        down(daemon)
    tail = DAEMON_LOG.read_text(errors="replace")[-2000:]
    raise EngineError(f"dockerd did not start; end of {DAEMON_LOG}:\n{tail}")


def down(daemon: subprocess.Popen[bytes]) -> None:
    """Stop a daemon that `up` started."""
    daemon.terminate()
    try:
        daemon.wait(timeout=30)
    except subprocess.TimeoutExpired:
        daemon.kill()
        daemon.wait()


def locked_base() -> str:
    """Return the base image that version-lock/images.lock names, with its digest."""
    lines = (ROOT / "version-lock" / "images.lock").read_text().splitlines()
    return next(line.split()[1] for line in lines if line.startswith("base "))


def exists(reference: str) -> bool:
    """Tell whether the engine holds that image."""
    return docker("image", "inspect", reference, check=False).returncode == 0


@functools.cache
def base() -> str:
    """Return a base image that the engine holds: the locked one, or a stand-in of the same release.

    Raises:
        EngineError: neither can be had.
    """
    locked = locked_base()
    if exists(locked):
        return locked
    pull = docker("pull", locked, check=False)
    if pull.returncode == 0:
        return locked
    release = re.split(r"[:-]", locked)[1]
    standin = f"{STANDIN}:{release}"
    reason = pull.stderr.strip().splitlines()[-1]
    say(f"{locked} can't be pulled ({reason}); building on {standin} instead")
    if not exists(standin):
        bootstrap(release, standin)
    return standin


def bootstrap(release: str, tag: str) -> None:
    """Make an image of a minimal Debian from the packages that this machine can reach.

    Raises:
        EngineError: not root, or debootstrap is not to be had.
    """
    if os.geteuid() != 0:
        raise EngineError(f"only root can make {tag}; pull the base image instead")
    install_missing(("debootstrap", "debootstrap"))
    with tempfile.TemporaryDirectory() as folder:
        # In a mount namespace of its own: a /proc left mounted there would be removed with it.
        words = ["/usr/sbin/debootstrap", "--variant=minbase", release, folder, *mirror(release)]
        strapped = subprocess.run(
            ["unshare", "--mount", *words],
            capture_output=True,
            text=True,
            check=False,
        )
        if strapped.returncode != 0:
            raise EngineError(f"debootstrap failed:\n{strapped.stdout[-2000:]}")
        # It becomes the image's /, and a temporary folder is closed to other users.
        Path(folder).chmod(0o755)
        # What a published base has not either: caches, logs, this machine's name and resolver.
        caches = ("var/cache/apt/archives/*.deb", "var/lib/apt/lists/*", "var/log/*")
        words = [f"--exclude=./{path}" for path in (*caches, "etc/hostname", "etc/resolv.conf")]
        tar = subprocess.Popen(
            ["tar", "--directory", folder, "--numeric-owner", *words, "--create", "."],
            stdout=subprocess.PIPE,
        )
        subprocess.run(
            [client(), "import", "--change", 'CMD ["bash"]', "-", tag],
            stdin=tar.stdout,
            stdout=sys.stderr,
            check=True,
        )
        if tar.wait() != 0:
            docker("image", "rm", tag)
            raise EngineError("tar failed")


def mirror(release: str) -> list[str]:
    """Return the mirror that this machine's apt uses for `release`, as debootstrap takes it.

    Empty where apt knows none: debootstrap has a default.
    """
    words = ["indextargets", "--format", "$(SITE)", "Created-By: Packages", f"Codename: {release}"]
    listed = subprocess.run(["apt-get", *words], capture_output=True, text=True, check=False)
    return listed.stdout.split()[:1]


def version() -> str:
    """Return seedlock's version."""
    text = (ROOT / "seedlock" / "__init__.py").read_text()
    found = re.search(r'^__version__ = "([^"]+)"$', text, re.MULTILINE)
    if found is None:
        raise EngineError("seedlock/__init__.py has no __version__")
    return found[1]


def lock_digest(context: Path = ROOT, recipe: Recipe = CPU) -> str:
    """Return the SHA-256 of the image's lock."""
    return hashlib.sha256((context / "version-lock" / recipe.lock).read_bytes()).hexdigest()


def revision() -> str:
    """Return the commit that the tree is at, with -dirty if it was changed; empty without git."""
    if not shutil.which("git"):
        return ""
    words = ["describe", "--always", "--abbrev=40", "--dirty", "--exclude=*"]
    described = subprocess.run(
        ["git", "-C", str(ROOT), *words], capture_output=True, text=True, check=False
    )
    return described.stdout.strip()


def settings(context: Path, recipe: Recipe = CPU) -> dict[str, str]:
    """Return the build arguments that have no default in the Dockerfile, and the base."""
    return {
        "BASE_IMAGE": base(),
        "LOCK_SHA256": lock_digest(context, recipe),
        "VERSION": version(),
        "REVISION": revision(),
    }


def check_wheels(context: Path, recipe: Recipe = CPU) -> None:
    """Raise an EngineError if the wheels that an image is built from are not there."""
    dist = context / "build" / "dist" / f"seedlock-{version()}-py3-none-any.whl"
    if not dist.exists() or not any((context / "build" / recipe.wheels).glob("*.whl")):
        raise EngineError(f"build/{recipe.wheels} or build/dist lacks wheels: {recipe.make}")


def build(*further: str, tag: str = "", context: Path = ROOT, recipe: Recipe = CPU) -> None:
    """Build the image from the wheels in build/.

    Args:
        further: words for docker build.
        tag: name that the image gets; empty for its own.
        context: folder that has what the Dockerfile takes.
        recipe: which image.

    Raises:
        EngineError: the wheels are not there, or docker build failed.
    """
    check_wheels(context, recipe)
    words = [f"--build-arg={name}={value}" for name, value in settings(context, recipe).items()]
    words += [f"--file={context / recipe.dockerfile}", f"--tag={tag or recipe.image}"]
    command = [client(), "build", *words, *further, str(context)]
    say(shlex.join(command))
    finished = subprocess.run(command, env=environment(), stdout=sys.stderr, check=False)
    if finished.returncode != 0:
        raise EngineError(f"docker build: exit status {finished.returncode}")


def say(text: str) -> None:
    """Tell the user something that is not the command's answer."""
    print(text, file=sys.stderr, flush=True)


def main() -> int:
    """Do what the command line asks for."""
    parser = argparse.ArgumentParser(prog="python3 -m tests.image.engine")
    parser.add_argument("task", choices=("up", "base", "build", "build-gpu"))
    task, further = parser.parse_known_args()
    try:
        daemon = up(staying=True)
        if daemon is not None:
            say(f"started dockerd (process {daemon.pid}, log {DAEMON_LOG}); it goes on running")
        if task.task == "base":
            print(base())
        elif task.task.startswith("build"):
            build(*further, recipe=GPU if task.task == "build-gpu" else CPU)
    except EngineError as problem:
        say(f"tests/image/engine.py: {problem}")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
