"""A pole on a cart: physics, episodes and advantages for REINFORCE, in NumPy.

The cart of Barto, Sutton and Anderson, "Neuronlike adaptive elements that can solve difficult
learning control problems" (IEEE SMC 13, 1983), with the sizes and limits of gymnasium's CartPole
and its first limit of 200 steps. Many carts go side by side; each program has its own policy, and
draws starts and actions by its own framework.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Callable

CARTS = 128
CAP = 200
"""Steps after which an episode ends; so this is the largest return."""

HIDDEN = 32
EPOCHS = 24
"""One update of the policy each."""

RATE = 0.03
DISCOUNT = 0.99
START = 0.05
"""Each of the four numbers of a start is drawn evenly from -START to START."""

TEST_START = 0.2
"""The same for the episodes after the last update: from there not every pole can be held, so that
a return tells good policies from better ones, which from START all come to CAP."""

ROWS = CAP * CARTS


@dataclass(frozen=True)
class Played:
    """One episode of each cart, padded to CAP steps, so that every update has the same shape.

    Attributes:
        states: shape (ROWS, 4), float32; 0 after an episode's end.
        actions: shape (ROWS,), int64, 1 to push to the right; 0 after an episode's end.
        weights: shape (ROWS,), float32: advantage over the number of steps played, so that the
            loss is the sum of weights times -log(probability of the action).
        mean_return: mean number of steps until the pole fell.
    """

    states: np.ndarray
    actions: np.ndarray
    weights: np.ndarray
    mean_return: float


def play(starts: np.ndarray, choose: Callable[[np.ndarray], np.ndarray]) -> Played:
    """Play one episode of each cart.

    Args:
        starts: shape (CARTS, 4): position, speed, angle in radians, its speed; metres, seconds.
        choose: from states, shape (CARTS, 4) in float32, to actions, shape (CARTS,), 0 or 1.
    """
    states = np.zeros((CAP, CARTS, 4), np.float32)
    actions = np.zeros((CAP, CARTS), np.int64)
    upright = np.zeros((CAP, CARTS), bool)
    now, alive = starts.astype(np.float64), np.ones(CARTS, bool)
    for step in range(CAP):
        seen = now.astype(np.float32)
        chosen = np.asarray(choose(seen)).astype(np.int64)
        states[step, alive], actions[step, alive] = seen[alive], chosen[alive]
        upright[step] = alive
        now = np.where(alive[:, None], _moved(now, chosen), now)
        alive = alive & (np.abs(now[:, 0]) <= 2.4) & (np.abs(now[:, 2]) <= np.deg2rad(12))
        if not alive.any():
            break
    weights = _advantages(upright) / upright.sum()
    return Played(
        states.reshape(ROWS, 4),
        actions.reshape(ROWS),
        weights.reshape(ROWS).astype(np.float32),
        float(upright.sum(0).mean()),
    )


def _moved(now: np.ndarray, chosen: np.ndarray) -> np.ndarray:
    position, speed, angle, turning = now.T
    tick = 0.02
    force, cosine, sine = np.where(chosen == 1, 10.0, -10.0), np.cos(angle), np.sin(angle)
    pushed = (force + 0.05 * turning**2 * sine) / 1.1
    bent = (9.8 * sine - cosine * pushed) / (0.5 * (4 / 3 - 0.1 * cosine**2 / 1.1))
    driven = pushed - 0.05 * bent * cosine / 1.1
    return np.stack(
        (
            position + tick * speed,
            speed + tick * driven,
            angle + tick * turning,
            turning + tick * bent,
        ),
        axis=1,
    )


def _advantages(upright: np.ndarray) -> np.ndarray:
    """Discounted returns, less their mean over all carts at that step, at a deviation of 1."""
    returns = np.zeros(upright.shape)
    later = np.zeros(upright.shape[1])
    for step in reversed(range(len(upright))):
        later = upright[step] * (1 + DISCOUNT * later)
        returns[step] = later
    over = returns - returns.mean(axis=1, keepdims=True)
    played = over[upright]
    return np.where(upright, (over - played.mean()) / (played.std() + 1e-8), 0)
