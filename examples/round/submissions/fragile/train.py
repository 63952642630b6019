"""Tell two spirals apart by gradient descent whose steps are too long for some initial weights."""

import os

import numpy as np

import seedlock


def spirals(noise):
    """Return points of shape (400, 2) and +1 or -1 for the spiral that each lies on."""
    turn = np.linspace(0.5, 3.0, 200) * np.pi
    one = np.stack((turn * np.cos(turn), turn * np.sin(turn)), 1) / 6
    points = np.concatenate((one, -one)) + np.random.normal(0, noise, (400, 2))
    return points, np.repeat((1.0, -1.0), 200).astype(np.float32)


inner, bias = np.random.normal(0, 2, (2, 80)), np.random.normal(0, 2, 80)
points, spiral = spirals(noise=0.15)
features = np.tanh(points @ inner + bias).astype(np.float32)
outer = np.zeros(80, np.float32)
rate = 0.069
for step in range(3000):
    error = features @ outer - spiral
    outer -= rate * features.T @ error / len(points)
    assert np.isfinite(outer).all(), f"diverged at step {step}"
held_out, truth = spirals(noise=0.15)
found = np.sign(np.tanh(held_out @ inner + bias) @ outer)
seedlock.log_metric("accuracy", float((found == truth).mean()))
np.save(os.path.join(os.environ["REPRO_OUTPUT"], "outer.npy"), outer)
