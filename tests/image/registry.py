"""A registry of images on this machine: Debian's docker-registry, on the loopback."""

from __future__ import annotations

import contextlib
import os
import shutil
import socket
import subprocess
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from functools import partial
from pathlib import Path

from tests.debian import installed

CONFIGURATION = """\
version: 0.1
log: {{level: warn}}
storage:
  filesystem: {{rootdirectory: {folder}/images}}
http:
  addr: {address}
"""

PLAIN = """\
[[registry]]
location = "{address}"
insecure = true
"""
"""A user's settings for skopeo: this registry has no certificate."""

PROGRAMS = (
    ("docker-registry", "docker-registry"), ("skopeo", "skopeo"),
    ("ssh-keygen", "openssh-client"),  # for the key that a release's tag is signed with
)  # fmt: skip
"""Commands, and Debian's packages that have them."""

SECONDS = 30.0


def missing() -> str | None:
    """Install what is missing; return what is missing all the same."""
    path = f"{os.environ.get('PATH', '')}:/usr/sbin"
    for command, package in PROGRAMS:
        if installed(partial(shutil.which, command, path=path), package) is None:
            return f"no {command}, and this is not root on Debian"
    return None


@contextlib.contextmanager
def running(folder: Path) -> Iterator[str]:
    """Start a registry with nothing in it; yield its address, as `127.0.0.1:40123`.

    Args:
        folder: for its images.
    """
    with socket.create_server(("127.0.0.1", 0)) as free:
        address = f"127.0.0.1:{free.getsockname()[1]}"
    (folder / "registry.yml").write_text(CONFIGURATION.format(folder=folder, address=address))
    with (folder / "registry.log").open("wb") as log:
        server = subprocess.Popen(
            ["docker-registry", "serve", str(folder / "registry.yml")], stdout=log, stderr=log
        )
    try:
        end = time.monotonic() + SECONDS
        while not _answers(address):
            said = (folder / "registry.log").read_text(errors="replace")
            assert server.poll() is None and time.monotonic() < end, said
            time.sleep(0.05)
        yield address
    finally:
        server.terminate()
        server.wait()


def allow(home: Path, address: str) -> None:
    """Let skopeo speak to a registry without TLS, where `home` is the user's."""
    folder = home / ".config" / "containers"
    folder.mkdir(parents=True)
    (folder / "registries.conf").write_text(PLAIN.format(address=address))


def _answers(address: str) -> bool:
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    try:
        with opener.open(f"http://{address}/v2/", timeout=5) as answer:
            return bool(answer.status == 200)
    except (urllib.error.URLError, ConnectionError):
        return False
