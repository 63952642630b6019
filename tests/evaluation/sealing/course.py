"""Sealed runs for tests, with folders, listeners outside, and what an attempt came to."""

from __future__ import annotations

import json
import os
import shutil
import socket
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from types import MappingProxyType
from typing import Any

from seedlock.evaluation.container_engine import Image, Mount
from seedlock.evaluation.runs import Run
from seedlock.evaluation.sealing import limits
from seedlock.evaluation.sealing.seal import owner, seal
from seedlock.evaluation.sealing.sealed import Order, Sealed
from seedlock.evaluation.watching import Interruption, watch

HERE = Path(__file__).resolve().parent
GATHER = "gathered"

LIMITS = {"memory": "256m", "processors": "1", "processes": "40", "time": "1m", "disk": "8m"}


class Course:
    """One sealed run in a folder.

    Attributes:
        folder: the run's.
        run: the run, once it was started.
        result: what its program printed, if JSON.
    """

    def __init__(self, folder: Path, image: Image | None = None) -> None:
        self.folder = folder / "run"
        self.image = image
        self.source, self.data = folder / "source", folder / "digits"
        self.home = folder / "home"
        for each in (self.folder, self.source, self.data, self.home):
            each.mkdir()
        shutil.copy(HERE / "attempts.py", self.source)
        (self.source / "source.txt").write_text("source")
        (self.data / "digits.txt").write_text("digits")
        (self.home / "secret").write_text("secret")
        for name in ("output", "reports"):
            (self.folder / name).mkdir()
            os.chown(self.folder / name, owner(image), -1)
        self.run: Run | None = None

    def order(
        self, argv: Sequence[str], given: Mapping[str, str], variables: Mapping[str, str]
    ) -> Order:
        """Return what is to be run, with variables that must not come through."""
        unlisted = {"API_TOKEN": "1", "MXNET_SECRET": "1", "EDITOR": "1", "HOME": str(self.home)}
        return Order(
            argv, {"REPRO_OUTPUT": "/output", "OMP_NUM_THREADS": "1", **unlisted, **variables},
            {self.folder / "output": "/output", self.folder / "reports": "/reports"},
            [Mount(self.source, "/submission"), Mount(self.data, "/data/digits")],
            limits.parse({**LIMITS, **given}), self.folder,
            f"seedlock-sealed-test-{os.urandom(4).hex()}",
        )  # fmt: skip

    def carry_out(
        self, *argv: str, accept: Sequence[str] = (), environ: Mapping[str, str] = os.environ,
        variables: Mapping[str, str] = MappingProxyType({}), out_of_time: bool = False,
        **given: str,
    ) -> Sealed:  # fmt: skip
        """Seal and run a command, to its end or to that of its limits.

        With `out_of_time` its time is over when it has made the file GATHER.
        """
        made = seal(self.order(argv, given, variables), environ, self.image, accept)
        self.run = run = Run(
            "A-1", 7, self.folder, made.argv, made.environ, made.seconds, made.container,
            sealed=made,
        )  # fmt: skip
        gathered = self.folder / "output" / GATHER
        looks = 0

        def show(_: Sequence[Run]) -> None:
            nonlocal looks
            looks += gathered.exists()
            if looks == 3:  # looked at at least once since
                (self.folder / "output" / f"{GATHER}.seen").touch()
                run.timeout = 0.0 if out_of_time else run.timeout

        with Interruption() as interruption:
            watch([run], 1, interruption, show, lambda _: None, lambda _: True)
        return made

    def attempts(self, python: str, **given: Any) -> tuple[Sealed, dict[str, Any]]:
        """Run the program that tries everything; return its seal and what it printed."""
        with listening() as outside:
            told = {
                **outside, "home": str(self.home), "secret": str(self.home / "secret"),
                "pid": os.getpid(), "gather": f"/output/{GATHER}",
            }  # fmt: skip
            made = self.carry_out(python, "-I", "attempts.py", json.dumps(told), **given)
        assert self.run is not None
        printed = (self.folder / "stdout.txt").read_text()
        assert self.run.exit_status == 0, (self.folder / "stderr.txt").read_text()
        return made, json.loads(printed.splitlines()[-1])


@contextmanager
def listening() -> Iterator[dict[str, Any]]:
    """Listen on the loopback of this machine and on a socket without a file."""
    name = f"seedlock-{os.urandom(4).hex()}"
    with socket.socket() as inet, socket.socket(socket.AF_UNIX) as local:
        inet.bind(("127.0.0.1", 0))
        local.bind(f"\0{name}")
        for each in (inet, local):
            each.listen()
        yield {"port": inet.getsockname()[1], "socket": name}
