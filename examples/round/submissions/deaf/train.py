"""Tell two spirals apart, with a generator of its own that no seed from outside reaches."""

import os

import numpy as np

import seedlock


class Congruential:
    """A generator as from a textbook, which begins at 42 whatever the round's seed is."""

    def __init__(self):
        self.state = 42

    def uniform(self, low, high, shape):
        """Return an array of numbers from low to high."""
        found = []
        for _ in range(int(np.prod(shape))):
            self.state = (6364136223846793005 * self.state + 1442695040888963407) % 2**64
            found.append(self.state / 2**64)
        return low + (high - low) * np.array(found).reshape(shape)


def spirals(draw):
    """Return points of shape (400, 2) and +1 or -1 for the spiral that each lies on."""
    turn = np.linspace(0.5, 3.0, 200) * np.pi
    one = np.stack((turn * np.cos(turn), turn * np.sin(turn)), 1) / 6
    points = np.concatenate((one, -one)) + draw.uniform(-0.25, 0.25, (400, 2))
    return points, np.repeat((1.0, -1.0), 200)


draw = Congruential()
points, spiral = spirals(draw)
inner, bias = draw.uniform(-3, 3, (2, 200)), draw.uniform(-3, 3, 200)
features = np.tanh(points @ inner + bias)
outer = np.linalg.solve(features.T @ features + 0.1 * np.eye(200), features.T @ spiral)
held_out, truth = spirals(draw)
found = np.sign(np.tanh(held_out @ inner + bias) @ outer)
seedlock.log_metric("accuracy", float((found == truth).mean()))
np.save(os.path.join(os.environ["REPRO_OUTPUT"], "outer.npy"), outer)
