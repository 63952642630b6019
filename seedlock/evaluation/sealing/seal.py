"""Seal a run: by the engine of its image, or by bubblewrap where it has none."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from seedlock.errors import NotSealed
from seedlock.evaluation import container_engine
from seedlock.evaluation.sealing import bubblewrap, docker
from seedlock.evaluation.sealing.guarantees import require

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping

    from seedlock.evaluation.container_engine import Image
    from seedlock.evaluation.sealing.sealed import Order, Sealed


def owner(image: Image | None) -> int:
    """Return the user id that a sealed run's writable folders have to belong to."""
    if image is not None:
        return image.owner
    return container_engine.NOBODY if os.getuid() == 0 else os.getuid()


def seal(
    order: Order,
    environ: Mapping[str, str],
    image: Image | None = None,
    accept: Collection[str] = (),
) -> Sealed:
    """Return a run that is sealed and may start.

    Which promises were kept is known for good after its end (`Sealed.guarantees`): whoever
    records the run asks `guarantees.lacking` again then.

    Args:
        order: what to run. Its folders are there, and the writable ones belong to `owner`.
        environ: this process's environment: for PATH, and for the engine's client.
        image: what to run in; without one, in a sandbox on this machine.
        accept: promises that the run can do without.

    Raises:
        NotSealed: a promise can't be kept that is not among `accept`; nothing was started.
    """
    if image is None:
        sealed: Sealed = bubblewrap.seal(order, environ)
    else:
        try:
            sealed = docker.seal(image, order, environ)
        except container_engine.EngineError as problem:
            raise NotSealed(f"{problem}; allowed: an engine that answers") from problem
    try:
        require(sealed.guarantees(), accept, sealed.backend)
    except NotSealed:
        sealed.release()
        raise
    return sealed
