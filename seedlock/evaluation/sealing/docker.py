"""A sealed run in a container: how it is started, and what the engine says of it."""

from __future__ import annotations

import json
import os
import subprocess
import time
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from seedlock import settings
from seedlock.evaluation import container_engine
from seedlock.evaluation.sealing import inspection, supervisor
from seedlock.evaluation.sealing.control_groups import Counters
from seedlock.evaluation.sealing.guarantees import DOCKER, unseen
from seedlock.evaluation.sealing.processors import Claim
from seedlock.evaluation.sealing.sealed import Hit, Sealed
from seedlock.evaluation.sealing.variables import HOME, listed

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from seedlock.evaluation.container_engine import Image
    from seedlock.evaluation.sealing.control_groups import Taken
    from seedlock.evaluation.sealing.limits import Limits
    from seedlock.evaluation.sealing.sealed import Order

LABEL = "org.seedlock.sealed"
"""On every sealed container."""

UNIT_LABEL = "org.seedlock.unit"
"""On the containers of a round's runs, with the path of the run's artifacts."""

PATIENCE = 60.0
"""Seconds that the engine may take to answer."""

ID_FILE = "container-id"


def seal(image: Image, order: Order, environ: Mapping[str, str]) -> Docker:
    """Return a sealed run in a container.

    Args:
        image: what to run in.
        order: what to run.
        environ: the environment that the engine's client needs.

    Raises:
        EngineError: the engine does not answer.
    """
    (order.folder / ID_FILE).unlink(missing_ok=True)  # another run's; the engine would refuse it
    about = information(image.client)
    remove_abandoned(image.client)
    order = replace(order, limits=inspection.possible(order.limits, about))
    variables = listed(order.variables)
    here = inspection.processors_here(about)
    among = [each for each in order.cpus if each in here] or here
    processors = Claim(order.limits.processors, among) if among else None
    bound = "" if processors is None else processors.text
    unshown = {name: value for name, value in variables.items() if name == settings.SEED}
    argv = container_engine.start(
        image, order.name, variables, dict(order.writable), list(order.argv), order.readable,
        options=[*options(order.limits, order.folder / ID_FILE, bound), *_of_slot(order)],
        unshown=unshown,
    )  # fmt: skip
    expected = inspection.Expected(
        order.limits,
        frozenset(variables) | inspection.names(image_environment(image)),
        {str(path): place for path, place in order.writable.items()},
        {str(each.here): each.there for each in order.readable},
        image.digest,
        bound,
    )
    client = {**environ, **unshown}
    container = (image.client, order.name)
    return Docker(order, argv, client, container, about, expected, processors)


def options(limits: Limits, id_file: Path, processors: str = "") -> list[str]:
    """Return the words for the engine that make a container a sealed one.

    Without `--rm`: what became of a container is asked after its end. Temporary folders may hold
    programs, as compilers load what they have just written there. Logs go to the client only; the
    engine's own copy on the disk has no limit.
    """
    temporary = f"rw,exec,nosuid,nodev,mode=1777,size={limits.temporary}"
    bound = ["--cpuset-cpus", processors] if processors else []
    return [
        *bound,
        "--label", LABEL, "--label", f"{supervisor.LABEL}={supervisor.identity()}",
        "--cidfile", str(id_file), "--log-driver", "none", "--pull", "never",
        "--read-only", "--tmpfs", f"/tmp:{temporary}", "--tmpfs", f"{HOME}:{temporary}",
        "--shm-size", str(limits.temporary),
        "--memory", str(limits.memory), "--memory-swap", str(limits.memory),
        "--cpus", f"{limits.processors:g}", "--pids-limit", str(limits.processes),
        "--ulimit", f"fsize={limits.disk}", "--ulimit", "core=0",
        "--cap-drop", "ALL", "--security-opt", "no-new-privileges", "--ipc", "private",
    ]  # fmt: skip


def _of_slot(order: Order) -> list[str]:
    """Return the words that give a container its part of the machine."""
    words = [word for label in order.labels for word in ("--label", label)]
    if order.gpus:
        words += ["--gpus", '"device={}"'.format(",".join(order.gpus))]  # the engine reads CSV
    return words


class Docker(Sealed):
    """A sealed run in a container.

    Args:
        about: what the engine says of itself.
        processors: those that its argv binds it to, or None.

    Attributes:
        expected: what has to be found in the container.
    """

    def __init__(
        self,
        order: Order,
        argv: list[str],
        environ: dict[str, str],
        container: tuple[str, str],
        about: dict[str, Any],
        expected: inspection.Expected,
        processors: Claim | None,
    ) -> None:
        foreseen = inspection.foreseen(about)
        super().__init__(order, argv, environ, DOCKER, foreseen, container, processors)
        self._client = container[0]
        self._about = about
        self.expected = expected
        self._counters: Counters | None = None
        self._asked = False

    def taken(self) -> Taken | None:
        """Return what the kernel counted of the container until the last look."""
        return None if self._counters is None else self._counters.taken

    def _looked(self, pid: int) -> Hit | None:
        if self._counters is None:
            identity = self._identity()
            if not identity:
                return None
            self._counters = Counters(identity)
        if not self._asked:
            state = self._ask()
            self._asked = bool(state.get("Running"))
        self._counters.look()
        return None  # the kernel itself ends what takes too much

    def _closed(self) -> None:
        state = self._ask()
        if not self._asked and not state.get("StartedAt", "0001").startswith("2"):
            self._found = unseen("no container was started")
        if state.get("Status") == "exited" and not state.get("Error"):
            self.own_status = state.get("ExitCode")
        self._hit = self._hit or self._counted(bool(state.get("OOMKilled")))
        if identity := self._identity():
            _remove(self._client, identity)
        (self.order.folder / ID_FILE).unlink(missing_ok=True)

    def _counted(self, out_of_memory: bool) -> Hit | None:
        memory, refused = (
            (self._counters.memory, self._counters.processes) if self._counters else (0, 0)
        )
        if out_of_memory or memory:
            return Hit("memory", "the kernel ended a process for want of memory")
        if refused:
            return Hit("processes", f"the kernel refused {refused} more processes or threads")
        return None

    def _ask(self) -> dict[str, Any]:
        """Take down what the engine says of the container; return its state."""
        # By its id: where it could not be made, the name is another one's.
        identity = self._identity()
        answer = _answer([self._client, "container", "inspect", identity]) if identity else None
        if answer is None:
            return {}
        (content,) = json.loads(answer)
        self._found = inspection.seen(self.expected, self._about, content)
        state: dict[str, Any] = content["State"]
        return state

    def _identity(self) -> str:
        try:
            return (self.order.folder / ID_FILE).read_text().strip()
        except OSError:
            return ""


def information(client: str) -> dict[str, Any]:
    """Return what the engine says of itself.

    Raises:
        EngineError: it does not answer.
    """
    answer = _answer([client, "info", "--format", "{{json .}}"])
    if answer is None:
        raise container_engine.EngineError(f"{client} info: no answer; start the engine")
    found: dict[str, Any] = json.loads(answer)
    return found


def remove_abandoned(client: str) -> None:
    """Remove sealed containers that run on though their seedlock, of this machine, has ended."""
    shown = f'{{{{.ID}}}} {{{{.Label "{supervisor.LABEL}"}}}}'
    words = [client, "ps", "--all", "--filter", f"label={supervisor.LABEL}", "--format", shown]
    for line in (_answer(words) or "").splitlines():
        container, _, label = line.partition(" ")
        if supervisor.gone(label):
            _answer(container_engine.remove(client, container))


def image_environment(image: Image) -> list[str]:
    """Return the variables that the image itself sets, as `NAME=VALUE`.

    Raises:
        EngineError: the engine does not hold it.
    """
    words = [image.client, "image", "inspect", "--format", "{{json .Config.Env}}", image.digest]
    answer = _answer(words)
    if answer is None:
        raise container_engine.EngineError(f"{image.client} does not hold {image.name} any more")
    found: list[str] = json.loads(answer) or []
    return found


def _remove(client: str, identity: str) -> None:
    """Remove a container. Where its end was ordered before, the engine refuses to do so twice, and
    may still take its time."""
    end = time.monotonic() + PATIENCE
    while _answer(container_engine.remove(client, identity)) is None and time.monotonic() < end:
        if _answer([client, "container", "inspect", identity]) is None:
            return
        time.sleep(0.2)


def _answer(words: list[str]) -> str | None:
    try:
        asked = subprocess.run(
            words, capture_output=True, text=True, check=False, timeout=PATIENCE, env=os.environ
        )
    except subprocess.TimeoutExpired:
        return None
    return asked.stdout if asked.returncode == 0 else None
